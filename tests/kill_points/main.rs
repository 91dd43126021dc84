//! X9: a real process that is killed between the sending of a text and its acknowledgement: a proxy between it and a real
//! Prosody lets so many bytes through and no more, and then it dies (`kill -9`). What it had queued arrives once, and
//! whoever is told of a message is told once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: what goes wrong has to stop it, and it says what it found"
)]

mod judge;
mod obey;
mod round;
// How a process settles, and what it shows then.
#[path = "../killing/life.rs"]
#[allow(dead_code, reason = "of its lives, only the last is lived here")]
mod life;

use std::time::Duration;

use eft_tests::Prosody;
use eft_tests::child;
use eft_tests::soak::Slice;
use tokio::task::JoinSet;

/// Kill points in `make test`.
const SHORT: u64 = 10;
/// How long the server keeps a stream: sometimes the next process comes later.
const HIBERNATION: Duration = Duration::from_secs(1);
/// Rounds at a time in the long form: much of each is waiting.
const AT_ONCE: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_between_send_and_ack_has_sent_once() {
    match child::part().as_deref() {
        Some(obey::OBEYS) => return obey::run().await,
        Some(part) => return life::run(part).await,
        None => {}
    }
    let server = Prosody::builder()
        .one_step_login()
        .hibernation(HIBERNATION)
        .setting("log = { warn = \"prosody.log\" }")
        .start()
        .await
        .unwrap();
    let server = std::sync::Arc::new(server);
    let mut slice = Slice::begin("x9", SHORT);
    let at_once = if slice.is_long() { AT_ONCE } else { 1 };
    let mut running = JoinSet::new();
    loop {
        while running.len() < at_once
            && let Some(seed) = slice.next()
        {
            let server = std::sync::Arc::clone(&server);
            running.spawn(async move { (seed, round::run(&server, seed).await) });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (seed, round) = ended.unwrap();
        for fault in &round.faults {
            println!("x9 seed {seed}: {fault}");
        }
        match round.faults.is_empty() {
            true => slice.good(round.points),
            false => slice.bad(),
        }
    }
    slice.end();
}
