//! Waiting with an end.

use std::future::Future;
use std::time::{Duration, Instant};

/// How often [`wait_for`] looks again.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A moment after which waiting is over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Instant,
    allowed: Duration,
}

impl Deadline {
    /// A deadline `allowed` from now.
    pub fn after(allowed: Duration) -> Self {
        Self {
            started: Instant::now(),
            allowed,
        }
    }

    /// What is left; zero once the deadline is over.
    pub fn remaining(&self) -> Duration {
        self.allowed.saturating_sub(self.started.elapsed())
    }

    /// Whether the deadline is over.
    pub fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// How long we have waited so far.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What was waited for did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("waited {waited:?} for {what}, in vain")]
pub struct TimedOut {
    /// The caller's words for the condition.
    pub what: String,
    /// How long the caller was willing to wait.
    pub waited: Duration,
}

/// Looks at `condition` every 20 ms until it holds; the error names `what`.
///
/// The condition is looked at once more when the time is over, so that a slow machine that was busy elsewhere
/// for the whole span does not fail a condition that holds.
///
/// # Errors
///
/// [`TimedOut`] when `allowed` passed first.
pub async fn wait_for<F, Answer>(
    what: &str,
    allowed: Duration,
    mut condition: F,
) -> Result<(), TimedOut>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = bool>,
{
    let deadline = Deadline::after(allowed);
    loop {
        let last_look = deadline.is_over();
        if condition().await {
            return Ok(());
        }
        if last_look {
            return Err(TimedOut {
                what: what.to_owned(),
                waited: allowed,
            });
        }
        tokio::time::sleep(POLL_INTERVAL.min(deadline.remaining())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn condition_that_comes_true_ends_the_wait() {
        let mut looks = 0;
        let result = wait_for("third look", Duration::from_secs(5), || {
            looks += 1;
            let holds = looks == 3;
            async move { holds }
        })
        .await;
        assert!(result.is_ok());
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    async fn condition_that_never_holds_is_named_in_the_error() {
        let error = wait_for("rain", Duration::from_millis(30), || async { false })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "waited 30ms for rain, in vain");
    }

    #[tokio::test]
    async fn condition_is_looked_at_even_without_time() {
        assert!(
            wait_for("now", Duration::ZERO, || async { true })
                .await
                .is_ok()
        );
    }

    #[test]
    fn deadline_runs_out() {
        let deadline = Deadline::after(Duration::ZERO);
        assert!(deadline.is_over());
        assert_eq!(deadline.remaining(), Duration::ZERO);
        assert!(!Deadline::after(Duration::from_secs(60)).is_over());
    }
}
