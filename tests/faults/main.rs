//! X10: two phones that write to each other over a network that cuts, resets, stalls and refuses at random, before a
//! real Prosody: no message is lost, none comes twice, and all stand in the order in which they were written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test: what goes wrong has to stop it, and it says what it found"
)]

mod conversation;
mod ear;
mod judgement;
mod weather;

use eft_tests::soak::Slice;

/// Messages of a seed.
const MESSAGES: usize = 2000;
/// Messages in `make test`, all of one seed.
const SHORT: usize = 300;
/// Seeds at a time: much of each is waiting.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_bad_network_nothing_is_lost_or_doubled_or_out_of_order() {
    let mut slice = Slice::begin("x10", u64::try_from(SHORT).unwrap());
    let messages = if slice.is_long() { MESSAGES } else { SHORT };
    let judge = |slice: &mut Slice, seed, report: conversation::Report| {
        println!("x10 seed {seed}: {}", report.summary);
        slice.judge(seed, &report.faults, u64::try_from(messages).unwrap());
    };
    let run = move |seed| conversation::run(seed, messages);
    slice.rounds(AT_ONCE, run, judge).await;
    slice.end();
}

/// With `EFT_LONG`, 100,000 messages between the same two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_bad_network_a_long_conversation_stays_whole() {
    let messages = match std::env::var_os("EFT_LONG") {
        Some(_) => 100_000,
        None => SHORT,
    };
    let report = conversation::run(1_000_000, messages).await;
    println!("{messages} messages: {}", report.summary);
    assert!(report.faults.is_empty(), "{:#?}", report.faults);
}
