//! Who waits to hear whether the server is there.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::event::CloseReason;
use super::shared::Shared;
use crate::stream::{Liveness, Question};

/// Questions and who waits for their answers.
#[derive(Debug, Default)]
pub(super) struct Probes {
    pub(super) liveness: Liveness,
    waiting: Vec<(Question, oneshot::Sender<()>)>,
}

impl Probes {
    fn tell(&mut self) {
        let (answered, waiting) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(question, _)| self.liveness.is_answered(*question));
        self.waiting = waiting;
        let answered: Vec<(Question, oneshot::Sender<()>)> = answered;
        for (_, teller) in answered {
            // Whoever asked may have stopped to wait.
            let _ = teller.send(());
        }
    }
}

impl Shared {
    /// Locked for arithmetic only, and within it no other lock is taken.
    pub(super) fn probes(&self) -> MutexGuard<'_, Probes> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, with a deadline for the whole connection.
    pub(super) fn ask(&self, deadline: Duration) -> oneshot::Receiver<()> {
        let (teller, answer) = oneshot::channel();
        let millis = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
        let mut probes = self.probes();
        let question = probes.liveness.ask(self.now(), millis);
        probes.waiting.push((question, teller));
        drop(probes);
        self.deadline.notify_one();
        self.request_ack();
        answer
    }

    /// An `<a/>` came.
    pub(super) fn note_answer(&self) {
        let mut probes = self.probes();
        probes.liveness.note_answer();
        probes.tell();
    }

    /// The answer to an own ping came.
    pub(super) fn note_answer_to(&self, number: u64) {
        let mut probes = self.probes();
        probes.liveness.note_answer_to(number);
        probes.tell();
    }

    /// From here until [`Self::listens`] the reader waits for the client.
    pub(super) fn stops_listening(&self) {
        self.is_deaf.store(true, Ordering::Release);
    }

    /// The reader reads again.
    pub(super) fn listens(&self) {
        self.is_deaf.store(false, Ordering::Release);
    }

    /// Returns when a deadline has passed without an answer.
    pub(super) async fn silence_past_deadline(&self) -> CloseReason {
        loop {
            let due = self.probes().liveness.next_deadline();
            let wait = async {
                match due {
                    Some(due) => {
                        let millis = u64::try_from(due.millis_since(self.now())).unwrap_or(0);
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                    }
                    None => core::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = self.deadline.notified() => continue,
            }
            let now = self.now();
            let mut probes = self.probes();
            if !probes.liveness.is_silent(now) {
                continue;
            }
            if !self.is_deaf.load(Ordering::Acquire) {
                return CloseReason::Silent;
            }
            // The answer may stand behind events that nobody has taken.
            probes.liveness.begin_anew(now);
        }
    }
}
