//! What the store promises, through its public interface.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers"
)]

mod atomic;
mod conversations;
mod dedupe;
mod exit;
mod faults;
mod flood;
mod foreign;
mod hygiene;
mod kill;
mod lease;
mod log;
mod opening;
mod order;
mod outbox;
mod power;
mod processes;
mod rebuild;
mod rekey;
mod released;
mod rollback;
mod search;
mod support;
mod suspend;
mod updates;
mod vfs;
mod watch;
