//! The engine from outside: two devices with stores, messages between them.

mod conversation;
mod hostile;
mod interleaving;
mod keys;
mod lists;
mod ratchet;
mod sessions;
mod trusting;
