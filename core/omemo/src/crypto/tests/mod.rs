//! The primitives, tried with the vectors that others have collected.

mod padding;
mod timing;
mod wycheproof;
