//! How long to wait before the next attempt to connect.

use std::time::Duration;

use rand::{Rng, RngExt as _};

/// First wait, before jitter.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait, before jitter. A server that was down for a while must not be hit by all its users
/// in the same second, and nobody should wait much longer than a minute after it is back.
const LONGEST: Duration = Duration::from_secs(60);

/// Doubling waits with jitter, from one second to about a minute.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failure_count: u32,
}

impl Backoff {
    /// The connection stands: the next failure starts from the shortest wait again.
    pub(crate) fn succeeded(&mut self) {
        self.failure_count = 0;
    }

    /// Notes a failure; how long to wait now: half to all of the doubled time.
    pub(crate) fn failed(&mut self, rng: &mut impl Rng) -> Duration {
        let doubled = FIRST
            .saturating_mul(1 << self.failure_count.min(6))
            .min(LONGEST);
        self.failure_count = self.failure_count.saturating_add(1);
        let millis = u64::try_from(doubled.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(rng.random_range(millis / 2..=millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn waits_double_up_to_a_minute_and_start_over_after_success() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let mut backoff = Backoff::default();
        let mut longest = Duration::ZERO;
        for attempt in 0..20 {
            let wait = backoff.failed(&mut rng);
            let top = FIRST.saturating_mul(1 << attempt.min(6)).min(LONGEST);
            assert!(wait >= top / 2 && wait <= top, "{attempt}: {wait:?}");
            longest = longest.max(wait);
        }
        assert!(longest > LONGEST / 2);
        backoff.succeeded();
        assert!(backoff.failed(&mut rng) <= FIRST);
    }
}
