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

use std::sync::Arc;
use std::time::Duration;

use eft_tests::Prosody;
use eft_tests::child;
use eft_tests::soak::Slice;

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
        .quiet()
        .start()
        .await
        .unwrap();
    let server = Arc::new(server);
    let mut slice = Slice::begin("x9", SHORT);
    let run = |seed| {
        let server = Arc::clone(&server);
        async move { round::run(&server, seed).await }
    };
    let judge = |slice: &mut Slice, seed, round: round::Round| {
        slice.judge(seed, &round.faults, round.points);
    };
    slice.rounds(AT_ONCE, run, judge).await;
    slice.end();
}
