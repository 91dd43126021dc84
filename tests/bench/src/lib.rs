//! What Eft costs, in figures: what several programs of figures share.
//!
//! Not here: thresholds that fail a build. A figure is what was measured; who reads it judges it.
//!
//! `make bench` runs the programs of this package in the profile that ships on phones (`mobile`). Each prints a table
//! and adds its figures to `target/figures.json`, one flat object of name to number.

pub mod figures;
pub mod rounds;
