//! The engine from outside: two devices with stores, messages between them.

mod archived;
mod bundles;
mod clones;
mod confusions;
mod conversation;
mod counters;
mod downgrades;
mod flips;
mod heartbeats;
mod hostile;
mod imported;
mod interleaving;
mod keys;
mod lists;
mod malformed;
#[cfg(all(target_os = "linux", not(miri)))]
mod memory;
mod points;
mod prekeys;
mod ratchet;
mod recipients;
mod retired;
mod sessions;
mod soak;
mod spent;
mod trusting;
