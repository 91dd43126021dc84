//! What a hostile server or contact can make of bytes, measured: how long until it is refused, and how much memory it
//! costs meanwhile. Each attack has a process of its own, so that none is paid for by what another one left behind.
//! Linux only, where a process can see its own peak.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test: what goes wrong has to stop it, and the figures are for reading"
)]

mod attacks;
mod cost;
mod decoder;
mod server;
mod session;
