//! A real process that is killed with `kill -9` at any instant, while it logs in, catches up, sends and receives on a
//! real Prosody: nothing that was acknowledged or queued is lost, nothing comes twice, and the database never takes
//! itself for an older copy.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: what goes wrong has to stop it, and its child speaks by its standard output"
)]

mod life;
mod round;

use std::sync::Arc;

use eft_tests::soak::Slice;
use eft_tests::{Prosody, child};

/// Kills in `make test`.
const SHORT: u64 = 24;

/// Rounds of the long form that are under way together.
const ROUNDS_AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_instant_loses_nothing_and_tells_nothing_twice() {
    if let Some(part) = child::part() {
        return life::run(&part).await;
    }
    let server = Prosody::builder().one_step_login().quiet();
    let server = Arc::new(server.start().await.unwrap());
    let mut slice = Slice::begin("s1", SHORT);
    let run = |seed| {
        let server = Arc::clone(&server);
        async move { round::run(&server, seed).await }
    };
    let judge = |slice: &mut Slice, seed, faults: Vec<String>| {
        for fault in &faults {
            println!("s1 seed {seed}: {fault}");
        }
        match faults.is_empty() {
            true => slice.good(round::KILLS),
            false => slice.bad(),
        }
    };
    slice.rounds(ROUNDS_AT_ONCE, run, judge).await;
    slice.end();
}
