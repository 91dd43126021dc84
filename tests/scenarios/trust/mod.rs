//! Who may read: the server's operator puts a device of its own on Alice's lists, and what Bob's and Dave's
//! messages then hold for it.

mod added;
mod changed;
mod stage;
