//! The login against servers that somebody else wrote, which the tests start by themselves.
//!
//! Needs Prosody 13 with the community modules `sasl2`, `sasl2_bind2`, `sasl2_fast`, `sasl2_sm` and `http_altconnect`,
//! and ejabberd 24.12.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test: what goes wrong has to stop it, and the figures are for reading"
)]

mod bench;
mod early_hello;
mod login;
mod proxies;
mod proxy;
mod reach;
mod servers;
mod streams;
