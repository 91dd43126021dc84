//! XEP-0198 stream management as arithmetic: no stanza is parsed and nothing is sent here.

mod inbound;
mod outbound;
mod stream_record;

pub use inbound::{InboundCounter, NotReceived, StanzaSeq};
pub use outbound::{
    AckPolicy, Acked, HandledCountTooHigh, OutboundQueue, ResumedAt, Unacked, UnackedFull,
};
pub use stream_record::{LostStream, StreamRecord};

/// Both directions of one managed stream.
#[derive(Debug, Default)]
pub struct Management {
    /// What the server sent.
    pub inbound: InboundCounter,
    /// What we sent.
    pub outbound: OutboundQueue,
}

/// Everything that a stream needs to be resumed, in this process or another (XEP-0198 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumableState {
    /// `h` for `<resume/>`: only what is durable.
    pub handled: u32,
    /// Stanzas that the server has not acknowledged, oldest first.
    pub unacked: Vec<Unacked>,
    /// The server's last acknowledged count.
    pub acked: u32,
    /// The number given last. `None` if this was read from disk, where not every stanza leaves a
    /// trace.
    pub sent: Option<u32>,
}

impl ResumableState {
    /// The process that has this is the one that had the stream, and knows every stanza of it.
    #[must_use]
    pub const fn knows_all(&self) -> bool {
        self.sent.is_some()
    }
}

impl Management {
    /// Counters at the moment of `<enabled/>`: all zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on where an earlier stream stopped: the server answered `<resumed h=''/>`. What is left
    /// in [`OutboundQueue::unacked`] is to be written first.
    ///
    /// # Errors
    /// See [`OutboundQueue::resume_at`]; the stream must end with `<handled-count-too-high/>`.
    pub fn resumed(
        state: ResumableState,
        h: u32,
    ) -> Result<(Self, ResumedAt), HandledCountTooHigh> {
        let knows_all = state.knows_all();
        let mut outbound = OutboundQueue::resumed(state.acked, state.unacked, state.sent);
        let resumed_at = outbound.resume_at(h, knows_all)?;
        let inbound = InboundCounter::resumed(state.handled);
        Ok((Self { inbound, outbound }, resumed_at))
    }

    /// What to keep when the connection is lost.
    #[must_use]
    pub fn into_resumable(self) -> ResumableState {
        let handled = self.inbound.handled();
        let (acked, unacked, sent) = self.outbound.into_parts();
        ResumableState {
            handled,
            unacked,
            acked,
            sent: Some(sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eft_types::Timestamp;

    #[test]
    fn a_lost_connection_keeps_only_what_is_durable_and_unacknowledged() {
        let mut management = Management::new();
        let first = management.inbound.receive();
        let _second = management.inbound.receive();
        management.inbound.durable_up_to(first).unwrap();
        for token in 0..3 {
            let now = Timestamp::from_millis(0);
            management
                .outbound
                .enqueue("<message/>".into(), Some(token), now)
                .unwrap();
        }
        management.outbound.handle_ack(1).unwrap();
        let state = management.into_resumable();
        assert_eq!((state.handled, state.acked), (1, 1));
        assert_eq!(
            state
                .unacked
                .iter()
                .map(|stanza| stanza.token)
                .collect::<Vec<_>>(),
            [Some(1), Some(2)]
        );

        // The server repeats the second stanza, and has meanwhile handled our second.
        let (mut resumed, at) = Management::resumed(state, 2).unwrap();
        assert_eq!(at.acked, [Acked { token: Some(1) }]);
        assert_eq!(at.beyond_known, 0);
        let again = resumed.inbound.receive();
        resumed.inbound.durable_up_to(again).unwrap();
        assert_eq!(resumed.inbound.handled(), 2);
        assert_eq!(resumed.outbound.unacked().len(), 1);
    }
}
