//! Law 3: a failed step leaves no trace. Law 4: its message stands in the timeline all the same.

use eft_omemo::{Action, EncryptedMessage, Version};
use eft_store::{
    Content, DeviceEventKind, MessageEncryption, Plaintext, Unreadable, UnreadableCause,
};
use eft_types::DeviceId;

use super::*;
use crate::pump::inbound::{Part, Receiving, Source};
use crate::translate::encrypted;
use crate::unit::Notice;

/// What somebody on the way did to a message, and what becomes of it.
struct Case {
    name: &'static str,
    harm: fn(&mut EncryptedMessage),
    cause: UnreadableCause,
}

fn flip_last(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}

/// The MAC of a message without a key exchange: in front in omemo:2, at the end in legacy.
fn flip_mac(message: &mut EncryptedMessage) {
    let data = &mut message.keys[0].data;
    match message.version {
        Version::Omemo2 => data[2] ^= 1,
        Version::Legacy => flip_last(data),
    }
}

fn other_device() -> DeviceId {
    DeviceId::new(77).unwrap()
}

const CASES: [Case; 10] = [
    Case {
        name: "payload flipped",
        harm: |message| flip_last(message.payload.as_mut().unwrap()),
        cause: UnreadableCause::BadPayload,
    },
    Case {
        name: "payload cut",
        harm: |message| message.payload.as_mut().unwrap().truncate(1),
        cause: UnreadableCause::BadPayload,
    },
    Case {
        name: "MAC flipped",
        harm: flip_mac,
        cause: UnreadableCause::BadMac,
    },
    Case {
        name: "no key for us",
        harm: |message| message.keys[0].rid = other_device(),
        cause: UnreadableCause::NotForThisDevice,
    },
    Case {
        name: "no key for anybody",
        harm: |message| message.keys.clear(),
        cause: UnreadableCause::NotForThisDevice,
    },
    Case {
        name: "from a device that we have no session with",
        harm: |message| message.sid = other_device(),
        cause: UnreadableCause::NoSession,
    },
    Case {
        name: "key of one byte",
        harm: |message| message.keys[0].data.truncate(1),
        cause: UnreadableCause::Malformed,
    },
    Case {
        name: "key cut",
        harm: |message| {
            message.keys[0].data.pop();
        },
        cause: UnreadableCause::Malformed,
    },
    Case {
        name: "key of rubbish",
        harm: |message| message.keys[0].data = vec![0xff; 100],
        cause: UnreadableCause::Malformed,
    },
    Case {
        name: "key of a megabyte",
        harm: |message| message.keys[0].data.resize(1 << 20, 0),
        cause: UnreadableCause::Malformed,
    },
];

#[test]
fn pitfall_24_whatever_is_done_to_a_message_is_a_row_with_its_reason_and_moves_nothing() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "first").stanza());
        alice.answer(&mut bob, version);
        alice.take(&bob.write(&alice, version, "second").stanza());
        for case in CASES {
            let name = format!("{version}, {}", case.name);
            let good = bob.write(&alice, version, "good");
            let mut bad = good.clone();
            (case.harm)(&mut bad);
            let row = alice.refuse(&name, &bad.stanza(), case.cause);
            assert_eq!(row.sender_device, Some(bad.sid), "{name}");
            assert_eq!(row.sender_key, None, "{name}: nothing authenticated it");
            assert_eq!(row.encryption, encrypted::encryption(version), "{name}");
            // Without its payload it would have been a control message: nothing to tell.
            if bad.payload.take().is_some() && case.cause != UnreadableCause::BadPayload {
                let before = alice.records();
                alice.take_silently(&bad.stanza());
                assert!(alice.records() == before, "{name}");
            }
            // And the session goes on, with this very message.
            let row = alice.take(&good.stanza()).row();
            assert_eq!(
                row.content,
                Content::Readable(Plaintext::text("good")),
                "{name}"
            );
        }
    }
}

#[test]
fn what_was_encrypted_for_one_version_is_nothing_in_the_other() {
    for (version, other) in [
        (Version::Omemo2, Version::Legacy),
        (Version::Legacy, Version::Omemo2),
    ] {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "hello").stanza());
        alice.answer(&mut bob, version);
        let exchange = Peer::bob_again(&alice, version).write(&alice, version, "hello");
        for message in [exchange, bob.write(&alice, version, "hello")] {
            let disguised = EncryptedMessage {
                version: other,
                iv: Some(vec![0; 12]),
                ..message
            };
            alice.refuse("disguised", &disguised.stanza(), UnreadableCause::Malformed);
        }
    }
}

#[test]
fn any_byte_of_a_key_exchange_may_be_wrong() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let good = bob.write(&alice, version, "good");
        let before = alice.records();
        // In legacy the low half of the first byte says which versions the sender knows: anything goes.
        for byte in 1..good.keys[0].data.len() {
            let mut bad = good.clone();
            bad.keys[0].data[byte] ^= 1 << (byte % 8);
            let taken = alice.take(&bad.stanza());
            if taken.news.iter().any(|row| row.content.is_readable()) {
                // Nothing depends on the sender's own number, near the end of a legacy exchange.
                assert_eq!(version, Version::Legacy);
                assert!(byte + 8 > good.keys[0].data.len(), "byte {byte}");
                break;
            }
            assert!(alice.records() == before, "{version}, byte {byte}");
        }
        alice.take(&good.stanza());
        let read = alice
            .timelines()
            .into_iter()
            .filter(|row| row.content.is_readable());
        let texts: Vec<_> = read.map(|row| row.content).collect();
        assert_eq!(texts, [Content::Readable(Plaintext::text("good"))]);
    }
}

#[test]
fn a_message_of_a_device_without_a_session_asks_for_one() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut former = Alice::install();
        // Bob speaks with a device of Alice whose place this one has taken, without a key exchange.
        let mut bob = Peer::bob(&former, version);
        former.take(&bob.write(&former, version, "hello").stanza());
        former.answer(&mut bob, version);
        let mut message = bob.write(&former, version, "and on");
        assert!(!message.keys[0].kex);
        message.keys[0].rid = alice.own.device;
        alice.refuse("no session", &message.stanza(), UnreadableCause::NoSession);
        assert!(alice.actions().contains(&Action::BuildSession {
            to: bob.address.clone(),
            version,
        }));
    }
}

#[test]
fn a_key_exchange_for_a_prekey_that_is_gone_is_named_as_such() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bundle = alice.bundle(version);
        bundle.pre_keys.truncate(1);
        let mut bob = Peer::install("bob@b.example", 2);
        bob.meet_by(bundle.clone());
        alice.take(&bob.write(&alice, version, "hello").stanza());
        // Until then it is kept for whoever has drawn the same one.
        alice.end_catch_up();
        let mut carol = Peer::install("carol@c.example", 3);
        carol.meet_by(bundle);
        let row = alice.refuse(
            "used prekey",
            &carol.write(&alice, version, "hello").stanza(),
            UnreadableCause::UnknownPreKey,
        );
        let Content::Unreadable(Unreadable { detail, retry, .. }) = row.content else {
            panic!();
        };
        assert!(detail.unwrap().starts_with("prekey "));
        assert_eq!(retry, None);
        assert!(alice.actions().contains(&Action::BuildSession {
            to: carol.address.clone(),
            version,
        }));
    }
}

#[test]
fn pitfall_34_another_identity_under_a_known_device_id_is_refused_and_logged() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        alice.take(&bob.write(&alice, version, "I am Bob").stanza());
        let mut mallory = Peer::bob_again(&alice, version);
        let mut forged = mallory.write(&alice, version, "I am Bob, too");
        forged.sid = bob.address.device;
        let before = alice.records();
        let taken = alice.take(&forged.stanza());
        assert!(alice.records() == before);
        assert!(taken.done.notices.iter().any(
            |notice| matches!(notice, Notice::IdentityChanged(device) if *device == bob.address)
        ));
        let Content::Unreadable(why) = taken.row().content else {
            panic!();
        };
        assert_eq!(why.cause, UnreadableCause::IdentityChanged);
        let log = alice.device_log();
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0].kind, DeviceEventKind::IdentityChanged);
        assert_eq!(log[0].device, bob.address);
        assert!(log[0].detail.as_ref().unwrap().contains(" -> "));
        // Bob himself is still heard.
        let row = alice
            .take(&bob.write(&alice, version, "no, I am").stanza())
            .row();
        assert!(row.content.is_readable());
    }
}

#[test]
fn what_came_before_this_device_existed_is_called_that() {
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    let mut message = bob.write(&alice, Version::Omemo2, "to your old phone");
    message.keys[0].rid = other_device();
    let stanza = message.stanza();
    let Source::Archive { id, stamp, .. } = received::archived("1") else {
        panic!();
    };
    let first_page = Source::Archive {
        id,
        stamp,
        part: Part::First,
    };
    let row = alice
        .take_all(&[(&stanza, first_page)], Receiving::CatchUp)
        .row();
    let Content::Unreadable(why) = row.content else {
        panic!();
    };
    assert_eq!(why.cause, UnreadableCause::BeforeThisDevice);
    assert_eq!(
        alice.store.unread_count().unwrap(),
        0,
        "nobody waits to read it here"
    );
    assert_eq!(row.server_time, stamp);
    // On a later page the sender has left this device out, which is another thing.
    let row = alice
        .take_all(&[(&stanza, received::archived("2"))], Receiving::CatchUp)
        .row();
    let Content::Unreadable(why) = row.content else {
        panic!();
    };
    assert_eq!(why.cause, UnreadableCause::NotForThisDevice);
}

#[test]
fn pitfall_25_what_cannot_even_be_parsed_is_a_row_if_it_has_the_part_that_holds_content() {
    let mut alice = Alice::install();
    let own = alice.own.device;
    for (name, header, payload) in [
        ("sid 0", "<header sid='0'/>", "AAAA"),
        ("sid of letters", "<header sid='one'/>", "AAAA"),
        ("sid too large", "<header sid='4294967296'/>", "AAAA"),
        ("no sid", "<header/>", "AAAA"),
        ("no header", "", "AAAA"),
        ("payload that is no base64", "<header sid='5'/>", "!"),
        ("payload without content", "<header sid='5'/>", ""),
    ] {
        let element = |payload: &str| {
            message(
                "from='bob@b.example/x' to='alice@a.example'",
                &format!("<encrypted xmlns='urn:xmpp:omemo:2'>{header}{payload}</encrypted>"),
            )
        };
        let stanza = element(&format!("<payload>{payload}</payload>"));
        let row = alice.refuse(name, &stanza, UnreadableCause::Malformed);
        assert_eq!(row.encryption, MessageEncryption::Omemo2);
        alice.take_silently(&element(""));
    }
    for (name, keys) in [
        (
            "rid of letters",
            "<keys jid='alice@a.example'><key rid='x'>AAAA</key></keys>".to_owned(),
        ),
        (
            "rid 0",
            "<keys jid='alice@a.example'><key rid='0'>AAAA</key></keys>".to_owned(),
        ),
        (
            "no address",
            format!("<keys jid='@'><key rid='{own}'>AAAA</key></keys>"),
        ),
        (
            "another account",
            format!("<keys jid='eve@a.example'><key rid='{own}'>AAAA</key></keys>"),
        ),
        (
            "no base64",
            format!("<keys jid='alice@a.example'><key rid='{own}'>!</key></keys>"),
        ),
        ("keys of nobody", format!("<key rid='{own}'>AAAA</key>")),
    ] {
        let stanza = message(
            "from='bob@b.example/x' to='alice@a.example'",
            &format!(
                "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='5'>{keys}</header>\
                 <payload>AAAA</payload></encrypted>"
            ),
        );
        alice.refuse(name, &stanza, UnreadableCause::NotForThisDevice);
    }
}
