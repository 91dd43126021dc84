//! The engine against python-omemo's engines (oldmemo and twomemo), without XMPP between them: two independent
//! implementations go through the same random schedules and have to agree on every message.
//!
//! The short form runs with every `make test`. `make soak WHAT=differential` and `WHAT=xeddsa` run for longer, from
//! a seed of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, also in its helpers"
)]

mod device;
mod exchange;
mod python;
mod schedule;
mod signatures;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};

use eft_omemo::Version;
use eft_tests::soak::Slice;
use eft_types::{BareJid, DeviceAddress, DeviceId};

use device::Device;
use python::Python;
use schedule::Schedule;
use tally::Tally;

/// Schedules of each version in the short form.
const SHORT: u64 = 40;

fn other() -> DeviceAddress {
    DeviceAddress::new(
        BareJid::new("self@python.example").unwrap(),
        DeviceId::new(4_000_000_001).unwrap(),
    )
}

#[test]
fn both_implementations_agree_on_every_schedule_in_both_versions() {
    let mut slice = Slice::begin("differential", 2 * SHORT);
    let mut python = Python::start();
    let eft = Device::install("eft@rust.example", 1);
    let mut total = Tally::default();
    while let Some(seed) = slice.next() {
        for version in [Version::Legacy, Version::Omemo2] {
            let schedule = Schedule::new(version, &mut python, eft.clone(), other(), seed);
            match catch_unwind(AssertUnwindSafe(|| schedule.run())) {
                Ok(tally) => {
                    total += tally;
                    slice.good(1);
                }
                Err(_) => {
                    println!("{version:?} with seed {seed} differs");
                    slice.bad();
                    // Its state is unknown now.
                    python = Python::start();
                }
            }
        }
    }
    println!("{total:?}");
    slice.end();
    assert!(total.repeated > 0 && total.spoiled > 0 && total.lost > 0 && total.restarts > 0);
}

#[test]
fn both_implementations_agree_on_signatures_of_either_sign() {
    let mut slice = Slice::begin("xeddsa", 2000);
    let mut python = Python::start();
    while let Some(seed) = slice.next() {
        slice.good(signatures::compare(&mut python, seed, 1000));
    }
    slice.end();
}
