//! The outbox, actions, and the stream.

use eft_omemo::{Action, EmptyReason, Version};
use eft_store::{
    Batch, NewOutboxEntry, Opaque, OutboxContent, OutboxId, StreamState, limits::MAX_PAGE_ROWS,
};
use eft_types::DeviceAddress;

use crate::support::*;

fn control(stanza: &str) -> NewOutboxEntry {
    NewOutboxEntry {
        content: OutboxContent::Control,
        stanza: Some(Opaque::new(stanza.as_bytes())),
        to: None,
        queued: at(1),
    }
}

#[test]
fn entries_keep_their_order_and_ids_are_not_used_again() {
    let home = Home::new();
    let mut batch = Batch::new();
    let message = batch.insert_message(ours("hello"));
    let first = batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(message),
        stanza: None,
        to: Some(juliet()),
        queued: at(9),
    });
    let second = batch.enqueue(control("<a/>"));
    let committed = home.commit(&batch);
    let (first, second) = (
        committed.outbox_entry(first).unwrap(),
        committed.outbox_entry(second).unwrap(),
    );
    let entries = home.store.outbox(None, 10).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].id, first);
    assert_eq!(
        entries[0].message,
        committed.message(message).map(|m| m.id())
    );
    assert_eq!(
        (&entries[0].stanza, &entries[0].to),
        (&None, &Some(juliet()))
    );
    assert_eq!(entries[0].queued, at(9));
    assert_eq!((entries[1].message, &entries[1].to), (None, &None));
    assert_eq!(home.store.outbox(Some(first), 10).unwrap(), entries[1..]);

    let mut batch = Batch::new();
    batch.remove_outbox(second);
    batch.remove_outbox(second);
    let third = batch.enqueue(control("<b/>"));
    let third = home.commit(&batch).outbox_entry(third).unwrap();
    assert!(
        third > second,
        "an id that an ack may still name is not given out again"
    );
}

#[test]
fn bytes_are_fixed_once_and_numbers_belong_to_a_stream() {
    let home = Home::new();
    let mut batch = Batch::new();
    let message = batch.insert_message(ours("hello"));
    let entry = batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(message),
        stanza: None,
        to: None,
        queued: at(1),
    });
    let entry = home.commit(&batch).outbox_entry(entry).unwrap();
    let mut batch = Batch::new();
    batch.fix_outbox_bytes(entry, Opaque::new(*b"<message/>"));
    batch.set_outbox_sequence(entry, u32::MAX);
    home.commit(&batch);
    let home = home.reopened();
    let stored = home.store.outbox(None, 1).unwrap().remove(0);
    assert_eq!(stored.stanza, Some(Opaque::new(*b"<message/>")));
    assert_eq!(stored.stream_sequence, Some(u32::MAX));
    let mut batch = Batch::new();
    batch.forget_outbox_sequences();
    home.commit(&batch);
    let stored = home.store.outbox(None, 1).unwrap().remove(0);
    assert_eq!(stored.stream_sequence, None);
    assert!(stored.stanza.is_some(), "the bytes stay");
}

#[test]
fn no_read_returns_more_rows_than_the_limit() {
    let home = Home::new();
    let mut batch = Batch::new();
    for _ in 0..MAX_PAGE_ROWS + 5 {
        batch.enqueue(control("<a/>"));
    }
    home.commit(&batch);
    let page = home.store.outbox(None, usize::MAX).unwrap();
    assert_eq!(page.len(), MAX_PAGE_ROWS);
    let rest = home
        .store
        .outbox(page.last().map(|entry| entry.id), usize::MAX);
    assert_eq!(rest.unwrap().len(), 5);
}

#[test]
fn an_action_is_kept_once_in_its_first_place_until_it_is_done() {
    let home = Home::new();
    let empty = |reason| Action::SendEmpty {
        to: DeviceAddress::new(juliet(), device(7)),
        version: Version::Omemo2,
        reason,
    };
    let publish = Action::PublishBundle {
        version: Version::Legacy,
    };
    let mut batch = Batch::new();
    batch.add_action(empty(EmptyReason::Heartbeat));
    batch.add_action(publish.clone());
    batch.add_action(empty(EmptyReason::KeyExchangeAnswer));
    home.commit(&batch);
    assert_eq!(
        home.store.actions().unwrap(),
        [empty(EmptyReason::KeyExchangeAnswer), publish.clone()]
    );
    let mut batch = Batch::new();
    batch.remove_action(&empty(EmptyReason::NewSession).key());
    batch.remove_action(b"no such action");
    home.commit(&batch);
    assert_eq!(home.store.actions().unwrap(), [publish]);
}

#[test]
fn stream_counters_move_only_while_there_is_a_stream() {
    let home = Home::new();
    let count = |inbound, outbound| {
        let mut batch = Batch::new();
        batch.count_stream(inbound, outbound);
        home.commit(&batch);
        home.store.stream().unwrap()
    };
    assert_eq!(count(Some(1), Some(1)), None);
    let stream = StreamState {
        resume_id: Opaque::new(*b"id"),
        handled_inbound: 0,
        acked_outbound: 0,
        details: Opaque::default(),
    };
    let mut batch = Batch::new();
    batch.start_stream(stream.clone());
    home.commit(&batch);
    assert_eq!(home.store.stream().unwrap(), Some(stream));
    let counted = count(Some(7), None).unwrap();
    assert_eq!((counted.handled_inbound, counted.acked_outbound), (7, 0));
    let counted = count(None, Some(3)).unwrap();
    assert_eq!((counted.handled_inbound, counted.acked_outbound), (7, 3));
    let mut batch = Batch::new();
    batch.end_stream();
    home.commit(&batch);
    assert_eq!(home.store.stream().unwrap(), None);
    assert_eq!(
        home.store.outbox(Some(OutboxId::from_row(0)), 1).unwrap(),
        []
    );
}

#[test]
fn what_was_handed_to_the_stream_is_found_without_the_rest_of_the_queue() {
    let home = Home::new();
    let mut batch = Batch::new();
    let entries = ["<a/>", "<b/>", "<c/>"].map(|stanza| batch.enqueue(control(stanza)));
    let committed = home.commit(&batch);
    let [a, _, c] = entries.map(|entry| committed.outbox_entry(entry).unwrap());
    let mut batch = Batch::new();
    batch.set_outbox_sequence(c, u32::MAX);
    batch.set_outbox_sequence(a, 0);
    home.commit(&batch);
    let found = home.store.outbox_on_stream().unwrap();
    let numbers: Vec<_> = found
        .iter()
        .map(|entry| (entry.id, entry.stream_sequence))
        .collect();
    assert_eq!(numbers, [(a, Some(0)), (c, Some(u32::MAX))]);
    let mut batch = Batch::new();
    batch.forget_outbox_sequences();
    home.commit(&batch);
    assert_eq!(home.store.outbox_on_stream().unwrap(), []);
}

#[test]
fn a_registration_for_pushes_is_kept_until_it_is_forgotten() {
    let home = Home::new();
    let keep = |push: Option<&str>| {
        let mut batch = Batch::new();
        batch.set_push(push.map(|text| Opaque::new(text.as_bytes())));
        home.commit(&batch);
        home.store.push().unwrap()
    };
    assert_eq!(home.store.push().unwrap(), None);
    assert_eq!(keep(Some("one")), Some(Opaque::new(*b"one")));
    assert_eq!(keep(Some("two")), Some(Opaque::new(*b"two")));
    assert_eq!(keep(None), None);
}
