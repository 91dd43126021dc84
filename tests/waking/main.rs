//! Pushes wake an extension while the app comes and goes, on a real Prosody, and either is killed at any instant: every
//! message is shown, and none under two ids.
//!
//! What is *shown* is what the user saw: a notification that either process posted, a line that the app in the foreground
//! drew when the message came, or one that it drew because it was unread when the app was opened. What only stands in
//! the database was not shown. Two things are asked:
//!
//! - In the end every message was shown.
//! - Whoever answers a push with "nothing more came" has posted everything that the server had before that push. Left out
//!   is what came while the app was in the foreground and was killed there: the user sees it when the app is opened again.
//!
//! Pushes come at random instants, not from the server: they may come late, twice, or for nothing, and Prosody sends one a
//! second at most. Those that really come from servers are in `tests/scenarios/servers`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: what goes wrong has to stop it, and says so"
)]

mod app;
mod extension;
mod judge;
mod line;
mod round;
mod screen;
mod stage;

use std::sync::Arc;

use eft_bench::figures::Figures;
use eft_tests::soak::Slice;
use eft_tests::{Prosody, child};

/// Pushes in `make test`.
const SHORT: u64 = 100;

/// Rounds of the long form that are under way together.
const ROUNDS_AT_ONCE: usize = 3;

/// If it is there, the figures are written: `make bench`, in the profile that ships.
const FIGURES: &str = "EFT_FIGURES";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_a_push_wakes_and_whoever_is_killed_every_message_is_shown_once() {
    match child::part().as_deref() {
        Some(app::PART) => return app::run().await,
        Some(extension::PART) => return extension::run().await,
        Some(part) => panic!("no part {part}"),
        None => {}
    }
    let server = Arc::new(Prosody::builder().one_step_login().start().await.unwrap());
    let mut slice = Slice::begin("wake", SHORT);
    let mut sum = judge::Verdict::default();
    let run = |seed| {
        let server = Arc::clone(&server);
        async move { round::run(&server, seed).await }
    };
    let judge = |slice: &mut Slice, seed, verdict: judge::Verdict| {
        println!("wake seed {seed}: {}", verdict.summary());
        slice.judge(seed, &verdict.faults, verdict.pushes);
        sum.add(verdict);
    };
    slice.rounds(ROUNDS_AT_ONCE, run, judge).await;
    println!("wake: {}", sum.summary());
    if std::env::var_os(FIGURES).is_some() {
        write_figures(&sum);
    }
    slice.end();
}

fn write_figures(sum: &judge::Verdict) {
    let mut figures = Figures::new();
    let mut add = |name: &'static str, count: u64| {
        let count = u32::try_from(count).map_or(f64::MAX, f64::from);
        figures.add(name, count, Some(0.0), sum.summary());
    };
    add("wake.lost", sum.lost);
    add("wake.duplicate", sum.duplicate);
    println!("{}", figures.table());
    println!("{}", figures.write().unwrap().display());
}
