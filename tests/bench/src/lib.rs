//! What Eft costs, in figures: what several programs of figures share.
//!
//! Not here: thresholds that fail a build. A figure is what was measured; who reads it judges it.
//!
//! `make bench` runs the programs of this package in the profile that ships on phones (`mobile`). Each prints a table
//! and adds its figures to `target/figures.json`, one flat object of name to number.

//!
//! | Module | What |
//! |---|---|
//! | [`figures`] | the table, and the file |
//! | [`rounds`] | two ways by turns |
//! | [`cpu`], [`memory`] | what this process took so far |
//! | [`people`] | who writes to whom |
//! | [`bare`] | the database without the store |
//! | [`size`] | what a library is made of |

pub mod bare;
pub mod cpu;
pub mod figures;
pub mod memory;
pub mod people;
pub mod rounds;
pub mod size;

/// Anything that ends a measurement early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
