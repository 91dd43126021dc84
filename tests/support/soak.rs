//! Slices of campaigns that are too long for one run of the tests.
//!
//! A test is a campaign's short form. `make soak WHAT=name` runs it for longer: it names the campaign, the time and
//! the first seed in the environment, reads the summary line, and writes the ledger.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// Names the campaign that is to run long.
const WHAT: &str = "EFT_SOAK";
/// For how many minutes.
const MINUTES: &str = "EFT_SOAK_MINUTES";
/// The first seed; the others follow it.
const SEED: &str = "EFT_SOAK_SEED";

/// One run of a campaign: it hands out seeds until its time or its count is up, and then says what it did.
#[derive(Debug)]
pub struct Slice {
    name: &'static str,
    first_seed: u64,
    next_seed: u64,
    end: End,
    count: u64,
    violations: u64,
}

#[derive(Debug)]
enum End {
    /// The short form: after so many.
    Count(u64),
    /// The long form.
    At(Instant),
}

impl Slice {
    /// Begins the slice of campaign `name`. Its short form, the one of `make test`, ends once `short` are counted
    /// and always has the same seeds.
    #[must_use]
    pub fn begin(name: &'static str, short: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let long = std::env::var(WHAT).is_ok_and(|what| what == name);
        let (seed, end) = if long {
            let time = Duration::from_secs(60 * number(MINUTES).unwrap_or(25));
            (number(SEED).unwrap_or(1), End::At(Instant::now() + time))
        } else {
            (1, End::Count(short))
        };
        Self {
            name,
            first_seed: seed,
            next_seed: seed,
            end,
            count: 0,
            violations: 0,
        }
    }

    /// Whether this is the long form: several seeds may be under way at once, then.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        matches!(self.end, End::At(_))
    }

    /// Runs each seed's round and judges it, in the order in which they end. In the long form `at_once` rounds are under way
    /// together, for those that wait most of their time.
    ///
    /// # Panics
    /// If a round does.
    pub async fn rounds<V, R>(
        &mut self,
        at_once: usize,
        round: impl Fn(u64) -> R,
        mut judge: impl FnMut(&mut Self, u64, V),
    ) where
        V: Send + 'static,
        R: Future<Output = V> + Send + 'static,
    {
        let at_once = if self.is_long() { at_once } else { 1 };
        let mut rounds = JoinSet::new();
        loop {
            while rounds.len() < at_once
                && let Some(seed) = self.next()
            {
                let round = round(seed);
                rounds.spawn(async move { (seed, round.await) });
            }
            match rounds.join_next().await {
                Some(Ok((seed, verdict))) => judge(self, seed, verdict),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => return,
            }
        }
    }

    /// Prints what was wrong in a round. One without a fault counts for `done`, any other as a violation.
    #[allow(clippy::print_stdout, reason = "whoever runs the campaign reads it")]
    pub fn judge(&mut self, seed: u64, faults: &[String], done: u64) {
        for fault in faults {
            println!("{} seed {seed}: {fault}", self.name);
        }
        match faults.is_empty() {
            true => self.good(done),
            false => self.bad(),
        }
    }

    /// Counts what was done and found good.
    pub const fn good(&mut self, done: u64) {
        self.count += done;
    }

    /// Counts what must not happen.
    pub const fn bad(&mut self) {
        self.violations += 1;
    }

    /// Prints the summary line that the ledger is made of.
    ///
    /// # Panics
    /// If there were violations: a campaign is a test.
    #[allow(
        clippy::print_stdout,
        reason = "the line is read by who started the campaign"
    )]
    pub fn end(self) {
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

/// The seeds.
impl Iterator for Slice {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let done = match self.end {
            End::Count(short) => self.count + self.violations >= short,
            End::At(end) => Instant::now() >= end,
        };
        if done {
            return None;
        }
        let seed = self.next_seed;
        self.next_seed += 1;
        Some(seed)
    }
}

/// Says where two lists that should be the same part.
#[must_use]
pub fn difference<A: AsRef<str>, B: AsRef<str>>(what: &str, found: &[A], expected: &[B]) -> String {
    let at = found
        .iter()
        .zip(expected)
        .position(|(found, expected)| found.as_ref() != expected.as_ref())
        .unwrap_or(found.len().min(expected.len()));
    let name = |list: Option<&str>| list.unwrap_or("nothing").to_owned();
    format!(
        "{what}: {} instead of {}; number {at} is {}, and should be {}",
        found.len(),
        expected.len(),
        name(found.get(at).map(AsRef::as_ref)),
        name(expected.get(at).map(AsRef::as_ref)),
    )
}
