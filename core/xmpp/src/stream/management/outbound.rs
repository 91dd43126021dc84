//! What we sent, until the server says that it has it.

use std::collections::VecDeque;
use std::sync::Arc;

use eft_types::Timestamp;

use crate::limits::MAX_UNACKED;

/// A stanza that the server has not acknowledged.
#[derive(Clone, PartialEq, Eq)]
pub struct Unacked {
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
            text,
            token,
            queued_at,
        } = self;
        f.debug_struct("Unacked")
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
    unacked: VecDeque<Unacked>,
    /// Stanzas at the end of `unacked` that no `<r/>` covers.
    unrequested_count: u32,
    /// When the first of them was queued.
    unrequested_since: Option<Timestamp>,
}

impl OutboundQueue {
    /// Goes on with what an earlier connection left.
    #[must_use]
    pub fn resumed(acked: u32, unacked: Vec<Unacked>) -> Self {
        Self {
            acked,
            unacked: unacked.into(),
            ..Self::default()
        }
    }

    /// Notes a stanza before it is written.
    ///
    /// # Errors
    /// [`UnackedFull`]: the stanza must not be sent now.
    pub fn enqueue(
        &mut self,
        text: Arc<str>,
        token: Option<u64>,
        now: Timestamp,
    ) -> Result<(), UnackedFull> {
        if self.is_full() {
            return Err(UnackedFull);
        }
        self.unacked.push_back(Unacked {
            text,
            token,
            queued_at: now,
        });
        self.unrequested_count = self.unrequested_count.saturating_add(1);
        self.unrequested_since.get_or_insert(now);
        Ok(())
    }

    /// No more stanzas may be sent until the server acknowledges some.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.unacked.len() >= MAX_UNACKED
    }

    /// Stanzas sent since the stream was enabled, modulo 2³².
    #[must_use]
    pub fn send_count(&self) -> u32 {
        // At most MAX_UNACKED.
        self.acked.wrapping_add(self.unacked.len() as u32)
    }

    /// Takes the `h` of an `<a/>`, `<resumed/>` or `<failed/>`. Returns what it covers, oldest
    /// first.
    ///
    /// # Errors
    /// [`HandledCountTooHigh`]; nothing is taken from the queue then.
    pub fn handle_ack(&mut self, h: u32) -> Result<Vec<Acked>, HandledCountTooHigh> {
        // h counts modulo 2³² (XEP-0198 §4). The queue is far shorter than 2³¹, so the distance is
        // unambiguous, and a count that falls back shows as a huge one.
        let count = h.wrapping_sub(self.acked) as usize;
        if count > self.unacked.len() {
            return Err(HandledCountTooHigh {
                h,
                send_count: self.send_count(),
            });
        }
        self.acked = h;
        let acked = self
            .unacked
            .drain(..count)
            .map(|stanza| Acked {
                token: stanza.token,
            })
            .collect();
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

    pub(super) fn into_parts(self) -> (u32, Vec<Unacked>) {
        (self.acked, self.unacked.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn send(queue: &mut OutboundQueue, token: u64, now: i64) {
        queue
            .enqueue("<message/>".into(), Some(token), at(now))
            .unwrap();
    }

    fn tokens(acked: &[Acked]) -> Vec<u64> {
        acked.iter().filter_map(|acked| acked.token).collect()
    }

    #[test]
    fn acknowledged_stanzas_come_back_by_their_token() {
        let mut queue = OutboundQueue::default();
        for token in 1..=3 {
            send(&mut queue, token, 0);
        }
        assert_eq!(tokens(&queue.handle_ack(2).unwrap()), [1, 2]);
        assert_eq!(tokens(&queue.handle_ack(2).unwrap()), [0u64; 0]);
        assert_eq!(tokens(&queue.handle_ack(3).unwrap()), [3]);
    }

    #[test]
    fn a_count_beyond_what_was_sent_or_behind_what_was_acknowledged_is_an_error() {
        let mut queue = OutboundQueue::default();
        send(&mut queue, 1, 0);
        assert_eq!(
            queue.handle_ack(2),
            Err(HandledCountTooHigh {
                h: 2,
                send_count: 1
            })
        );
        assert_eq!(
            queue.handle_ack(u32::MAX),
            Err(HandledCountTooHigh {
                h: u32::MAX,
                send_count: 1
            })
        );
        queue.handle_ack(1).unwrap();
        assert_eq!(
            queue.handle_ack(0),
            Err(HandledCountTooHigh {
                h: 0,
                send_count: 1
            })
        );
    }

    #[test]
    fn a_request_is_due_by_count_or_by_time_and_once() {
        let policy = AckPolicy {
            stanza_count: 2,
            delay_millis: 100,
        };
        let mut queue = OutboundQueue::default();
        assert!(!queue.wants_request(policy, at(1000)));
        send(&mut queue, 1, 1000);
        assert!(!queue.wants_request(policy, at(1099)));
        assert_eq!(queue.next_request(policy), Some(at(1100)));
        assert!(queue.wants_request(policy, at(1100)));
        send(&mut queue, 2, 1001);
        assert!(queue.wants_request(policy, at(1001)));
        queue.note_request();
        assert!(!queue.wants_request(policy, at(9999)));
        assert_eq!(queue.next_request(policy), None);
    }

    #[test]
    fn a_server_that_never_acknowledges_stops_the_sender() {
        let mut queue = OutboundQueue::default();
        for token in 0..MAX_UNACKED as u64 {
            send(&mut queue, token, 0);
        }
        assert_eq!(
            queue.enqueue("<message/>".into(), None, at(0)),
            Err(UnackedFull)
        );
        queue.handle_ack(1).unwrap();
        assert!(queue.enqueue("<message/>".into(), None, at(0)).is_ok());
    }

    #[test]
    fn content_stays_out_of_debug() {
        let mut queue = OutboundQueue::default();
        queue
            .enqueue("<message>secret</message>".into(), None, at(0))
            .unwrap();
        assert!(!format!("{queue:?}").contains("secret"));
    }

    proptest! {
        /// Against an unbounded count, from any starting point of h.
        #[test]
        fn every_stanza_is_acknowledged_exactly_once_in_order_across_the_wrap(
            start in prop_oneof![any::<u32>(), (u32::MAX - 20)..=u32::MAX],
            steps in proptest::collection::vec((any::<bool>(), 0u32..12), 0..80),
        ) {
            let mut queue = OutboundQueue::resumed(start, Vec::new());
            let (mut sent, mut acked) = (0u64, 0u64);
            for (is_send, amount) in steps {
                if is_send {
                    send(&mut queue, sent, 0);
                    sent += 1;
                } else {
                    let outstanding = (sent - acked) as u32;
                    let h = start.wrapping_add(acked as u32).wrapping_add(amount);
                    let result = queue.handle_ack(h);
                    if amount > outstanding {
                        prop_assert!(result.is_err());
                    } else {
                        let expected: Vec<u64> = (acked..acked + u64::from(amount)).collect();
                        prop_assert_eq!(tokens(&result.unwrap()), expected);
                        acked += u64::from(amount);
                    }
                }
                prop_assert_eq!(queue.unacked().len() as u64, sent - acked);
                prop_assert_eq!(queue.send_count(), start.wrapping_add(sent as u32));
            }
        }
    }
}
