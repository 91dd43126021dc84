//! What changes about a message after it has its row.

use eft_store::{
    Batch, Content, DeliveryState, Durability, Insertion, MessageEncryption, MessageUpdate,
    NewMessage, Opaque, Plaintext, RetryTrigger, SendFailure, SenderTrust, Store, StoreError,
    Unreadable, UnreadableCause, limits::MAX_DETAIL_BYTES,
};
use eft_types::{DeviceAddress, MessageId};

use crate::support::*;

fn update(home: &Home, id: MessageId, update: MessageUpdate) -> bool {
    let mut batch = Batch::new();
    batch.update_message(id, update);
    home.commit(&batch).updated() == [id]
}

fn content(content: Content) -> MessageUpdate {
    MessageUpdate::Content {
        content,
        encryption: MessageEncryption::Omemo2,
        sender_key: Some([7; 32]),
    }
}

#[test]
fn a_message_survives_with_every_field() {
    let home = Home::new();
    let message = NewMessage {
        sender_key: Some([9; 32]),
        sender_trust: Some(SenderTrust::Consented),
        server_time: Some(at(-5)),
        content: Content::Readable(Plaintext {
            text: "text".into(),
            payload: Some(Opaque::new(*b"payload")),
        }),
        delivery: Some(DeliveryState::Failed {
            reason: SendFailure::Refused,
            detail: Some("service-unavailable".into()),
        }),
        ..named(live("x"), "x")
    };
    let stored = home.message(home.insert(&message).id());
    let NewMessage {
        conversation,
        direction,
        sender,
        sender_device,
        sender_key,
        sender_trust,
        origin_id,
        archive_id,
        server_time,
        received,
        place: _,
        encryption,
        content,
        delivery,
        unread,
    } = message;
    assert_eq!(stored.conversation, conversation);
    assert_eq!(stored.direction, direction);
    assert_eq!(stored.sender, sender);
    assert_eq!(stored.sender_device, sender_device);
    assert_eq!(stored.sender_key, sender_key);
    assert_eq!(stored.sender_trust, sender_trust);
    assert_eq!(stored.origin_id, origin_id);
    assert_eq!(stored.archive_id, archive_id);
    assert_eq!(stored.server_time, server_time);
    assert_eq!(stored.received, received);
    assert_eq!(stored.encryption, encryption);
    assert_eq!(stored.content, content);
    assert_eq!(stored.delivery, delivery);
    assert_eq!(stored.unread, unread);
    assert_eq!(stored.time(), at(-5));
}

#[test]
fn an_outcome_that_improves_gives_up_its_ciphertext() {
    let home = Home::new();
    let mut message = live("x");
    message.content = pending();
    message.encryption = MessageEncryption::Legacy;
    let id = home.insert(&message).id();
    let waiting = |trigger| home.store.waiting(trigger, None, None, 10).unwrap().len();
    assert_eq!(waiting(RetryTrigger::SessionMoved), 1);
    assert_eq!(waiting(RetryTrigger::ArchivesAtEnd), 0);

    // Still unreadable, for another reason.
    let until_end = Content::Unreadable(Unreadable {
        detail: Some("would skip 1500".into()),
        ..Unreadable::until(
            UnreadableCause::Pending,
            RetryTrigger::ArchivesAtEnd,
            Opaque::new(*b"ciphertext"),
        )
    });
    assert!(update(&home, id, content(until_end.clone())));
    assert_eq!(home.message(id).content, until_end);
    assert_eq!(waiting(RetryTrigger::SessionMoved), 0);
    assert_eq!(waiting(RetryTrigger::ArchivesAtEnd), 1);

    let readable = Content::Readable(Plaintext::text("read at last"));
    assert!(update(&home, id, content(readable.clone())));
    let row = home.message(id);
    assert_eq!(row.content, readable);
    assert_eq!(row.encryption, MessageEncryption::Omemo2);
    assert_eq!(waiting(RetryTrigger::ArchivesAtEnd), 0);

    // What can be read stays.
    assert!(!update(&home, id, content(failed(UnreadableCause::BadMac))));
    assert!(!update(
        &home,
        id,
        content(Content::Readable(Plaintext::text("other")))
    ));
    assert_eq!(home.message(id).content, readable);
}

#[test]
fn trust_on_arrival_is_noted_once_and_only_beside_a_key() {
    let home = Home::new();
    let mut message = live("x");
    message.content = pending();
    let id = home.insert(&message).id();
    let note = |trust| update(&home, id, MessageUpdate::SenderTrust(trust));
    assert!(
        !note(SenderTrust::Verified),
        "no key has authenticated it yet"
    );
    assert_eq!(home.message(id).sender_trust, None);

    // As a retry goes: content first, in the same batch.
    let mut batch = Batch::new();
    batch.update_message(id, content(Content::Readable(Plaintext::text("read"))));
    batch.update_message(id, MessageUpdate::SenderTrust(SenderTrust::BlindlyTrusted));
    assert_eq!(home.commit(&batch).updated(), [id]);
    assert_eq!(
        home.message(id).sender_trust,
        Some(SenderTrust::BlindlyTrusted)
    );
    assert!(
        !note(SenderTrust::Verified),
        "later thoughts change nothing"
    );
    assert_eq!(
        home.message(id).sender_trust,
        Some(SenderTrust::BlindlyTrusted)
    );

    let mut batch = Batch::new();
    let nobody = MessageId::from_row(id.as_row() + 1);
    batch.update_message(nobody, MessageUpdate::SenderTrust(SenderTrust::Verified));
    let refused = Store::commit(&home.store, &batch, Durability::Full);
    assert!(matches!(refused, Err(StoreError::NoSuchMessage(id)) if id == nobody));
}

#[test]
fn a_readable_copy_of_an_unreadable_message_brings_its_trust() {
    let home = Home::new();
    let mut message = live("x");
    message.content = pending();
    let id = home.insert(&message).id();
    let mut copy = live("x");
    copy.sender_key = Some([7; 32]);
    copy.sender_trust = Some(SenderTrust::Undecided);
    assert_eq!(home.insert(&copy), Insertion::Improved(id));
    assert_eq!(home.message(id).sender_trust, Some(SenderTrust::Undecided));
}

#[test]
fn waiting_messages_are_found_by_device_and_in_pages() {
    let home = Home::new();
    let mut batch = Batch::new();
    for number in 0..7 {
        let mut message = live(&number.to_string());
        message.content = pending();
        message.sender_device = Some(device(1 + number % 2));
        batch.insert_message(message);
    }
    home.commit(&batch);
    let trigger = RetryTrigger::SessionMoved;
    let of = |jid, number| {
        let address = DeviceAddress::new(jid, device(number));
        let found = home.store.waiting(trigger, Some(&address), None, 100);
        found.unwrap().len()
    };
    assert_eq!(of(juliet(), 1), 4);
    assert_eq!(of(juliet(), 2), 3);
    assert_eq!(of(juliet(), 3), 0);
    assert_eq!(of(own(), 1), 0);
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = home.store.waiting(trigger, None, after, 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|message| message.id));
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted());
}

#[test]
fn delivery_moves_forward_only() {
    let home = Home::new();
    let id = home.insert(&ours("x")).id();
    let deliver = |state: DeliveryState| update(&home, id, MessageUpdate::Delivery(state));
    assert!(deliver(DeliveryState::Sent));
    assert!(deliver(DeliveryState::Delivered));
    assert!(
        !deliver(DeliveryState::Acked),
        "an ack that a receipt overtook"
    );
    let refused = DeliveryState::Failed {
        reason: SendFailure::Refused,
        detail: None,
    };
    assert!(!deliver(refused.clone()), "one device has it");
    assert_eq!(home.message(id).delivery, Some(DeliveryState::Delivered));

    let id = home.insert(&ours("y")).id();
    let deliver = |state: DeliveryState| update(&home, id, MessageUpdate::Delivery(state));
    assert!(deliver(refused.clone()));
    assert_eq!(home.message(id).delivery, Some(refused));
    assert!(deliver(DeliveryState::Queued), "a new attempt");
    assert_eq!(home.message(id).delivery, Some(DeliveryState::Queued));
}

#[test]
fn long_details_are_cut() {
    let home = Home::new();
    let mut message = live("x");
    message.content = Content::Unreadable(Unreadable {
        detail: Some("ä".repeat(10_000)),
        ..Unreadable::for_good(UnreadableCause::Other)
    });
    let Content::Unreadable(stored) = home.message(home.insert(&message).id()).content else {
        panic!("it cannot be read");
    };
    assert_eq!(
        stored.detail.map(|detail| detail.len()),
        Some(MAX_DETAIL_BYTES)
    );
}
