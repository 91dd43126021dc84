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
mod flood;
mod foreign;
mod hygiene;
mod kill;
mod log;
mod opening;
mod order;
mod outbox;
mod support;
mod updates;
