//! Eft before the malicious server of this folder: what it must not believe, what it must, and what it keeps to itself.
//!
//! The client under test is the library as apps use it. That the server notices what a careless client does is shown by
//! what is honest: beside each kind of forgery stands the same from who may say it, and that has to be seen.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test: what goes wrong has to stop it, and the counts are for reading"
)]

mod client;
mod forgeries;
mod logins;
mod middle;
mod network;
mod paging;
mod program;
mod said;
mod strangers;
