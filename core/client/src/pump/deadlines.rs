//! What is due at a time, and when that is.

use tokio::time::Instant;

use super::Pump;
use super::link::Link;
use super::waking::Waking;
use crate::clock;
use crate::error::Error;

impl Pump {
    /// Deadlines that are over.
    pub(super) fn handle_timeout(&mut self) -> Result<(), Error> {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.retry_at = None;
            self.begin_connecting();
        }
        self.probe_silence();
        self.index_when_idle()?;
        self.look_for_push()?;
        let expired = match self.link.as_mut() {
            Some(link) => link.expire_requests(clock::now()),
            None => Vec::new(),
        };
        for answer in expired {
            self.handle_answer(answer)?;
        }
        Ok(())
    }

    /// When [`Pump::handle_timeout`] has something to do.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let request = self
            .link
            .as_ref()
            .and_then(Link::request_deadline)
            .map(|at| {
                let millis = at.millis_since(clock::now()).max(0);
                Instant::now() + std::time::Duration::from_millis(millis.unsigned_abs())
            });
        let list = self
            .link
            .as_ref()
            .and_then(|link| link.lists.retry_at(Instant::now()));
        let wake = self.waking.as_ref().map(Waking::deadline);
        [
            self.retry_at,
            request,
            list,
            wake,
            self.silence_deadline(),
            self.index_at(),
            self.push_test_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
