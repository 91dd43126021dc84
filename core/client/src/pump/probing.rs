//! Whether the server is still there, and what is done while nothing else is.

use std::time::Duration;

use eft_xmpp::limits::WAKE_PROBE;
use eft_xmpp::stream::ClientState;
use tokio::time::Instant;

use super::Pump;
use super::job::Finding;
use crate::error::Error;

/// How long the acknowledgement of something that was sent may take. A socket whose network is gone takes bytes for
/// minutes; a person who writes wants to know sooner, and a slow cell may take some seconds.
const SENT_PROBE: Duration = Duration::from_secs(15);

/// How long the first answer on a stream that was taken up again may take. If it takes longer, a new stream is begun, which
/// costs a reading of the archive.
const RESUMED_PROBE: Duration = Duration::from_secs(5);

/// How long a connection may be silent while somebody looks at the app. Home routers forget one after five minutes or
/// more. In the background nothing is asked: a push wakes the app.
const LONGEST_SILENCE: Duration = Duration::from_secs(240);

/// How long nothing may happen before work of no hurry is done.
pub(super) const IDLE: Duration = Duration::from_secs(2);

/// Messages put into the search index at once: some milliseconds.
const INDEX_AT_ONCE: usize = 200;

impl Pump {
    /// The network changed, or the process was asleep: a connection has to show that it lives, and a new one is not
    /// waited for.
    pub(super) fn network_changed(&mut self) {
        self.backoff.succeeded();
        if self.link.is_some() {
            self.probe(WAKE_PROBE);
        } else if self.options().is_some() {
            self.retry_at = None;
            self.begin_connecting();
        }
    }

    /// Something was sent: whether it arrived is asked at once.
    pub(super) fn probe_sent(&mut self) {
        self.probe(SENT_PROBE);
    }

    /// A stream was taken up again: whether the server understands us on it is asked at once.
    pub(super) fn probe_resumed(&mut self) {
        self.probe(RESUMED_PROBE);
    }

    /// Asks the server for a sign of life. Without one in time the connection ends, and can be resumed.
    fn probe(&mut self, deadline: Duration) {
        let Some(link) = self.link.as_mut() else {
            return;
        };
        if link.is_probing && deadline > WAKE_PROBE {
            return;
        }
        link.is_probing = true;
        let sender = link.sender();
        self.jobs.spawn(async move {
            // If there is no answer, the connection says so itself.
            Finding::Probed(sender.probe(deadline).await.is_ok())
        });
    }

    /// The server answered. What was sent meanwhile is asked for anew.
    pub(super) fn handle_probed(&mut self, is_answered: bool) {
        let Some(link) = self.link.as_mut() else {
            return;
        };
        link.is_proven |= is_answered;
        link.is_probing = false;
        // Without an answer the connection is over, and says so.
        if is_answered && !link.in_flight.is_empty() {
            self.probe_sent();
        }
    }

    /// When a connection that nobody uses has to show that it lives.
    pub(super) fn silence_deadline(&self) -> Option<Instant> {
        let link = self.link.as_ref()?;
        if link.is_probing || self.client_state == ClientState::Inactive {
            return None;
        }
        let sender = link.sender();
        let longest = sender.limits().longest_silence(LONGEST_SILENCE);
        Some(Instant::now() + longest.saturating_sub(sender.silence()))
    }

    pub(super) fn probe_silence(&mut self) {
        if self
            .silence_deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            self.probe(SENT_PROBE);
        }
    }

    /// Somebody looks at the app, or nobody does any more (XEP-0352).
    pub(super) fn set_active(&mut self, active: bool) {
        self.client_state = if active {
            ClientState::Active
        } else {
            ClientState::Inactive
        };
        if let Some(link) = &self.link {
            link.sender().set_client_state(self.client_state);
        }
    }

    /// When the search index has to follow.
    pub(super) fn index_at(&self) -> Option<Instant> {
        // In the background the phone sleeps; the search reads what the index does not have.
        self.index_due_at
            .filter(|_| self.client_state == ClientState::Active && self.holding.is_held())
    }

    pub(super) fn index_when_idle(&mut self) -> Result<(), Error> {
        if self.index_at().is_none_or(|at| at > Instant::now()) {
            return Ok(());
        }
        let is_all = self.store.index_search(INDEX_AT_ONCE)?;
        // A little at a time: whoever calls meanwhile is served first.
        self.index_due_at = (!is_all).then(Instant::now);
        Ok(())
    }
}
