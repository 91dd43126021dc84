//! A message has one row, however often and by whichever way it comes.

use eft_store::{
    ArchiveId, Batch, Content, ConversationRef, Insertion, MessageEncryption, MessageUpdate,
    NewOutboxEntry, OutboxContent, Plaintext,
};
use eft_types::{Jid, OriginId, StanzaId};

use crate::support::*;

#[test]
fn the_same_archive_id_is_the_same_message() {
    let home = Home::new();
    let mut first = named(live("hello"), "1");
    first.origin_id = None;
    let Insertion::Inserted(id) = home.insert(&first) else {
        panic!("it is new");
    };
    let mut again = first.clone();
    again.content = Content::Readable(Plaintext::text("said again, otherwise"));
    assert_eq!(home.insert(&again), Insertion::Duplicate(id));
    assert_eq!(home.texts(&juliet()), ["hello"]);
}

#[test]
fn an_archive_id_of_another_archive_is_another_message() {
    let home = Home::new();
    let mut first = named(live("hello"), "1");
    first.origin_id = None;
    let mut second = first.clone();
    second.archive_id = Some(ArchiveId::new(room(), archived_as("1").stanza_id));
    assert!(home.insert(&first).is_news());
    assert!(home.insert(&second).is_news());
}

#[test]
fn the_same_sender_and_origin_id_in_one_conversation_is_the_same_message() {
    let home = Home::new();
    let first = live("hello");
    let Insertion::Inserted(id) = home.insert(&first) else {
        panic!("it is new");
    };
    assert_eq!(home.insert(&first), Insertion::Duplicate(id));

    // In a room, somebody else may use any id, also one that was used before.
    let mut in_room = first.clone();
    in_room.conversation = ConversationRef::room(room());
    assert!(home.insert(&in_room).is_news());
    let mut of_nurse = in_room.clone();
    of_nurse.sender = Jid::new("garden@rooms.capulet.example/nurse").unwrap();
    assert!(home.insert(&of_nurse).is_news());
    assert!(!home.insert(&of_nurse).is_news());
}

#[test]
fn messages_without_any_id_are_never_the_same() {
    let home = Home::new();
    let mut message = live("hello");
    message.origin_id = None;
    assert!(home.insert(&message).is_news());
    assert!(home.insert(&message).is_news());
}

#[test]
fn both_copies_in_one_batch_make_one_row() {
    let home = Home::new();
    let mut batch = Batch::new();
    let first = batch.insert_message(live("hello"));
    let second = batch.insert_message(named(live("hello"), "1"));
    let committed = home.commit(&batch);
    let id = committed.message(first).unwrap().id();
    assert_eq!(committed.message(second), Some(Insertion::Duplicate(id)));
    assert_eq!(home.message(id).archive_id, Some(archived_as("1")));
}

#[test]
fn a_duplicate_gives_the_row_its_archive_id_and_server_time() {
    let home = Home::new();
    let id = home.insert(&ours("hello")).id();
    let mut reflection = named(ours("hello"), "1");
    reflection.server_time = Some(at(77));
    assert_eq!(home.insert(&reflection), Insertion::Duplicate(id));
    let found = home
        .store
        .message_by_archive_id(&archived_as("1"))
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.server_time), (id, Some(at(77))));

    // What is known stays: an archive that names a message twice does not move it.
    let mut second = named(ours("hello"), "2");
    second.server_time = Some(at(99));
    assert_eq!(home.insert(&second), Insertion::Duplicate(id));
    let row = home.message(id);
    assert_eq!(row.archive_id, Some(archived_as("1")));
    assert_eq!(row.server_time, Some(at(77)));
}

#[test]
fn a_copy_that_can_be_read_improves_a_row_that_cannot() {
    let home = Home::new();
    let mut unreadable = live("hello");
    unreadable.content = pending();
    let id = home.insert(&unreadable).id();
    assert_eq!(home.texts(&juliet()), ["?"]);
    assert_eq!(home.insert(&live("hello")), Insertion::Improved(id));
    assert_eq!(home.texts(&juliet()), ["hello"]);
    assert_eq!(home.message(id).encryption, MessageEncryption::Omemo2);

    // And never the other way round.
    assert_eq!(home.insert(&unreadable), Insertion::Duplicate(id));
    assert_eq!(home.texts(&juliet()), ["hello"]);
}

#[test]
fn a_message_queued_twice_is_sent_once() {
    let home = Home::new();
    let queue = || {
        let mut batch = Batch::new();
        let message = batch.insert_message(ours("hello"));
        let entry = batch.enqueue(NewOutboxEntry {
            content: OutboxContent::NewMessage(message),
            stanza: None,
            to: Some(juliet()),
            queued: at(1),
        });
        home.commit(&batch).outbox_entry(entry)
    };
    assert!(queue().is_some());
    assert_eq!(queue(), None);
    assert_eq!(home.store.outbox(None, 10).unwrap().len(), 1);
}

#[test]
fn an_archive_id_given_to_two_messages_stays_with_the_first_and_stops_nothing() {
    let home = Home::new();
    let first = home.insert(&named(ours("one"), "1")).id();
    let second = home.insert(&ours("two")).id();
    let mut batch = Batch::new();
    batch.update_message(second, MessageUpdate::ArchiveId(archived_as("1")));
    assert_eq!(home.commit(&batch).updated(), []);
    assert_eq!(home.message(second).archive_id, None);

    let mut batch = Batch::new();
    batch.update_message(second, MessageUpdate::ArchiveId(archived_as("2")));
    batch.update_message(first, MessageUpdate::ArchiveId(archived_as("3")));
    assert_eq!(home.commit(&batch).updated(), [second]);
    assert_eq!(home.message(second).archive_id, Some(archived_as("2")));
    assert_eq!(home.message(first).archive_id, Some(archived_as("1")));
}

#[test]
fn lookups_find_what_was_inserted_and_nothing_else() {
    let home = Home::new();
    let id = home.insert(&named(live("hello"), "1")).id();
    let by_origin = |peer, sender: Jid, origin: &str| {
        let origin = OriginId::new(origin);
        let found = home.store.message_by_origin_id(&peer, &sender, &origin);
        found.unwrap().map(|message| message.id)
    };
    assert_eq!(
        by_origin(juliet(), juliet().into(), "origin-hello"),
        Some(id)
    );
    assert_eq!(by_origin(juliet(), own().into(), "origin-hello"), None);
    assert_eq!(by_origin(room(), juliet().into(), "origin-hello"), None);
    assert_eq!(by_origin(juliet(), juliet().into(), "origin-other"), None);
    let by_archive = |archive, stanza_id: &str| {
        let id = ArchiveId::new(archive, StanzaId::new(stanza_id));
        let found = home.store.message_by_archive_id(&id).unwrap();
        found.map(|message| message.id)
    };
    assert_eq!(by_archive(own(), "archived-1"), Some(id));
    assert_eq!(by_archive(room(), "archived-1"), None);
    assert_eq!(by_archive(own(), "archived-2"), None);
}
