//! The history in one file: what goes in, what comes out, and what is not taken.

mod contents;
mod damage;
mod ending;
mod merging;
mod stage;
