//! The primitives, tried with the vectors that others have collected.

mod mac;
mod padding;
#[cfg(all(target_os = "linux", not(miri)))]
mod stack;
mod timing;
mod wycheproof;
