//! What a decrypted envelope may say, and what only looks like content.

use eft_omemo::Version;
use eft_store::{
    Batch, Content, ConversationEncryption, ConversationRef, DeliveryState, Durability,
    MessageEncryption, NewMessage, Plaintext, SendFailure, Unreadable, UnreadableCause,
};
use eft_types::{BareJid, OriginId};

use super::*;
use crate::pump::inbound::{Receiving, Source};

const BODY: &str = "<body xmlns='jabber:client'>secret plan</body>";

/// Alice, and Bob with a session that both have used.
fn acquainted() -> (Alice, Peer) {
    let version = Version::Omemo2;
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, version);
    alice.take(&bob.encrypt_empty(&alice, version).stanza());
    alice.answer(&mut bob, version);
    (alice, bob)
}

#[test]
fn an_envelope_must_belong_to_its_stanza() {
    let (mut alice, mut bob) = acquainted();
    for (name, affixes) in [
        (
            "from somebody else",
            "<from jid='eve@b.example'/><to jid='alice@a.example'/>",
        ),
        (
            "to somebody else",
            "<from jid='bob@b.example'/><to jid='carol@c.example'/>",
        ),
        ("to the sender", "<to jid='bob@b.example'/>"),
        ("to a room", "<to jid='room@muc.example'/>"),
        (
            "from and to exchanged",
            "<from jid='alice@a.example'/><to jid='bob@b.example'/>",
        ),
        ("look-alike", "<from jid='bоb@b.example'/>"),
        ("from nobody", "<from/>"),
        ("from no address", "<from jid='@'/>"),
        ("to no address", "<to jid=''/>"),
        (
            "two senders",
            "<from jid='bob@b.example'/><from jid='eve@b.example'/>",
        ),
        (
            "two recipients",
            "<to jid='alice@a.example'/><to jid='carol@c.example'/>",
        ),
        ("no time", "<time stamp='yesterday'/>"),
    ] {
        let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(BODY, affixes));
        let row = alice.refuse_content(name, &message.stanza(), UnreadableCause::Malformed);
        // It is authentic, and its author has something to explain.
        assert!(row.sender_key.is_some(), "{name}");
        assert_hidden(name, &row.content);
    }
}

#[test]
fn affixes_that_the_profile_does_not_ask_for_may_be_absent() {
    // XEP-0384 §5.5.1: <from/> SHOULD be there, <to/> MUST be there in group chats only, and clients
    // that leave them out exist. Between two accounts the session itself says who speaks to whom.
    let (mut alice, mut bob) = acquainted();
    for affixes in [
        "",
        "<from jid='bob@b.example'/>",
        "<to jid='alice@a.example'/>",
        "<from jid='BOB@b.example/phone'/><to jid='Alice@A.example/any'/>",
        "<time stamp='2001-01-01T00:00:00Z'/><unknown/>",
    ] {
        let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(BODY, affixes));
        let row = alice.take(&message.stanza()).row();
        assert_eq!(
            row.content,
            Content::Readable(Plaintext::text("secret plan")),
            "{affixes}"
        );
    }
}

#[test]
fn padding_may_be_absent_or_long() {
    let (mut alice, mut bob) = acquainted();
    let padded = in_envelope(BODY, "");
    for rpad in [
        "",
        "<rpad/>",
        &format!("<rpad>{}</rpad>", "x".repeat(100_000)),
    ] {
        let plaintext = padded.replace("<rpad>x</rpad>", rpad);
        let message = bob.encrypt(&alice, Version::Omemo2, plaintext);
        let row = alice.take(&message.stanza()).row();
        assert_eq!(
            row.content,
            Content::Readable(Plaintext::text("secret plan"))
        );
    }
}

#[test]
fn what_is_no_envelope_is_shown_as_nothing() {
    let (mut alice, mut bob) = acquainted();
    for (name, plaintext) in [
        ("plain text", "secret plan".to_owned()),
        ("nothing", String::new()),
        (
            "half an envelope",
            in_envelope(BODY, "").replace("</envelope>", ""),
        ),
        ("two envelopes", in_envelope(BODY, "").repeat(2)),
        ("another element", BODY.to_owned()),
        (
            "another namespace",
            in_envelope(BODY, "").replace("sce:1", "sce:0"),
        ),
        (
            "two contents",
            in_envelope(&format!("{BODY}</content><content>{BODY}"), ""),
        ),
        (
            "no content",
            "<envelope xmlns='urn:xmpp:sce:1'>secret plan</envelope>".to_owned(),
        ),
        (
            "an entity",
            format!(
                "<!DOCTYPE x [<!ENTITY e 'secret plan'>]>{}",
                in_envelope("&e;", "")
            ),
        ),
        (
            "a thousand levels",
            in_envelope(&("<x>".repeat(1000) + &"</x>".repeat(1000)), ""),
        ),
    ] {
        let message = bob.encrypt(&alice, Version::Omemo2, plaintext);
        let row = alice.refuse_content(name, &message.stanza(), UnreadableCause::Malformed);
        assert_hidden(name, &row.content);
    }
    let message = bob.encrypt(&alice, Version::Omemo2, b"\xff<envelope/>");
    alice.refuse_content("no UTF-8", &message.stanza(), UnreadableCause::Malformed);
    let mut alice = Alice::install();
    let mut bob = Peer::bob(&alice, Version::Legacy);
    let message = bob.encrypt(&alice, Version::Legacy, b"\xff\xfe");
    alice.refuse_content(
        "legacy, no UTF-8",
        &message.stanza(),
        UnreadableCause::Malformed,
    );
}

/// No word of the plaintext is in what is told.
fn assert_hidden(name: &str, content: &Content) {
    let Content::Unreadable(Unreadable { detail, .. }) = content else {
        panic!("{name}");
    };
    let detail = detail.as_deref().unwrap();
    assert!(
        !detail.contains("secret") && !detail.contains("plan"),
        "{name}: {detail}"
    );
}

#[test]
fn what_only_servers_may_say_is_not_believed_inside() {
    let (mut alice, mut bob) = acquainted();
    let smuggled = [
        "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@a.example' id='forged'/>",
        "<delay xmlns='urn:xmpp:delay' from='a.example' stamp='1999-01-01T00:00:00Z'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/></x>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         <message xmlns='jabber:client' from='alice@a.example' to='eve@e.example'>\
         <body>sent by nobody</body></message></forwarded></sent>",
        "<result xmlns='urn:xmpp:mam:2'/>",
        "<no-store xmlns='urn:xmpp:hints'/>",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:openpgp:0'/>",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='5'/><payload>AAAA</payload></encrypted>",
        "<addresses xmlns='http://jabber.org/protocol/address'/>",
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>",
    ];
    let content = format!("{BODY}{}", smuggled.concat());
    let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(&content, ""));
    let row = alice.take(&message.stanza()).row();
    assert_eq!(
        row.content,
        Content::Readable(Plaintext::text("secret plan"))
    );
    assert_eq!(row.archive_id, None);
    assert_eq!(row.server_time, None);
    assert_eq!(row.encryption, MessageEncryption::Omemo2);
    assert_eq!(alice.timelines().len(), 1);
    // Alone they are nothing at all.
    let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(&smuggled.concat(), ""));
    alice.take_silently(&message.stanza());
}

#[test]
fn a_fallback_body_is_never_content() {
    let (mut alice, mut bob) = acquainted();
    let fallback = "<body>you cannot read this</body><subject>nor this</subject>";
    let good = bob.write(&alice, Version::Omemo2, "the real text");
    let row = alice.take(&good.stanza_with("", fallback)).row();
    assert_eq!(
        row.content,
        Content::Readable(Plaintext::text("the real text"))
    );
    // Nothing encrypted inside: then there is nothing, whatever stands outside.
    let state = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    for content in ["", state] {
        let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(content, ""));
        alice.take_silently(&message.stanza_with("", fallback));
    }
    let message = bob.encrypt_empty(&alice, Version::Omemo2);
    alice.take_silently(&message.stanza_with("", fallback));
    // Broken: the reason is shown, not the fallback.
    let mut broken = bob.write(&alice, Version::Omemo2, "the real text");
    broken.payload.as_mut().unwrap()[0] ^= 1;
    alice.refuse(
        "broken",
        &broken.stanza_with("", fallback),
        UnreadableCause::BadPayload,
    );
    let rubbish = super::message(
        "from='bob@b.example/x' to='alice@a.example'",
        &format!("<encrypted xmlns='urn:xmpp:omemo:2'><payload/></encrypted>{fallback}"),
    );
    alice.refuse("rubbish", &rubbish, UnreadableCause::Malformed);
    for row in alice.timelines() {
        if let Content::Readable(plaintext) = row.content {
            assert_eq!(plaintext.text, "the real text");
        }
    }
}

#[test]
fn what_is_over_when_it_arrives_is_no_row_and_everything_else_is_kept() {
    let (mut alice, mut bob) = acquainted();
    for over in [
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='m1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>",
    ] {
        let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(over, ""));
        let before = alice.records();
        alice.take_silently(&message.stanza());
        assert!(alice.records() != before, "{over}");
    }
    let reaction =
        "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction></reactions>";
    let message = bob.encrypt(&alice, Version::Omemo2, in_envelope(reaction, ""));
    let row = alice.take(&message.stanza()).row();
    let Content::Readable(Plaintext {
        text,
        payload: Some(payload),
    }) = row.content
    else {
        panic!("{:?}", row.content);
    };
    assert_eq!(text, "");
    let kept: eft_xmpp::Element = core::str::from_utf8(payload.as_bytes())
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(kept, reaction.parse().unwrap());
}

#[test]
fn another_encryption_is_named_and_its_fallback_is_not_shown() {
    let mut alice = Alice::install();
    for namespace in ["urn:xmpp:openpgp:0", "urn:xmpp:otr:0", "urn:xmpp:omemo:3"] {
        let stanza = message(
            "from='bob@b.example/x' to='alice@a.example' type='chat'",
            &format!(
                "<body>This message is encrypted</body>\
                 <encryption xmlns='urn:xmpp:eme:0' namespace='{namespace}' name='Rot 13'/>"
            ),
        );
        let row = alice.refuse(namespace, &stanza, UnreadableCause::ForeignEncryption);
        assert_eq!(row.encryption, MessageEncryption::Foreign);
        let Content::Unreadable(why) = row.content else {
            panic!();
        };
        assert_eq!(
            why.detail.as_deref(),
            Some(namespace),
            "its name is the sender's invention"
        );
    }
}

#[test]
fn a_plaintext_message_is_shown_as_one_also_in_an_encrypted_conversation() {
    let (mut alice, mut bob) = acquainted();
    let row = alice
        .take(&bob.write(&alice, Version::Omemo2, "encrypted").stanza())
        .row();
    assert_eq!(row.encryption, MessageEncryption::Omemo2);
    let mut batch = Batch::new();
    batch.set_encryption(
        ConversationRef::direct(bob.address.jid.clone()),
        ConversationEncryption::Required,
        alice.now,
    );
    alice.store.commit(&batch, Durability::Full).unwrap();
    // The server, or a client without OMEMO, says something. It is shown, because hiding it would be
    // a lie as well, and nothing about it says "encrypted"; what we send is not touched by it.
    for children in [
        "<body>in the clear</body>",
        "<body>in the clear</body><store xmlns='urn:xmpp:hints'/>",
        "<body>in the clear</body><envelope xmlns='urn:xmpp:sce:1'><content>\
         <body xmlns='jabber:client'>smuggled</body></content></envelope>",
    ] {
        let stanza = message(
            "from='bob@b.example/x' to='alice@a.example' type='chat'",
            children,
        );
        let row = alice.take(&stanza).row();
        assert_eq!(
            row.content,
            Content::Readable(Plaintext::text("in the clear"))
        );
        assert_eq!(row.encryption, MessageEncryption::None);
        assert_eq!((row.sender_device, row.sender_key), (None, None));
    }
    let conversation = alice.store.conversation(&bob.address.jid).unwrap().unwrap();
    assert_eq!(conversation.encryption, ConversationEncryption::Required);
}

#[test]
fn pitfall_07_a_stanza_without_content_is_no_row() {
    let mut alice = Alice::install();
    for children in [
        "",
        "<active xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='m1'/>",
        "<subject>no text</subject>",
        "<x xmlns='jabber:x:conference' jid='room@muc.example'/>",
    ] {
        let stanza = message(
            "from='bob@b.example/x' to='alice@a.example' type='chat'",
            children,
        );
        alice.take_silently(&stanza);
    }
}

#[test]
fn an_error_about_our_message_fails_it_and_is_no_message() {
    let mut alice = Alice::install();
    let bob = BareJid::new("bob@b.example").unwrap();
    let send = |alice: &Alice, id: &str, delivery| {
        let mut batch = Batch::new();
        let message = batch.insert_message(NewMessage {
            delivery: Some(delivery),
            ..NewMessage::outgoing(
                ConversationRef::direct(bob.clone()),
                alice.own.jid.clone().into(),
                OriginId::new(id),
                Plaintext::text("hello"),
                alice.now,
            )
        });
        let done = alice.store.commit(&batch, Durability::Full).unwrap();
        done.message(message).unwrap().id()
    };
    let error = |from: &str, id: &str| {
        message(
            &format!("from='{from}' to='alice@a.example/eft' type='error' id='{id}'"),
            "<body>hello</body><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        )
    };
    let ours = send(&alice, "m1", DeliveryState::Acked);
    let seen = send(&alice, "m2", DeliveryState::Displayed);
    for (from, id) in [
        ("eve@e.example/x", "m1"),
        ("b.example", "m1"),
        ("bob@b.example/x", "m3"),
        ("bob@b.example/x", ""),
    ] {
        alice.take_silently(&error(from, id));
    }
    let taken = alice.take(&error("bob@b.example/x", "m1"));
    assert_eq!(taken.news, [], "no message, only a change");
    assert_eq!(taken.done.committed.updated(), [ours]);
    assert_eq!(
        alice.store.message(ours).unwrap().unwrap().delivery,
        Some(DeliveryState::Failed {
            reason: SendFailure::Refused,
            detail: Some("service-unavailable".to_owned()),
        })
    );
    // One device of Bob refuses what another has shown: shown it is.
    alice.take(&error("bob@b.example/x", "m2"));
    assert_eq!(
        alice.store.message(seen).unwrap().unwrap().delivery,
        Some(DeliveryState::Displayed)
    );
    // The text of an error is what we sent, not what somebody said.
    assert_eq!(alice.timeline(&bob).len(), 2);
    let without_id = super::message(
        "from='bob@b.example/x' to='alice@a.example/eft' type='error'",
        "<body>hello</body>",
    );
    alice.take_all(&[(&without_id, Source::Live)], Receiving::Live);
    assert_eq!(alice.timeline(&bob).len(), 2);
}

/// An opt-out (XEP-0384 §5.9) with this reason, and `beside` in the same envelope.
fn opt_out(reason: &str, beside: &str) -> String {
    in_envelope(
        &format!("{beside}<opt-out xmlns='urn:xmpp:omemo:2'><reason>{reason}</reason></opt-out>"),
        "<from jid='bob@b.example'/>",
    )
}

fn told_of(done: &crate::unit::Done) -> bool {
    let bob = BareJid::new("bob@b.example").unwrap();
    done.notices
        .iter()
        .any(|notice| matches!(notice, crate::unit::Notice::OptedOut(peer) if *peer == bob))
}

#[test]
fn an_opt_out_is_kept_with_its_reason_and_is_no_message() {
    let (mut alice, mut bob) = acquainted();
    let envelope = opt_out("the rules of the house", "");
    let message = bob.encrypt(&alice, Version::Omemo2, envelope);
    let done = alice.take_silently(&message.stanza());
    assert!(told_of(&done));
    let stored = || alice.store.conversation(&bob.address.jid).unwrap().unwrap();
    let kept = stored().opt_out.unwrap();
    assert_eq!(kept.at, alice.now);
    assert_eq!(kept.reason.as_deref(), Some("the rules of the house"));
    assert!(!format!("{kept:?}").contains("house"));
}

#[test]
fn a_text_beside_an_opt_out_is_shown_without_it() {
    let (mut alice, mut bob) = acquainted();
    let message = bob.encrypt(&alice, Version::Omemo2, opt_out("", BODY));
    let taken = alice.take(&message.stanza());
    assert!(told_of(&taken.done));
    assert_eq!(
        taken.row().content,
        Content::Readable(Plaintext::text("secret plan")),
        "the opt-out is not among what is kept for later releases"
    );
    let kept = alice.store.conversation(&bob.address.jid).unwrap().unwrap();
    assert_eq!(kept.opt_out.unwrap().reason, None);
}

#[test]
fn an_opt_out_that_nobody_authenticated_or_that_is_our_own_binds_nobody() {
    let (mut alice, mut bob) = acquainted();
    let element = "<opt-out xmlns='urn:xmpp:omemo:2'><reason>give up</reason></opt-out>";
    let outside = bob
        .write(&alice, Version::Omemo2, "hello")
        .stanza_with("", element);
    assert!(
        !told_of(&alice.take(&outside).done),
        "beside the encryption"
    );
    let clear = message(
        "from='bob@b.example/x' to='alice@a.example' type='chat'",
        &format!("<body>bye</body>{element}"),
    );
    assert!(!told_of(&alice.take(&clear).done), "without encryption");
    let damaged = bob.encrypt(
        &alice,
        Version::Omemo2,
        opt_out("", "").replace("bob@", "eve@"),
    );
    assert!(!told_of(&alice.take(&damaged.stanza()).done), "of another");
    let stored = alice.store.conversation(&bob.address.jid).unwrap().unwrap();
    assert_eq!(stored.opt_out, None);

    // Another device of ours tells Bob; this one has nothing to answer.
    let mut laptop = Peer::install("alice@a.example", 7);
    laptop.meet(&alice, Version::Omemo2);
    let envelope = in_envelope(element, "<from jid='alice@a.example'/>");
    let copy = laptop.encrypt(&alice, Version::Omemo2, envelope);
    let stanza = message(
        "from='alice@a.example/laptop' to='bob@b.example' type='chat'",
        &copy.element(),
    );
    let taken = alice.take_all(&[(&stanza, Source::Carbon)], Receiving::Live);
    assert!(!told_of(&taken.done));
    let stored = alice.store.conversation(&bob.address.jid).unwrap().unwrap();
    assert_eq!(stored.opt_out, None);
}
