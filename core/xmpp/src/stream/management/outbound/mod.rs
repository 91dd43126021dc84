//! What we sent, until the server says that it has it.

use std::collections::VecDeque;
use std::sync::Arc;

use eft_types::Timestamp;

use crate::limits::MAX_UNACKED;

/// A stanza that the server has not acknowledged.
#[derive(Clone, PartialEq, Eq)]
pub struct Unacked {
    /// Its place among the stanzas of this stream, from 1, modulo 2³² (XEP-0198 §4): the server has
    /// it once its `h` has come this far.
    pub number: u32,
    /// Its text, for sending it again. Never in Debug: it holds message content.
    pub text: Arc<str>,
    /// The caller's own name for it.
    pub token: Option<u64>,
    /// When it was queued: the stamp of a `<delay/>` if it is sent again on another stream.
    pub queued_at: Timestamp,
}

impl core::fmt::Debug for Unacked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            number,
            text,
            token,
            queued_at,
        } = self;
        f.debug_struct("Unacked")
            .field("number", number)
            .field("bytes", &text.len())
            .field("token", token)
            .field("queued_at", queued_at)
            .finish()
    }
}

/// A stanza that the server now has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The caller's own name for it.
    pub token: Option<u64>,
}

/// The server acknowledged stanzas that were never sent, or took back an acknowledgement. The
/// stream must end with `<handled-count-too-high/>` (XEP-0198 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server handled {h}, but only {send_count} were sent")]
pub struct HandledCountTooHigh {
    /// What the server said.
    pub h: u32,
    /// What we sent, modulo 2³².
    pub send_count: u32,
}

/// [`MAX_UNACKED`] stanzas wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many unacknowledged stanzas")]
pub struct UnackedFull;

/// When to ask the server what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckPolicy {
    /// Ask after this many stanzas.
    pub stanza_count: u32,
    /// Ask this long after the first stanza that no request covers.
    pub delay_millis: u32,
}

impl Default for AckPolicy {
    /// Ten stanzas, or half a second after the first: "sent" turns into a tick without a request
    /// per message, and a burst costs one.
    fn default() -> Self {
        Self {
            stanza_count: 10,
            delay_millis: 500,
        }
    }
}

/// Sent stanzas in order.
#[derive(Debug, Default)]
pub struct OutboundQueue {
    /// The server's last `h`.
    acked: u32,
    /// The number given last.
    sent: u32,
    /// Oldest first. Numbers rise; they have gaps only in a queue that was read from disk, where
    /// stanzas without durable effect are not kept.
    unacked: VecDeque<Unacked>,
    /// Stanzas at the end of `unacked` that no `<r/>` covers.
    unrequested_count: u32,
    /// When the first of them was queued.
    unrequested_since: Option<Timestamp>,
}

/// What the server has of an earlier connection's stanzas, by its `<resumed h=''/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumedAt {
    /// What it has, oldest first.
    pub acked: Vec<Acked>,
    /// Stanzas that it has beyond the last one that we know of: sent by another process, which kept
    /// no trace of them. Zero in the process that had the stream.
    pub beyond_known: u32,
}

/// Half of the range of `h`: what is further ahead is behind.
const HALF: u32 = 1 << 31;

impl OutboundQueue {
    /// Goes on with what an earlier connection left; [`Self::resume_at`] has to follow. `sent` is
    /// the number given last, if this process knows.
    #[must_use]
    pub fn resumed(acked: u32, unacked: Vec<Unacked>, sent: Option<u32>) -> Self {
        let last = unacked.last().map_or(acked, |stanza| stanza.number);
        Self {
            acked,
            sent: sent.unwrap_or(last),
            unacked: unacked.into(),
            ..Self::default()
        }
    }

    /// Takes the `h` of `<resumed/>` (XEP-0198 §5). What is left in the queue is to be written
    /// again, in order, and has new numbers: the server counts on from `h`.
    ///
    /// Whoever keeps the numbers on disk may do so later: an old number is never below the new one,
    /// so that a stanza may be sent twice for it, under the same ids, and never be lost.
    ///
    /// An `h` above what is known is normal if another process had the stream (`knows_all` false),
    /// and an error of the server's in the same process.
    ///
    /// # Errors
    /// [`HandledCountTooHigh`]; nothing is taken from the queue then, and the stream must end.
    pub fn resume_at(&mut self, h: u32, knows_all: bool) -> Result<ResumedAt, HandledCountTooHigh> {
        let ahead = h.wrapping_sub(self.acked);
        let known = self.sent.wrapping_sub(self.acked);
        if ahead >= HALF || (knows_all && ahead > known) {
            return Err(HandledCountTooHigh {
                h,
                send_count: self.sent,
            });
        }
        let acked = self.take_up_to(h);
        for (stanza, number) in self.unacked.iter_mut().zip(1..) {
            stanza.number = h.wrapping_add(number);
        }
        // As many as the queue holds, which never holds 2³².
        self.sent = h.wrapping_add(self.unacked.len() as u32);
        self.unrequested_count = self.unacked.len() as u32;
        self.unrequested_since = self.unacked.front().map(|stanza| stanza.queued_at);
        Ok(ResumedAt {
            acked,
            beyond_known: ahead.saturating_sub(known),
        })
    }

    /// Takes the `h` of `<failed/>`, if it had one: what the server had when it gave the stream up.
    /// Returns that, and the rest for sending again on another stream, under the same ids. An `h`
    /// that cannot be is not believed: what is sent twice does less harm than what is lost.
    #[must_use]
    pub fn give_up(mut self, h: Option<u32>, knows_all: bool) -> (Vec<Acked>, Vec<Unacked>) {
        let acked = h
            .and_then(|h| self.resume_at(h, knows_all).ok())
            .map_or_else(Vec::new, |resumed| resumed.acked);
        (acked, self.unacked.into())
    }

    /// Takes from the front what has a number up to `h`.
    fn take_up_to(&mut self, h: u32) -> Vec<Acked> {
        let ahead = h.wrapping_sub(self.acked);
        let count = self
            .unacked
            .iter()
            .take_while(|stanza| stanza.number.wrapping_sub(self.acked) <= ahead)
            .count();
        self.acked = h;
        self.unacked
            .drain(..count)
            .map(|stanza| Acked {
                token: stanza.token,
            })
            .collect()
    }

    /// Notes a stanza before it is written. Returns its number, modulo 2³².
    ///
    /// # Errors
    /// [`UnackedFull`]: the stanza must not be sent now.
    pub fn enqueue(
        &mut self,
        text: Arc<str>,
        token: Option<u64>,
        now: Timestamp,
    ) -> Result<u32, UnackedFull> {
        if self.is_full() {
            return Err(UnackedFull);
        }
        self.sent = self.sent.wrapping_add(1);
        self.unacked.push_back(Unacked {
            number: self.sent,
            text,
            token,
            queued_at: now,
        });
        self.unrequested_count = self.unrequested_count.saturating_add(1);
        self.unrequested_since.get_or_insert(now);
        Ok(self.sent)
    }

    /// No more stanzas may be sent until the server acknowledges some.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.unacked.len() >= MAX_UNACKED
    }

    /// Stanzas sent since the stream was enabled, modulo 2³².
    #[must_use]
    pub fn send_count(&self) -> u32 {
        self.sent
    }

    /// Takes the `h` of an `<a/>`. Returns what it covers, oldest first.
    ///
    /// # Errors
    /// [`HandledCountTooHigh`]; nothing is taken from the queue then.
    pub fn handle_ack(&mut self, h: u32) -> Result<Vec<Acked>, HandledCountTooHigh> {
        // h counts modulo 2³² (XEP-0198 §4). The queue is far shorter than 2³¹, so the distance is
        // unambiguous, and a count that falls back shows as a huge one.
        if h.wrapping_sub(self.acked) > self.sent.wrapping_sub(self.acked) {
            return Err(HandledCountTooHigh {
                h,
                send_count: self.sent,
            });
        }
        let acked = self.take_up_to(h);
        if self.unacked.is_empty() {
            self.note_request();
        }
        Ok(acked)
    }

    /// Whether to send `<r/>` now.
    #[must_use]
    pub fn wants_request(&self, policy: AckPolicy, now: Timestamp) -> bool {
        self.unrequested_count >= policy.stanza_count.max(1)
            || (self.unrequested_count > 0 && self.is_full())
            || self.next_request(policy).is_some_and(|due| due <= now)
    }

    /// When [`Self::wants_request`] turns true by time alone.
    #[must_use]
    pub fn next_request(&self, policy: AckPolicy) -> Option<Timestamp> {
        self.unrequested_since
            .map(|since| since.saturating_add_millis(policy.delay_millis.into()))
    }

    /// An `<r/>` goes out: it covers everything sent so far.
    pub fn note_request(&mut self) {
        self.unrequested_count = 0;
        self.unrequested_since = None;
    }

    /// What is not acknowledged, oldest first.
    #[must_use]
    pub fn unacked(&self) -> &VecDeque<Unacked> {
        &self.unacked
    }

    pub(super) fn into_parts(self) -> (u32, Vec<Unacked>, u32) {
        (self.acked, self.unacked.into(), self.sent)
    }
}

#[cfg(test)]
mod tests;
