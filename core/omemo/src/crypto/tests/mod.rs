//! The primitives, tried with the vectors that others have collected.

mod mac;
mod padding;
mod timing;
mod wycheproof;
