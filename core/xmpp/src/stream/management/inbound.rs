//! What the server sent, and how much of it we may acknowledge.
//!
//! `h` tells the server what it may forget. It therefore names only stanzas that are durable on our
//! side, and as it is one number it names a contiguous prefix: a stanza that needs no durability
//! (presence, an answer to a ping) waits behind an earlier one that does.

use std::collections::BTreeSet;

/// Position of a stanza among those received on one connection, from 1. Never wraps; `h` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StanzaSeq(u64);

impl StanzaSeq {
    /// Stands for a stanza that XEP-0198 does not count. Declaring it changes nothing.
    pub const UNCOUNTED: Self = Self(0);

    /// The number itself.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A stanza was declared durable that has not been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stanza {seq} has not been received; the last one is {received}")]
pub struct NotReceived {
    /// The number given.
    pub seq: u64,
    /// The last number handed out.
    pub received: u64,
}

/// Counts received stanzas.
#[derive(Debug, Default)]
pub struct InboundCounter {
    /// `h` when this connection began.
    base: u32,
    received: u64,
    /// All stanzas up to here are durable or need not be.
    durable: u64,
    /// Declared one by one, all above `durable`.
    declared: BTreeSet<u64>,
    /// What the server has been told.
    reported: u64,
    /// `received` at the last `<r/>` that was answered with less.
    asked_at: Option<u64>,
}

impl InboundCounter {
    /// Goes on from the `h` of an earlier connection.
    #[must_use]
    pub fn resumed(handled: u32) -> Self {
        Self {
            base: handled,
            ..Self::default()
        }
    }

    /// Counts a stanza (message, presence or iq; nonzas do not count).
    pub fn receive(&mut self) -> StanzaSeq {
        self.received += 1;
        StanzaSeq(self.received)
    }

    /// Declares this stanza and every earlier one durable.
    ///
    /// # Errors
    /// [`NotReceived`]: nothing is declared then.
    pub fn durable_up_to(&mut self, seq: StanzaSeq) -> Result<(), NotReceived> {
        self.known(seq)?;
        if seq.0 > self.durable {
            self.durable = seq.0;
            self.declared = self.declared.split_off(&(seq.0 + 1));
            self.advance();
        }
        Ok(())
    }

    /// Declares this one stanza: it has no durable effect, or its effect is durable. It counts once
    /// all earlier ones do.
    ///
    /// # Errors
    /// [`NotReceived`]: nothing is declared then.
    pub fn settle(&mut self, seq: StanzaSeq) -> Result<(), NotReceived> {
        self.known(seq)?;
        if seq.0 > self.durable {
            self.declared.insert(seq.0);
            self.advance();
        }
        Ok(())
    }

    /// The `h` that may be reported now, modulo 2³² (XEP-0198 §4).
    #[must_use]
    pub fn handled(&self) -> u32 {
        // Truncation is the modulo.
        self.base.wrapping_add(self.durable as u32)
    }

    /// What [`Self::handled`] would be if these were settled too. Numbers that were not received change nothing.
    #[must_use]
    pub fn handled_with(&self, settled: &[StanzaSeq]) -> u32 {
        let mut ahead = self.durable;
        let mut settled: Vec<u64> = settled.iter().map(|seq| seq.0).collect();
        settled.sort_unstable();
        let mut settled = settled.into_iter().peekable();
        while ahead < self.received {
            let next = ahead + 1;
            while settled.next_if(|seq| *seq < next).is_some() {}
            if settled.next_if_eq(&next).is_none() && !self.declared.contains(&next) {
                break;
            }
            ahead = next;
        }
        // Truncation is the modulo.
        self.base.wrapping_add(ahead as u32)
    }

    /// Stanzas received and not yet durable.
    #[must_use]
    pub fn pending_count(&self) -> u64 {
        self.received - self.durable
    }

    /// Answers `<r/>`: the `h` to send at once. If it covers less than was received,
    /// [`Self::poll_ack`] follows up.
    pub fn answer_request(&mut self) -> u32 {
        self.asked_at = (self.durable < self.received).then_some(self.received);
        self.reported = self.durable;
        self.handled()
    }

    /// An `<a/>` that is due without `<r/>`: what the server last asked about has become durable,
    /// or `every` stanzas have since the last report. Marks it as reported.
    pub fn poll_ack(&mut self, every: u64) -> Option<u32> {
        let owed = self.asked_at.is_some_and(|asked| self.durable >= asked);
        let many = self.durable - self.reported >= every.max(1);
        if !owed && !many {
            return None;
        }
        self.poll_final_ack()
    }

    /// The `<a/>` before an orderly end, if there is anything that the server was not told.
    pub fn poll_final_ack(&mut self) -> Option<u32> {
        if self.asked_at.is_some_and(|asked| self.durable >= asked) {
            self.asked_at = None;
        }
        if self.reported == self.durable {
            return None;
        }
        self.reported = self.durable;
        Some(self.handled())
    }

    fn known(&self, seq: StanzaSeq) -> Result<(), NotReceived> {
        if seq.0 > self.received {
            return Err(NotReceived {
                seq: seq.0,
                received: self.received,
            });
        }
        Ok(())
    }

    fn advance(&mut self) {
        while self.declared.remove(&(self.durable + 1)) {
            self.durable += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn received(count: u64) -> (InboundCounter, Vec<StanzaSeq>) {
        let mut counter = InboundCounter::default();
        let seqs = (0..count).map(|_| counter.receive()).collect();
        (counter, seqs)
    }

    #[test]
    fn receiving_alone_acknowledges_nothing() {
        let (mut counter, _) = received(5);
        assert_eq!(counter.handled(), 0);
        assert_eq!(counter.answer_request(), 0);
        assert_eq!(counter.poll_ack(1), None);
    }

    #[test]
    fn a_settled_stanza_does_not_overtake_an_earlier_one() {
        let (mut counter, seqs) = received(4);
        counter.settle(seqs[1]).unwrap();
        counter.settle(seqs[3]).unwrap();
        assert_eq!(counter.handled(), 0);
        counter.durable_up_to(seqs[0]).unwrap();
        assert_eq!(counter.handled(), 2);
        counter.durable_up_to(seqs[2]).unwrap();
        assert_eq!(counter.handled(), 4);
    }

    #[test]
    fn an_answer_that_covered_too_little_is_followed_up() {
        let (mut counter, seqs) = received(3);
        assert_eq!(counter.answer_request(), 0);
        counter.durable_up_to(seqs[1]).unwrap();
        assert_eq!(counter.poll_ack(100), None, "the server asked about three");
        counter.durable_up_to(seqs[2]).unwrap();
        assert_eq!(counter.poll_ack(100), Some(3));
        assert_eq!(counter.poll_ack(100), None);
    }

    #[test]
    fn the_last_report_is_sent_only_if_it_is_news() {
        let (mut counter, seqs) = received(2);
        assert_eq!(counter.poll_final_ack(), None);
        counter.durable_up_to(seqs[0]).unwrap();
        assert_eq!(counter.poll_final_ack(), Some(1));
        assert_eq!(counter.poll_final_ack(), None);
    }

    #[test]
    fn what_would_be_handled_is_what_is_handled_afterwards() {
        for settled in 0_u32..64 {
            for before in 0_u32..64 {
                let (mut counter, seqs) = received(6);
                let chosen = |bits: u32| {
                    let seqs = seqs.iter().enumerate();
                    seqs.filter(move |(at, _)| bits & (1 << at) != 0)
                        .map(|(_, seq)| *seq)
                        .collect::<Vec<_>>()
                };
                for seq in chosen(before) {
                    counter.settle(seq).unwrap();
                }
                let foretold = counter.handled_with(&chosen(settled));
                for seq in chosen(settled) {
                    counter.settle(seq).unwrap();
                }
                assert_eq!(counter.handled(), foretold, "{before:b} and {settled:b}");
            }
        }
        let (counter, _) = received(1);
        assert_eq!(counter.handled_with(&[StanzaSeq(2)]), 0, "never received");
    }

    #[test]
    fn many_durable_stanzas_are_reported_unasked() {
        let (mut counter, seqs) = received(10);
        counter.durable_up_to(seqs[3]).unwrap();
        assert_eq!(counter.poll_ack(5), None);
        counter.durable_up_to(seqs[4]).unwrap();
        assert_eq!(counter.poll_ack(5), Some(5));
        assert_eq!(counter.poll_ack(5), None);
    }

    #[test]
    fn what_was_never_received_cannot_be_declared() {
        let (mut counter, seqs) = received(1);
        let unknown = StanzaSeq(2);
        assert_eq!(
            counter.durable_up_to(unknown),
            Err(NotReceived {
                seq: 2,
                received: 1
            })
        );
        assert_eq!(
            counter.settle(unknown),
            Err(NotReceived {
                seq: 2,
                received: 1
            })
        );
        assert_eq!(counter.handled(), 0);
        counter.durable_up_to(seqs[0]).unwrap();
        counter.durable_up_to(seqs[0]).unwrap();
        counter.settle(seqs[0]).unwrap();
        assert_eq!(counter.handled(), 1);
    }

    #[test]
    fn h_wraps_at_two_to_the_thirty_second() {
        let mut counter = InboundCounter::resumed(u32::MAX - 1);
        for expected in [u32::MAX, 0, 1] {
            let seq = counter.receive();
            counter.durable_up_to(seq).unwrap();
            assert_eq!(counter.handled(), expected);
        }
    }

    proptest! {
        /// Against the definition: the longest prefix of which every stanza was declared.
        #[test]
        fn h_is_the_longest_declared_prefix_and_never_falls(
            base: u32,
            steps in proptest::collection::vec((0u8..4, 0u64..40), 0..120),
        ) {
            let mut counter = InboundCounter::resumed(base);
            let mut declared: Vec<bool> = Vec::new();
            let mut last = 0u64;
            for (kind, pick) in steps {
                match kind {
                    0 | 1 => {
                        declared.push(false);
                        prop_assert_eq!(counter.receive().as_u64(), declared.len() as u64);
                    }
                    2 => {
                        let result = counter.durable_up_to(StanzaSeq(pick));
                        prop_assert_eq!(result.is_ok(), pick <= declared.len() as u64);
                        if result.is_ok() {
                            declared.iter_mut().take(pick as usize).for_each(|flag| *flag = true);
                        }
                    }
                    _ => {
                        let result = counter.settle(StanzaSeq(pick));
                        prop_assert_eq!(result.is_ok(), pick <= declared.len() as u64);
                        if result.is_ok() && pick > 0 {
                            declared[pick as usize - 1] = true;
                        }
                    }
                }
                let prefix = declared.iter().take_while(|flag| **flag).count() as u64;
                prop_assert_eq!(counter.handled(), base.wrapping_add(prefix as u32));
                prop_assert_eq!(counter.pending_count(), declared.len() as u64 - prefix);
                prop_assert!(prefix >= last);
                last = prefix;
            }
        }
    }
}
