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

/// A queue as another process finds it on disk: only these numbers left a trace.
fn from_disk(acked: u32, numbers: &[u32]) -> OutboundQueue {
    let unacked = numbers
        .iter()
        .map(|number| Unacked {
            number: *number,
            text: "<message/>".into(),
            token: Some((*number).into()),
            queued_at: at(0),
        })
        .collect();
    OutboundQueue::resumed(acked, unacked, None)
}

fn numbers(queue: &OutboundQueue) -> Vec<u32> {
    queue.unacked().iter().map(|stanza| stanza.number).collect()
}

#[test]
fn another_process_counts_on_from_what_the_server_has() {
    // Known: 5 and 9. The server has 7: 5, and two that left no trace.
    let mut queue = from_disk(3, &[5, 9]);
    let at_7 = queue.resume_at(7, false).unwrap();
    assert_eq!((tokens(&at_7.acked), at_7.beyond_known), (vec![5], 0));
    assert_eq!(numbers(&queue), [8], "9 is sent again, as the eighth");
    assert_eq!(queue.enqueue("<iq/>".into(), None, at(0)), Ok(9));
    assert_eq!(tokens(&queue.handle_ack(8).unwrap()), [9]);

    // The server has more than disk knows: normal there, impossible in the same process.
    let mut queue = from_disk(3, &[5, 9]);
    let at_20 = queue.resume_at(20, false).unwrap();
    assert_eq!((tokens(&at_20.acked), at_20.beyond_known), (vec![5, 9], 11));
    assert_eq!(queue.enqueue("<iq/>".into(), None, at(0)), Ok(21));
    let mut same = from_disk(3, &[4, 5]);
    assert_eq!(
        same.resume_at(6, true),
        Err(HandledCountTooHigh {
            h: 6,
            send_count: 5
        })
    );
    assert_eq!(same.unacked().len(), 2);
}

#[test]
fn a_count_that_falls_back_is_an_error_in_every_process() {
    for knows_all in [true, false] {
        for h in [2, 0, u32::MAX, 3u32.wrapping_add(HALF)] {
            let mut queue = from_disk(3, &[4]);
            assert!(queue.resume_at(h, knows_all).is_err(), "{h}");
            assert_eq!(queue.unacked().len(), 1);
        }
    }
}

#[test]
fn numbers_wrap_with_the_count() {
    let mut queue = from_disk(u32::MAX - 1, &[u32::MAX, 1, 2]);
    let resumed = queue.resume_at(0, false).unwrap();
    assert_eq!(tokens(&resumed.acked), [u64::from(u32::MAX)]);
    assert_eq!(numbers(&queue), [1, 2]);
    assert_eq!(tokens(&queue.handle_ack(1).unwrap()), [1]);
}

#[test]
fn a_stream_that_is_given_up_leaves_what_the_server_did_not_have() {
    let give_up = |h, knows_all| {
        let (acked, rest) = from_disk(3, &[4, 5, 6]).give_up(h, knows_all);
        (
            tokens(&acked),
            rest.iter()
                .filter_map(|stanza| stanza.token)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(give_up(Some(5), true), (vec![4, 5], vec![6]));
    assert_eq!(give_up(None, true), (vec![], vec![4, 5, 6]));
    assert_eq!(give_up(Some(90), false), (vec![4, 5, 6], vec![]));
    // Not believed: nothing is lost for a count that cannot be.
    assert_eq!(give_up(Some(90), true), (vec![], vec![4, 5, 6]));
    assert_eq!(give_up(Some(1), false), (vec![], vec![4, 5, 6]));
}

#[test]
fn a_flood_of_acknowledgements_costs_nothing_and_changes_nothing() {
    let mut queue = OutboundQueue::default();
    for token in 0..MAX_UNACKED as u64 {
        send(&mut queue, token, 0);
    }
    queue.handle_ack(7).unwrap();
    let began = std::time::Instant::now();
    for _ in 0..1_000_000 {
        assert!(queue.handle_ack(7).unwrap().is_empty());
    }
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert_eq!(queue.unacked().len(), MAX_UNACKED - 7);
}

#[test]
fn content_stays_out_of_debug() {
    let mut queue = OutboundQueue::default();
    queue
        .enqueue("<message>secret</message>".into(), None, at(0))
        .unwrap();
    assert!(!format!("{queue:?}").contains("secret"));
}

/// What a server saw of a stream: which stanzas, in order.
#[derive(Default)]
struct Server {
    h: u32,
    seen: Vec<u64>,
}

impl Server {
    fn take(&mut self, token: u64) {
        self.h = self.h.wrapping_add(1);
        self.seen.push(token);
    }
}

proptest! {
    /// X9: a process that dies at any point between a write and its acknowledgement. Every
    /// durable stanza reaches the server, in order, and none is sent twice on one stream.
    #[test]
    fn a_stream_that_goes_on_in_new_processes_neither_loses_nor_repeats(
        start in prop_oneof![Just(0), (u32::MAX - 20)..=u32::MAX],
        lives in proptest::collection::vec((proptest::collection::vec(any::<bool>(), 0..12), 0usize..12, 0usize..12), 1..8),
    ) {
        let mut server = Server { h: start, seen: Vec::new() };
        let (mut disk_acked, mut disk): (u32, Vec<Unacked>) = (start, Vec::new());
        let (mut next_token, mut durable) = (0, Vec::new());
        for (stanzas, received, acked) in lives {
            // A new process resumes with what is on disk.
            let mut queue = OutboundQueue::resumed(disk_acked, core::mem::take(&mut disk), None);
            queue.resume_at(server.h, false).unwrap();
            let mut wire: Vec<u64> = queue.unacked().iter().map(|stanza| stanza.token.unwrap()).collect();
            for is_durable in stanzas {
                next_token += 1;
                // Odd: it leaves no trace on disk.
                let token = next_token * 2 + u64::from(!is_durable);
                queue.enqueue("<message/>".into(), Some(token), at(0)).unwrap();
                wire.push(token);
                if is_durable {
                    durable.push(token);
                }
            }
            // The connection breaks after some of the bytes, and the process dies.
            let before = server.h;
            wire.iter().take(received).for_each(|token| server.take(*token));
            let news = server.h.wrapping_sub(before).min(u32::try_from(acked).unwrap());
            queue.handle_ack(before.wrapping_add(news)).unwrap();
            let (acked, unacked, _) = queue.into_parts();
            disk_acked = acked;
            disk = unacked.into_iter().filter(|stanza| stanza.token.unwrap() % 2 == 0).collect();
        }
        let mut queue = OutboundQueue::resumed(disk_acked, disk, None);
        queue.resume_at(server.h, false).unwrap();
        queue.unacked().iter().for_each(|stanza| server.take(stanza.token.unwrap()));
        let seen: Vec<u64> = server.seen.into_iter().filter(|token| token % 2 == 0).collect();
        prop_assert_eq!(seen, durable, "each once, in order");
    }

    /// Against an unbounded count, from any starting point of h.
    #[test]
    fn every_stanza_is_acknowledged_exactly_once_in_order_across_the_wrap(
        start in prop_oneof![any::<u32>(), (u32::MAX - 20)..=u32::MAX],
        steps in proptest::collection::vec((any::<bool>(), 0u32..12), 0..80),
    ) {
        let mut queue = OutboundQueue::resumed(start, Vec::new(), Some(start));
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
