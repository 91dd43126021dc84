//! The conversation list, unread messages, and encryption that sticks.

use eft_store::Durability;
use eft_store::{
    Batch, ConversationEncryption, ConversationKind, ConversationRef, OptOut, StoreError,
};

use crate::support::*;

fn unread(home: &Home) -> u32 {
    let list = home.store.conversations().unwrap();
    let sum = list.iter().map(|summary| summary.unread_count).sum();
    assert_eq!(home.store.unread_count().unwrap(), sum);
    sum
}

#[test]
fn the_list_shows_newest_first_with_last_message_and_unread_count() {
    let home = Home::new();
    let mut early = live("early");
    early.received = at(10);
    let mut late = live("late");
    late.conversation = ConversationRef::room(room());
    late.received = at(20);
    home.insert(&late);
    home.insert(&early);
    home.insert(&ours("ours"));
    let mut batch = Batch::new();
    let silent = jid("nurse@capulet.example");
    batch.set_encryption(
        ConversationRef::direct(silent.clone()),
        ConversationEncryption::Undecided,
        at(15),
    );
    home.commit(&batch);

    let list = home.store.conversations().unwrap();
    let peers: Vec<_> = list.iter().map(|s| s.conversation.peer.clone()).collect();
    // "ours" was written at 1,000,000.
    assert_eq!(peers, [juliet(), room(), silent]);
    assert_eq!(list[0].unread_count, 1);
    assert_eq!(list[1].unread_count, 1);
    assert_eq!(list[1].conversation.kind, ConversationKind::Room);
    assert_eq!(
        list[0].last_message.as_ref().map(text_of).as_deref(),
        Some("ours")
    );
    assert_eq!(list[2].last_message, None);
}

#[test]
fn a_read_mark_reaches_up_to_its_message_in_timeline_order() {
    let home = Home::new();
    let ids: Vec<_> = ["a", "b", "c"]
        .map(|text| home.insert(&live(text)).id())
        .into();
    assert_eq!(unread(&home), 3);
    let mark = |id| {
        let mut batch = Batch::new();
        batch.mark_read(juliet(), id);
        home.commit(&batch);
    };
    mark(ids[1]);
    assert_eq!(unread(&home), 1);
    mark(ids[0]);
    assert_eq!(unread(&home), 1, "a late mark takes nothing back");

    // A message that gets its real place later keeps being read, or unread.
    commit_page(&home, &["c", "a", "b"], true);
    assert_eq!(unread(&home), 1);
    assert!(home.message(ids[2]).unread);
    mark(ids[2]);
    assert!(!home.message(ids[2]).unread);
    assert_eq!(unread(&home), 0);
}

#[test]
fn a_read_mark_of_another_conversation_is_refused() {
    let home = Home::new();
    let id = home.insert(&live("a")).id();
    let mut batch = Batch::new();
    batch.mark_read(room(), id);
    let error = home.store.commit(&batch, Durability::Full).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchMessage(_)));
    assert_eq!(unread(&home), 1);
}

#[test]
fn encryption_sticks_until_the_user_says_otherwise() {
    let home = Home::new();
    let conversation = ConversationRef::direct(juliet());
    let decide = |encryption| {
        let mut batch = Batch::new();
        batch.set_encryption(conversation.clone(), encryption, at(5));
        home.commit(&batch);
        let found = home.store.conversation(&juliet()).unwrap().unwrap();
        assert_eq!(found.created, at(5));
        found.encryption
    };
    use ConversationEncryption::{OffByUser, Required, Undecided};
    assert_eq!(home.store.conversation(&juliet()).unwrap(), None);
    assert_eq!(decide(Undecided), Undecided);
    assert_eq!(decide(Required), Required);
    assert_eq!(decide(Undecided), Required, "nothing undoes it by the way");
    assert_eq!(decide(OffByUser), OffByUser);
    assert_eq!(decide(Required), Required);
}

#[test]
fn the_kind_of_a_conversation_is_fixed_by_its_first_mention() {
    let home = Home::new();
    home.insert(&live("a"));
    let mut confused = live("b");
    confused.conversation = ConversationRef::room(juliet());
    home.insert(&confused);
    let found = home.store.conversation(&juliet()).unwrap().unwrap();
    assert_eq!(found.kind, ConversationKind::Direct);
    assert_eq!(home.texts(&juliet()), ["a", "b"]);
}

#[test]
fn wishes_about_a_conversation_stay_until_they_are_answered() {
    let home = Home::new();
    let conversation = ConversationRef::direct(juliet());
    let opt_out = OptOut {
        at: at(7),
        reason: Some("the rules of the house".to_owned()),
    };
    let mut batch = Batch::new();
    batch.set_opt_out(conversation.clone(), Some(opt_out.clone()), at(7));
    batch.set_separate_versions(conversation.clone(), true, at(7));
    assert!(!batch.is_empty());
    home.commit(&batch);
    let found = home.store.conversation(&juliet()).unwrap().unwrap();
    assert_eq!(found.opt_out, Some(opt_out.clone()));
    assert!(found.separate_versions);
    assert_eq!(found.encryption, ConversationEncryption::Undecided);
    assert_eq!(home.store.conversations().unwrap()[0].conversation, found);
    assert!(
        !format!("{found:?}").contains("house"),
        "a reason is content"
    );

    // Neither touches the other.
    let mut batch = Batch::new();
    batch.set_opt_out(conversation.clone(), None, at(8));
    home.commit(&batch);
    let found = home.store.conversation(&juliet()).unwrap().unwrap();
    assert_eq!((found.opt_out, found.separate_versions), (None, true));
    let mut batch = Batch::new();
    batch.set_opt_out(conversation.clone(), Some(opt_out.clone()), at(9));
    batch.set_separate_versions(conversation, false, at(9));
    home.commit(&batch);
    let found = home.store.conversation(&juliet()).unwrap().unwrap();
    assert_eq!(
        (found.opt_out, found.separate_versions),
        (Some(opt_out), false)
    );
}

fn to_tell(home: &Home) -> Vec<String> {
    let found = home.store.announcements(None, 10).unwrap();
    found.iter().map(text_of).collect()
}

#[test]
fn what_is_to_be_told_is_told_until_it_was_told_or_read() {
    let home = Home::new();
    let tell = |message| {
        let mut batch = Batch::new();
        let message = batch.insert_message(message);
        batch.announce(message);
        home.commit(&batch).message(message).unwrap().id()
    };
    let mut named = live("a");
    named.origin_id = Some(eft_types::OriginId::new("1"));
    let first = tell(named.clone());
    let second = tell(live("b"));
    // A copy of what is there is no news, and our own words are no news to us.
    assert_eq!(tell(named.clone()), first);
    tell(ours("mine"));
    assert_eq!(to_tell(&home), ["a", "b"]);
    assert_eq!(home.store.announcements(Some(first), 10).unwrap().len(), 1);

    let mut batch = Batch::new();
    batch.announced(first);
    batch.announced(first);
    home.commit(&batch);
    assert_eq!(to_tell(&home), ["b"]);
    // It was told of, and a copy of it changes nothing.
    tell(named);
    assert_eq!(to_tell(&home), ["b"]);

    let mut batch = Batch::new();
    batch.mark_read(juliet(), second);
    home.commit(&batch);
    assert_eq!(to_tell(&home), [""; 0]);
    let mut batch = Batch::new();
    batch.announce_again(second);
    home.commit(&batch);
    assert_eq!(to_tell(&home), [""; 0], "read is read");

    let third = tell(live("c"));
    let mut batch = Batch::new();
    batch.delete_message(third);
    home.commit(&batch);
    assert_eq!(to_tell(&home), [""; 0]);
}
