use eft_omemo::{Action, EmptyReason, Version, peer_identity};
use eft_store::{
    ArchiveId, Content, Direction, MessageEncryption, Plaintext, RetryTrigger, UnreadableCause,
};
use eft_types::{BareJid, OriginId, StanzaId, Timestamp};

use super::*;
use crate::pump::inbound::{Inbound, Part, Receiving, Source};
use crate::translate::encrypted;
use crate::unit::Unit;

const ID: &str = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>\
    <stanza-id xmlns='urn:xmpp:sid:0' by='alice@a.example' id='s1'/>";

pub(super) fn archived(id: &str) -> Source {
    Source::Archive {
        id: ArchiveId::new(BareJid::new("alice@a.example").unwrap(), StanzaId::new(id)),
        stamp: Some(Timestamp::from_millis(1_700_000_000_000)),
        part: Part::Next,
    }
}

#[test]
fn a_message_becomes_a_row_with_all_that_is_known_of_it() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let delay = "<delay xmlns='urn:xmpp:delay' from='a.example' stamp='2027-01-01T00:00:00Z'/>\
            <delay xmlns='urn:xmpp:delay' from='evil.example' stamp='1999-01-01T00:00:00Z'/>";
        let stanza = bob
            .write(&alice, version, "hello")
            .stanza_with("id='m1'", &format!("{ID}{delay}"));
        let row = alice.take(&stanza).row();
        assert_eq!(row.content, Content::Readable(Plaintext::text("hello")));
        assert_eq!(row.direction, Direction::Incoming);
        assert_eq!(row.conversation.peer, bob.address.jid);
        assert_eq!(row.sender, bob.address.jid.clone());
        assert_eq!(row.sender_device, Some(bob.address.device));
        assert_eq!(row.encryption, encrypted::encryption(version));
        assert_eq!(row.origin_id, Some(OriginId::new("o1")));
        assert_eq!(row.archive_id.unwrap().stanza_id, StanzaId::new("s1"));
        assert_eq!(
            row.server_time,
            Some(Timestamp::from_millis(1_798_761_600_000))
        );
        assert_eq!(row.received, alice.now);
        assert_eq!(row.delivery, None);
        assert!(row.unread);
        // What is thought of the message is what is thought of this key.
        let mut unit = Unit::begin(&alice.store, alice.now);
        let identity = unit
            .sure_step(|records| peer_identity(records, &bob.address))
            .unwrap()
            .unwrap();
        assert_eq!(row.sender_key, Some(*identity.fingerprint().as_bytes()));
    }
}

#[test]
fn a_first_message_leaves_an_answer_to_give_and_a_bundle_to_publish() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "hello").stanza());
        let actions = alice.actions();
        let to = bob.address.clone();
        for expected in [
            Action::SendEmpty {
                to: to.clone(),
                version,
                reason: EmptyReason::KeyExchangeAnswer,
            },
            Action::PublishBundle { version },
            // Nobody has told us of this device.
            Action::RefreshDeviceList {
                jid: to.jid,
                version,
            },
        ] {
            assert!(actions.contains(&expected), "{expected:?} in {actions:?}");
        }
    }
}

#[test]
fn a_conversation_goes_on_without_key_exchanges() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "0").stanza());
        alice.answer(&mut bob, version);
        for number in 1..5 {
            let message = bob.write(&alice, version, &number.to_string());
            assert!(!message.keys[0].kex);
            let row = alice.take(&message.stanza()).row();
            assert_eq!(
                row.content,
                Content::Readable(Plaintext::text(number.to_string()))
            );
        }
    }
}

#[test]
fn pitfall_31_a_copy_of_what_our_other_device_sent_stands_in_the_right_conversation() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut laptop = Peer::install("alice@a.example", 3);
        laptop.meet(&alice, version);
        let bob = BareJid::new("bob@b.example").unwrap();
        let message = match version {
            Version::Omemo2 => {
                let plaintext = in_envelope(
                    "<body xmlns='jabber:client'>hi Bob</body>",
                    &peer::affixes(&alice.own.jid, &bob),
                );
                laptop.encrypt(&alice, version, plaintext)
            }
            Version::Legacy => laptop.encrypt(&alice, version, "hi Bob"),
        };
        let stanza = super::message(
            "from='alice@a.example/laptop' to='bob@b.example' type='chat'",
            &message.element(),
        );
        let row = alice
            .take_all(&[(&stanza, Source::Carbon)], Receiving::Live)
            .row();
        assert_eq!(row.content, Content::Readable(Plaintext::text("hi Bob")));
        assert_eq!(row.direction, Direction::Outgoing);
        assert_eq!(row.conversation.peer, bob);
        assert_eq!(row.sender, alice.own.jid.clone());
        assert_eq!(row.sender_device, Some(laptop.address.device));
        assert_eq!(row.delivery, None, "not ours to deliver");
        assert!(!row.unread);
    }
}

#[test]
fn of_both_versions_in_one_stanza_the_one_with_our_key_is_read() {
    for readable in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, readable);
        let ours = bob.write(&alice, readable, "for Alice");
        let other_version = match readable {
            Version::Omemo2 => Version::Legacy,
            Version::Legacy => Version::Omemo2,
        };
        bob.meet(&alice, other_version);
        let mut others = bob.write(&alice, other_version, "for her laptop");
        others.keys[0].rid = eft_types::DeviceId::new(77).unwrap();
        let stanza =
            |elements: &str| message("from='bob@b.example/x' to='alice@a.example'", elements);
        let (ours, others) = (ours.element(), others.element());
        let row = alice.take(&stanza(&format!("{ours}{others}"))).row();
        assert_eq!(row.content, Content::Readable(Plaintext::text("for Alice")));
        assert_eq!(row.encryption, encrypted::encryption(readable));
        // In the other order it is the same message again.
        alice.take_silently(&stanza(&format!("{others}{ours}")));
    }
}

#[test]
fn of_both_versions_for_us_the_text_is_shown_once_and_both_ratchets_move() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    bob.meet(&alice, Version::Legacy);
    let elements: String = Version::ALL
        .into_iter()
        .map(|version| bob.write(&alice, version, "hello").element())
        .collect();
    let stanza = message("from='bob@b.example/x' to='alice@a.example'", &elements);
    let row = alice.take(&stanza).row();
    assert_eq!(row.content, Content::Readable(Plaintext::text("hello")));
    assert_eq!(row.encryption, MessageEncryption::Omemo2);
    let before = alice.records();
    alice.take_silently(&stanza);
    assert!(alice.records() == before);
}

#[test]
fn an_empty_element_of_one_version_does_not_hide_the_message_in_the_other() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    bob.meet(&alice, Version::Legacy);
    let empty = bob.encrypt_empty(&alice, Version::Omemo2).element();
    let text = bob.write(&alice, Version::Legacy, "hello").element();
    let stanza = message(
        "from='bob@b.example/x' to='alice@a.example'",
        &(empty + &text),
    );
    let row = alice.take(&stanza).row();
    assert_eq!(row.content, Content::Readable(Plaintext::text("hello")));
    assert_eq!(row.encryption, MessageEncryption::Legacy);
}

#[test]
fn pitfall_07_an_empty_message_moves_the_ratchet_and_shows_nothing() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let before = alice.records();
        let done = alice.take_silently(&bob.encrypt_empty(&alice, version).stanza());
        assert!(alice.records() != before);
        assert!(!done.added_actions.is_empty());
        alice.answer(&mut bob, version);
        let before = alice.records();
        alice.take_silently(&bob.encrypt_empty(&alice, version).stanza());
        assert!(alice.records() != before);
        let row = alice
            .take(&bob.write(&alice, version, "and on").stanza())
            .row();
        assert_eq!(row.content, Content::Readable(Plaintext::text("and on")));
    }
}

#[test]
fn messages_out_of_order_are_all_read() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let messages: Vec<_> = (0..10)
            .map(|number| bob.write(&alice, version, &number.to_string()))
            .collect();
        for number in [3, 0, 9, 1, 2, 8, 4, 7, 5, 6] {
            let row = alice.take(&messages[number].stanza()).row();
            let text = Plaintext::text(number.to_string());
            assert_eq!(row.content, Content::Readable(text));
        }
    }
}

#[test]
fn a_message_too_far_ahead_waits_with_its_bytes_and_moves_nothing() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "0").stanza());
        let far = match version {
            Version::Omemo2 => 1002,
            Version::Legacy => 2002,
        };
        for _ in 1..far {
            bob.encrypt_empty(&alice, version);
        }
        // Beside it stands what is no use later, and what could not be written to the database.
        let message = bob.write(&alice, version, "far ahead");
        let ballast = format!(
            "<x xmlns='urn:example' xmlns:e='urn:e' e:x='1'>{}</x>",
            "x".repeat(10_000)
        );
        let stanza = message.stanza_with("id='m1'", &ballast);
        let row = alice.refuse("far ahead", &stanza, UnreadableCause::Pending);
        let Content::Unreadable(why) = row.content else {
            panic!();
        };
        assert_eq!(why.retry, Some(RetryTrigger::SessionMoved));
        let kept = why.ciphertext.unwrap();
        assert!(kept.as_bytes().len() < 3000);
        let kept = core::str::from_utf8(kept.as_bytes())
            .unwrap()
            .parse()
            .unwrap();
        let position = |stanza| {
            let inbound = Inbound::new(&alice.own, stanza, Source::Live).unwrap();
            inbound.position().unwrap()
        };
        assert_eq!(position(&kept), position(&stanza));
        let mut again = encrypted::parse(&kept, &bob.address.jid, &alice.own);
        assert_eq!(again.len(), 1);
        let again = again.remove(0).message.unwrap();
        assert_eq!(again.keys[0].data, message.keys[0].data);
        assert_eq!((again.payload, again.iv), (message.payload, message.iv));
    }
}

#[test]
fn a_message_that_would_cost_others_their_keys_waits_while_those_may_still_come() {
    let version = Version::Omemo2;
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, version);
    alice.take(&bob.write(&alice, version, "0").stanza());
    for _ in 0..900 {
        bob.encrypt_empty(&alice, version);
    }
    let middle = bob.write(&alice, version, "middle").stanza();
    for _ in 0..900 {
        bob.encrypt_empty(&alice, version);
    }
    let last = bob.write(&alice, version, "last").stanza();
    let stanzas = [(&middle, archived("1")), (&last, archived("2"))];
    let taken = alice.take_all(&stanzas, Receiving::CatchUp);
    let [middle, last] = taken.news.as_slice() else {
        panic!("{:?}", taken.news);
    };
    assert_eq!(middle.content, Content::Readable(Plaintext::text("middle")));
    let Content::Unreadable(why) = &last.content else {
        panic!();
    };
    assert_eq!(why.cause, UnreadableCause::Pending);
    assert!(why.ciphertext.is_some());
}

#[test]
fn pitfall_08_a_prekey_used_during_catch_up_serves_a_second_sender_until_its_end() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        // Both pick from a bundle with one prekey.
        let mut bundle = alice.bundle(version);
        bundle.pre_keys.truncate(1);
        let mut first = Peer::install("bob@b.example", 2);
        let mut second = Peer::install("carol@c.example", 3);
        for peer in [&mut first, &mut second] {
            peer.meet_by(bundle.clone());
        }
        let stanzas = [
            first.write(&alice, version, "first").stanza(),
            second.write(&alice, version, "second").stanza(),
        ];
        let sources = [(&stanzas[0], archived("1")), (&stanzas[1], archived("2"))];
        let taken = alice.take_all(&sources, Receiving::CatchUp);
        assert!(taken.news.iter().all(|row| row.content.is_readable()));
        assert_eq!(taken.news.len(), 2);
        alice.end_catch_up();
        let mut third = Peer::install("dave@d.example", 4);
        third.meet_by(bundle);
        alice.refuse(
            "the same prekey, too late",
            &third.write(&alice, version, "third").stanza(),
            UnreadableCause::UnknownPreKey,
        );
    }
}

#[test]
fn a_delay_on_a_live_message_moves_it_no_further_than_it_can_have_waited() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    let mut time = |alice: &mut Alice, stamp: &str| {
        let delay = format!("<delay xmlns='urn:xmpp:delay' from='a.example' stamp='{stamp}'/>");
        let stanza = bob
            .write(alice, Version::Omemo2, stamp)
            .stanza_with("", &delay);
        alice.take(&stanza).row().time()
    };
    let installed = {
        let mut unit = Unit::begin(&alice.store, alice.now);
        let own = alice.own.jid.clone();
        let keys = unit
            .sure_step(|records| eft_omemo::known_keys(records, &own))
            .unwrap();
        keys[0].since
    };
    assert_eq!(
        time(&mut alice, "1999-01-01T00:00:00Z"),
        installed,
        "nobody wrote to this device before it was"
    );
    let new_year = Timestamp::from_millis(1_798_761_600_000);
    assert_eq!(time(&mut alice, "2027-01-01T00:00:00Z"), new_year);
    assert_eq!(
        time(&mut alice, "2026-12-01T00:00:00Z"),
        new_year,
        "not above what it is shown below"
    );
    let now = alice.now;
    assert_eq!(time(&mut alice, "2099-01-01T00:00:00Z"), now);
    // In the order in which they came, whatever they say.
    let order: Vec<_> = alice
        .timeline(&BareJid::new("bob@b.example").unwrap())
        .into_iter()
        .rev()
        .map(|row| match row.content {
            Content::Readable(plaintext) => plaintext.text[..4].to_owned(),
            Content::Unreadable(why) => panic!("{why:?}"),
        })
        .collect();
    assert_eq!(order, ["1999", "2027", "2026", "2099"]);
}

#[test]
fn a_live_message_is_not_older_than_what_the_archive_gave() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    let read_to = Timestamp::from_millis(1_799_000_000_000);
    let mut batch = eft_store::Batch::new();
    batch.advance_archive(eft_store::ArchiveProgress {
        archive: alice.own.jid.clone(),
        last: Some((StanzaId::new("s0"), read_to)),
        at_end: true,
    });
    alice
        .store
        .commit(&batch, eft_store::Durability::Full)
        .unwrap();
    let delay = "<delay xmlns='urn:xmpp:delay' from='a.example' stamp='2027-01-01T00:00:00Z'/>";
    let stanza = bob
        .write(&alice, Version::Omemo2, "hello")
        .stanza_with("", delay);
    assert_eq!(alice.take(&stanza).row().time(), read_to);
}
