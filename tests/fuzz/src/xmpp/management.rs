//! Stream management (XEP-0198): whatever the server acknowledges and the store makes durable.

use std::collections::BTreeSet;

use eft_types::Timestamp;
use eft_xmpp::stream::{AckPolicy, Management, StanzaSeq};

use crate::input::{Input, Seed};

/// `h` names a contiguous prefix of what is durable and never goes back; what the server did not acknowledge is
/// kept in order, over any number of connections.
pub(crate) fn run(data: &[u8]) {
    let input = &mut Input::new(data);
    let mut streams = Streams::default();
    while !input.is_empty() {
        streams.step(input);
    }
}

/// The machine beside a model of what it should say.
#[derive(Default)]
struct Streams {
    management: Management,
    received: Vec<StanzaSeq>,
    durable: BTreeSet<usize>,
    /// `h` when this connection began.
    base: u32,
    /// Tokens sent and not acknowledged.
    waiting: Vec<u64>,
    token: u64,
    now: i64,
}

impl Streams {
    fn step(&mut self, input: &mut Input<'_>) {
        let before = self.management.inbound.handled();
        match input.byte() % 10 {
            0 => self.received.push(self.management.inbound.receive()),
            1 => {
                if let Some(at) = input.place(self.received.len()) {
                    self.management.inbound.settle(self.received[at]).unwrap();
                    self.durable.insert(at);
                }
            }
            2 => {
                if let Some(at) = input.place(self.received.len()) {
                    let seq = self.received[at];
                    self.management.inbound.durable_up_to(seq).unwrap();
                    self.durable.extend(0..=at);
                }
            }
            3 => {
                let answered = self.management.inbound.answer_request();
                assert_eq!(answered, self.management.inbound.handled());
            }
            4 => {
                let every = u64::from(input.byte());
                if let Some(h) = self.management.inbound.poll_ack(every) {
                    assert_eq!(h, self.management.inbound.handled());
                    assert_eq!(self.management.inbound.poll_final_ack(), None, "told twice");
                }
            }
            5 => self.send(usize::from(input.byte())),
            6 => self.acknowledge(input.u32()),
            7 => {
                let all = u32::try_from(self.waiting.len()).unwrap() + 1;
                let send_count = self.management.outbound.send_count();
                let count = u32::from(input.u16()) % (all + 1);
                self.acknowledge(send_count.wrapping_add(1).wrapping_sub(count));
            }
            8 => self.ask(input),
            _ => self.resume(input),
        }
        let inbound = &self.management.inbound;
        let prefix = (0..).take_while(|at| self.durable.contains(at)).count();
        assert_eq!(
            inbound.handled(),
            self.base.wrapping_add(u32::try_from(prefix).unwrap()),
            "h names something else than what is durable"
        );
        assert!(
            inbound.handled().wrapping_sub(before) < 1 << 31,
            "h goes back"
        );
        assert_eq!(
            inbound.pending_count(),
            u64::try_from(self.received.len() - prefix).unwrap()
        );
        let kept = self.management.outbound.unacked();
        assert!(
            kept.iter()
                .map(|stanza| stanza.token)
                .eq(self.waiting.iter().copied().map(Some))
        );
    }

    fn send(&mut self, count: usize) {
        for _ in 0..count {
            self.token += 1;
            let now = Timestamp::from_millis(self.now);
            let full = self.management.outbound.is_full();
            let queued =
                self.management
                    .outbound
                    .enqueue("<message/>".into(), Some(self.token), now);
            assert_eq!(queued.is_err(), full);
            if queued.is_ok() {
                self.waiting.push(self.token);
            }
        }
    }

    fn acknowledge(&mut self, h: u32) {
        let before = self.management.outbound.send_count();
        match self.management.outbound.handle_ack(h) {
            Ok(acked) => {
                let expected = self.waiting.drain(..acked.len()).map(Some);
                assert!(acked.iter().map(|stanza| stanza.token).eq(expected));
                assert_eq!(
                    before.wrapping_sub(h),
                    u32::try_from(self.waiting.len()).unwrap()
                );
            }
            Err(error) => assert_eq!((error.h, error.send_count), (h, before)),
        }
        assert_eq!(self.management.outbound.send_count(), before);
    }

    fn ask(&mut self, input: &mut Input<'_>) {
        self.now += i64::from(input.u16());
        let policy = AckPolicy::default();
        let now = Timestamp::from_millis(self.now);
        if self.management.outbound.wants_request(policy, now) {
            assert!(!self.waiting.is_empty(), "asks about nothing");
            self.management.outbound.note_request();
            assert!(!self.management.outbound.wants_request(policy, now));
        }
    }

    /// The connection is lost, and another takes the stream up where the server says.
    fn resume(&mut self, input: &mut Input<'_>) {
        let send_count = self.management.outbound.send_count();
        let state = std::mem::take(&mut self.management).into_resumable();
        let impossible = Management::resumed(state.clone(), send_count.wrapping_add(1));
        assert!(impossible.is_err(), "the server has what was never sent");
        let count = input.place(self.waiting.len() + 1).unwrap_or_default();
        let h = state.acked.wrapping_add(u32::try_from(count).unwrap());
        self.base = state.handled;
        let (management, resumed_at) = Management::resumed(state, h).unwrap();
        let expected = self.waiting.drain(..count).map(Some);
        assert!(
            resumed_at
                .acked
                .iter()
                .map(|stanza| stanza.token)
                .eq(expected)
        );
        assert_eq!(resumed_at.beyond_known, 0);
        self.management = management;
        self.received.clear();
        self.durable.clear();
    }
}

/// An ordinary stream, and one that ends and goes on.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let ordinary = [0, 0, 0, 1, 0, 1, 3, 2, 0, 0, 4, 1, 5, 3, 8, 2, 0, 7, 0, 2];
    let resumed = [
        0, 0, 2, 0, 0, 5, 9, 0, 4, 9, 0, 0, 0, 2, 0, 0, 7, 0, 4, 9, 0, 1, 5, 1, 7, 0, 1,
    ];
    let impossible = [5, 2, 6, 255, 255, 255, 255, 6, 0, 0, 0, 9, 7, 0, 0];
    let full = [5, 255, 5, 255, 5, 255, 8, 0, 0, 7, 0, 1];
    [&ordinary[..], &resumed, &impossible, &full]
        .map(|steps| Seed::new().rest(steps).into_bytes())
        .to_vec()
}
