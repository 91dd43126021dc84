//! A file that meets what is there already.

use eft_store::{
    Batch, Content, ConversationEncryption, ConversationRef, DeliveryState, ExportOptions,
    NewOutboxEntry, OutboxContent, Plaintext, SendFailure, UnreadableCause,
};
use eft_types::{BareJid, OriginId};

use super::stage::{export, export_with, furnished, import, tybalt};
use crate::support::*;

#[test]
fn importing_again_changes_nothing() {
    let file = export_with(&furnished().store, ExportOptions::default()).unwrap();
    let new = Home::new();
    import(&new.store, &file).unwrap();
    let once = export(&new.store);
    let again = import(&new.store, &file).unwrap();
    assert_eq!((again.inserted, again.improved, again.known), (0, 0, 8));
    assert_eq!(export(&new.store), once);
}

#[test]
fn what_waited_to_be_sent_failed_where_it_was_imported() {
    let old = Home::new();
    let mut batch = Batch::new();
    let message = batch.insert_message(ours("later"));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(message),
        stanza: None,
        to: None,
        queued: at(1),
    });
    old.commit(&batch);
    let new = Home::new();
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    let page = new.store.timeline(&juliet(), None, 10).unwrap();
    assert!(matches!(
        &page[0].delivery,
        Some(DeliveryState::Failed {
            reason: SendFailure::Other,
            ..
        })
    ));
    assert_eq!(new.store.outbox(None, 10).unwrap(), []);
    assert!(
        page[0]
            .delivery
            .as_ref()
            .unwrap()
            .may_become(&DeliveryState::Queued)
    );
}

#[test]
fn what_could_not_be_read_here_becomes_readable_and_what_could_stays() {
    let old = Home::new();
    commit_page(&old, &["a", "b"], true);
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let new = Home::new();
    let mut batch = Batch::new();
    let mut sealed_message = paged(live("a"), "a");
    sealed_message.content = failed(UnreadableCause::NotForThisDevice);
    let sealed_message = batch.insert_message(sealed_message);
    let mut other = paged(live("b"), "b");
    other.content = Content::Readable(Plaintext::text("b as it is here"));
    batch.insert_message(other);
    let id = new.commit(&batch).message(sealed_message).unwrap().id();
    let imported = import(&new.store, &file).unwrap();
    assert_eq!(
        (imported.inserted, imported.improved, imported.known),
        (0, 1, 1)
    );
    assert_eq!(new.texts(&juliet()), ["a", "b as it is here"]);
    assert_eq!(text_of(&new.message(id)), "a");
}

#[test]
fn history_stands_before_what_is_here_or_behind_what_both_have() {
    let old = Home::new();
    commit_page(&old, &["a", "b", "c", "d"], true);
    old.insert(&live("unarchived"));
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let expect = |home: &Home, texts: &[&str]| {
        import(&home.store, &file).unwrap();
        assert_eq!(home.texts(&juliet()), texts);
    };

    // Nothing in common: here is what came later.
    let later = Home::new();
    commit_page(&later, &["x", "y"], true);
    later.insert(&live("now"));
    expect(&later, &["a", "b", "c", "d", "unarchived", "x", "y", "now"]);

    // The archive was not read here, and something arrived live.
    let fresh = Home::new();
    fresh.insert(&live("now"));
    expect(&fresh, &["a", "b", "c", "d", "unarchived", "now"]);
    // It goes on where the other device was.
    commit_page(&fresh, &["e"], true);
    assert_eq!(
        fresh.texts(&juliet()),
        ["a", "b", "c", "d", "unarchived", "e", "now"]
    );

    // The archive was read from the middle on.
    let half = Home::new();
    commit_page(&half, &["c", "d", "e"], true);
    expect(&half, &["a", "b", "c", "d", "unarchived", "e"]);

    // Something in the middle is missing here.
    let hole = Home::new();
    commit_page(&hole, &["a", "d", "e"], true);
    expect(&hole, &["a", "b", "c", "d", "unarchived", "e"]);

    // The archive goes on where this device was.
    commit_page(&hole, &["f"], true);
    assert_eq!(
        hole.texts(&juliet()),
        ["a", "b", "c", "d", "unarchived", "e", "f"]
    );
}

#[test]
fn decisions_here_stay_and_requirements_there_come_along() {
    let old = furnished();
    let file = export_with(&old.store, ExportOptions::default()).unwrap();
    let new = Home::new();
    let mut batch = Batch::new();
    batch.set_encryption(
        ConversationRef::direct(juliet()),
        ConversationEncryption::OffByUser,
        at(1),
    );
    // It is known here that there is no wish any more.
    batch.set_opt_out(ConversationRef::direct(tybalt()), None, at(1));
    new.commit(&batch);
    import(&new.store, &file).unwrap();
    let conversation = |peer: &BareJid| new.store.conversation(peer).unwrap().unwrap();
    assert_eq!(
        conversation(&juliet()).encryption,
        ConversationEncryption::OffByUser
    );
    assert_eq!(conversation(&tybalt()).opt_out, None);
}

#[test]
fn what_is_imported_is_forgotten_by_its_age_although_its_rows_are_new() {
    let old = Home::new();
    let mut message = live("old");
    message.received = at(10);
    old.insert(&message);
    let new = Home::new();
    new.insert(&live("new"));
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    assert_eq!(new.texts(&juliet()), ["old", "new"]);
    assert_eq!(new.store.expire(at(11), 10).unwrap(), 1);
    assert_eq!(new.texts(&juliet()), ["new"]);
}

#[test]
fn an_origin_of_our_own_is_not_doubled_when_the_copy_has_a_name_in_the_archive() {
    let old = Home::new();
    let mut message = named(ours("hello"), "hello");
    message.origin_id = Some(OriginId::new("o1"));
    old.insert(&message);
    let new = Home::new();
    let mut message = ours("hello");
    message.origin_id = Some(OriginId::new("o1"));
    let id = new.insert(&message).id();
    import(
        &new.store,
        &export_with(&old.store, ExportOptions::default()).unwrap(),
    )
    .unwrap();
    assert_eq!(new.texts(&juliet()), ["hello"]);
    assert_eq!(new.message(id).archive_id, Some(archived_as("hello")));
}
