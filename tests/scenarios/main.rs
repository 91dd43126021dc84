//! Stories told on real servers, one per file.
//!
//! | File | Story |
//! |---|---|
//! | `harness` | the support library itself: does what the stories stand on hold? |
//! | `servers` | what has to be the same on Prosody and ejabberd, and between the two |
//! | `talk` | two devices of Alice and one of Bob: every device once, offline, in order |
//! | `interop` | Eft and a client that shares no code with it |
//! | `refusals` | what must not work, and what is said about it |
//! | `strangers` | new devices of somebody in no contact list are noticed before the next message |
//! | `trust` | a device that the server's operator adds: who is told, and what it can read |
//! | `rebuilding` | a database that is damaged, or whose key is lost: a new device with the history that can be read |
//! | `tokens` | logging in without the password, and after it was changed |
//! | `laws` | commit, then speak; acknowledge what is durable: shown on the wire and by kills |
//! | `opt_out` | a contact that wishes no more encryption |
//! | `publishing` | nodes that are closed, too small, emptied, deleted or full of rubbish |
//! | `cli` | the terminal client as real processes: talking, refusals, kills |
//! | `bots` | two foreign clients talk OMEMO through our server: the harness carries what the stories need |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assumption of a story is a failed test"
)]

mod bots;
mod cli;
mod harness;
mod interop;
mod laws;
mod network;
mod opt_out;
mod publishing;
mod rebuilding;
mod refusals;
mod servers;
mod strangers;
mod talk;
mod tokens;
mod trust;
