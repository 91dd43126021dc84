//! Stories told on real servers, one per file.
//!
//! | File | Story |
//! |---|---|
//! | `harness` | the support library itself: does what the stories stand on hold? |
//! | `bots` | two foreign clients talk OMEMO through our server: the harness carries what the stories need |

mod bots;
mod harness;
