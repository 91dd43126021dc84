//! Slices of the campaigns that are too long for one run of the tests. `make soak WHAT=s2` (or `s4`) runs a test of
//! this crate for longer, and reads the line that it ends with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Names the campaign that is to run long.
const WHAT: &str = "EFT_SOAK";
/// For how many minutes.
const MINUTES: &str = "EFT_SOAK_MINUTES";
/// The first seed; the others follow it.
const SEED: &str = "EFT_SOAK_SEED";

/// One run of a campaign: seeds, one after the other, until enough was counted or the time is up.
pub(crate) struct Slice {
    name: &'static str,
    first_seed: u64,
    next_seed: u64,
    enough: u64,
    end: Option<Instant>,
    pub(crate) count: u64,
    violations: u64,
}

impl Slice {
    /// Begins. The short form, the one of every test run, begins with `seed` and ends once `enough` is counted.
    pub(crate) fn begin(name: &'static str, seed: u64, enough: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_long = std::env::var(WHAT).is_ok_and(|what| what == name);
        let minutes = || Duration::from_secs(60 * number(MINUTES).unwrap_or(25));
        let first_seed = match is_long {
            true => number(SEED).unwrap_or(1),
            false => seed,
        };
        Self {
            name,
            first_seed,
            next_seed: first_seed,
            enough,
            end: is_long.then(|| Instant::now() + minutes()),
            count: 0,
            violations: 0,
        }
    }

    pub(crate) const fn is_long(&self) -> bool {
        self.end.is_some()
    }

    /// Runs `work` for seed after seed; it answers how much it did. What it panics about counts as a violation, and is
    /// told by the panic itself.
    pub(crate) fn run(mut self, mut work: impl FnMut(u64) -> u64) {
        loop {
            let done = match self.end {
                Some(end) => Instant::now() >= end,
                None => self.count >= self.enough || self.violations > 0,
            };
            if done {
                break;
            }
            let seed = self.next_seed;
            self.next_seed += 1;
            match catch_unwind(AssertUnwindSafe(|| work(seed))) {
                Ok(count) => self.count += count,
                Err(_) => self.violations += 1,
            }
        }
        let Self {
            name,
            first_seed,
            next_seed,
            count,
            violations,
            ..
        } = self;
        println!(
            "soak {name} seeds={first_seed}..{next_seed} count={count} violations={violations}"
        );
        assert_eq!(violations, 0, "{name}");
    }
}
