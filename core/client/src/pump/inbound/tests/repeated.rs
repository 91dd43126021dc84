//! Law 4: duplicates are silent, and nothing else is.

use eft_omemo::Version;
use eft_store::{
    Batch, Content, ConversationRef, Direction, Durability, MessageEncryption, MessageUpdate,
    NewMessage, Plaintext,
};
use eft_types::{BareJid, OriginId, StanzaId};
use eft_xmpp::Element;

use super::received::archived;
use super::*;
use crate::pump::inbound::{Receiving, Source};

const ORIGIN: &str = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>";
const STANZA_ID: &str = "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@a.example' id='s1'/>";

fn readable(text: &str) -> Content {
    Content::Readable(Plaintext::text(text))
}

fn plain(id: &str, children: &str) -> Element {
    message(
        &format!("from='bob@b.example/x' to='alice@a.example' type='chat' {id}"),
        children,
    )
}

#[test]
fn pitfall_09_the_same_again_by_the_archives_id_is_silent() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let stanza = bob
            .write(&alice, version, "hello")
            .stanza_with("", STANZA_ID);
        alice.take(&stanza);
        let before = alice.records();
        alice.take_silently(&stanza);
        let without_ids = bob.write(&alice, version, "another text").stanza();
        let again = [
            (&stanza, archived("s1")),
            // The archive's word counts, whatever the stanza says.
            (&without_ids, archived("s1")),
        ];
        let taken = alice.take_all(&again, Receiving::CatchUp);
        assert_eq!(taken.news, []);
        assert_eq!(alice.timelines().len(), 1);
        assert!(alice.records() == before);
    }
}

#[test]
fn the_same_again_by_the_senders_id_is_silent_and_learns_the_archives() {
    for version in Version::ALL {
        for id in [ORIGIN, ""] {
            let mut alice = Alice::install();
            let mut bob = Peer::bob(&alice, version);
            let stanza = bob
                .write(&alice, version, "hello")
                .stanza_with("id='m1'", id);
            alice.take(&stanza);
            let before = alice.records();
            alice.take_silently(&stanza);
            let taken = alice.take_all(&[(&stanza, archived("s1"))], Receiving::CatchUp);
            assert_eq!(taken.news, []);
            assert!(alice.records() == before);
            let rows = alice.timelines();
            assert_eq!(rows.len(), 1);
            let bound = rows[0].archive_id.as_ref().unwrap();
            assert_eq!(bound.stanza_id, StanzaId::new("s1"), "{id}");
        }
    }
}

#[test]
fn the_same_again_without_any_id_is_silent() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let stanza = bob.write(&alice, version, "hello").stanza();
        alice.take(&stanza);
        let before = alice.records();
        for _ in 0..3 {
            alice.take_silently(&stanza);
        }
        assert!(alice.records() == before);
    }
}

#[test]
fn a_message_twice_in_one_unit_of_work_is_one_row() {
    for version in Version::ALL {
        for ids in ["", ORIGIN, STANZA_ID] {
            let mut alice = Alice::install();
            let mut bob = Peer::bob(&alice, version);
            let stanza = bob
                .write(&alice, version, "hello")
                .stanza_with("id='m1'", ids);
            let twice = [(&stanza, Source::Live), (&stanza, Source::Live)];
            assert_eq!(alice.take_all(&twice, Receiving::Live).news.len(), 1);
            assert_eq!(alice.timelines().len(), 1);
        }
    }
}

#[test]
fn pitfall_20_our_own_message_coming_back_is_ours() {
    let mut alice = Alice::install();
    let bob = BareJid::new("bob@b.example").unwrap();
    let mut batch = Batch::new();
    let sent = batch.insert_message(NewMessage {
        encryption: MessageEncryption::Omemo2,
        ..NewMessage::outgoing(
            ConversationRef::direct(bob.clone()),
            alice.own.jid.clone().into(),
            OriginId::new("o1"),
            Plaintext::text("hello Bob"),
            alice.now,
        )
    });
    let done = alice.store.commit(&batch, Durability::Full).unwrap();
    let sent = done.message(sent).unwrap().id();
    let device = alice.own.device;
    let stanza = message(
        "from='alice@a.example/eft' to='bob@b.example' type='chat' id='o1'",
        &format!(
            "{ORIGIN}<encrypted xmlns='urn:xmpp:omemo:2'><header sid='{device}'>\
             <keys jid='bob@b.example'><key rid='5'>AAAA</key></keys></header>\
             <payload>AAAA</payload></encrypted>"
        ),
    );
    let taken = alice.take_all(&[(&stanza, archived("s1"))], Receiving::CatchUp);
    assert_eq!(taken.news, []);
    let rows = alice.timeline(&bob);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].id, sent);
    assert_eq!(rows[0].direction, Direction::Outgoing);
    assert!(rows[0].archive_id.is_some());
}

#[test]
fn a_failed_message_that_comes_again_readable_is_improved_in_place() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let good = bob.write(&alice, version, "hello");
        let mut bad = good.clone();
        bad.payload.as_mut().unwrap()[0] ^= 1;
        let row = alice.take(&bad.stanza_with("", ORIGIN)).row();
        assert!(!row.content.is_readable());
        // Failing again is nothing new.
        alice.take_silently(&bad.stanza_with("", ORIGIN));
        let improved = alice.take(&good.stanza_with("", ORIGIN)).row();
        assert_eq!(improved.id, row.id);
        assert_eq!(improved.content, readable("hello"));
        assert_eq!(alice.timelines().len(), 1);
    }
}

#[test]
fn an_id_that_is_unique_within_a_stream_only_loses_no_message() {
    let texts = ["one", "two", "three"];
    let rows = |alice: &Alice| -> Vec<Content> {
        let rows = alice.timelines().into_iter().rev();
        rows.map(|row| row.content).collect()
    };
    let expected = texts.map(readable);
    // A program that writes the same id on every message. Unencrypted, live and in one page.
    let stanzas = texts.map(|text| plain("id='1'", &format!("<body>{text}</body>")));
    let mut alice = Alice::install();
    for stanza in &stanzas {
        alice.take(stanza);
    }
    assert_eq!(rows(&alice), expected);
    let mut alice = Alice::install();
    let page = [0, 1, 2].map(|index| (&stanzas[index], archived(&index.to_string())));
    alice.take_all(&page, Receiving::CatchUp);
    assert_eq!(rows(&alice), expected);
    // The same words on two days are two messages, and the archive tells them apart.
    alice.take_all(&[(&stanzas[0], archived("later"))], Receiving::CatchUp);
    assert_eq!(alice.timelines().len(), 4);
    // Encrypted.
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let stanzas = texts.map(|text| bob.write(&alice, version, text).stanza_with("id='1'", ""));
        for stanza in &stanzas {
            alice.take(stanza);
        }
        assert_eq!(rows(&alice), expected);
        for stanza in &stanzas {
            alice.take_silently(stanza);
        }
    }
}

#[test]
fn nobody_can_put_a_message_in_the_place_of_an_encrypted_one() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let real = bob.write(&alice, version, "real").stanza_with("", ORIGIN);
        // Bob's server holds the message back, and says something under its id first.
        let forged = plain("", &format!("{ORIGIN}<body>forged</body>"));
        alice.take(&forged);
        let row = alice.take(&real).row();
        assert_eq!(row.content, readable("real"));
        assert_eq!(alice.timelines().len(), 2);

        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let real = bob.write(&alice, version, "real").stanza_with("", ORIGIN);
        let both = [(&forged, Source::Live), (&real, Source::Live)];
        let taken = alice.take_all(&both, Receiving::Live);
        assert_eq!(taken.news.len(), 2);
        assert_eq!(taken.news[1].content, readable("real"));
    }
}

#[test]
fn what_the_session_has_left_behind_is_no_new_failure_when_it_comes_again() {
    for version in Version::ALL {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, version);
        let first = bob
            .write(&alice, version, "first")
            .stanza_with("id='m1'", "");
        alice.take(&first);
        // More turns than old chains are kept for.
        for turn in 0..8 {
            alice.answer(&mut bob, version);
            alice.take(&bob.write(&alice, version, &turn.to_string()).stanza());
        }
        let count = alice.timelines().len();
        let taken = alice.take_all(&[(&first, archived("s1"))], Receiving::CatchUp);
        assert_eq!(taken.news, []);
        let rows = alice.timelines();
        assert_eq!(rows.len(), count);
        let row = rows.iter().find(|row| row.content == readable("first"));
        assert!(row.unwrap().archive_id.is_some());
    }
}

#[test]
fn an_archive_id_is_given_once() {
    let mut alice = Alice::install();
    let stanza = plain("id='m1'", "<body>hello</body>");
    let row = alice.take(&stanza).row();
    let mut batch = Batch::new();
    let Source::Archive { id, .. } = archived("s1") else {
        panic!();
    };
    batch.update_message(row.id, MessageUpdate::ArchiveId(id.clone()));
    alice.store.commit(&batch, Durability::Full).unwrap();
    let claimed = plain("id='m2'", &format!("<body>other</body>{STANZA_ID}"));
    // Only our own archive can say so, and it does not say it twice.
    alice.take_silently(&claimed);
    let foreign = STANZA_ID.replace("alice@a.example", "bob@b.example");
    let row = alice
        .take(&plain("id='m3'", &format!("<body>third</body>{foreign}")))
        .row();
    assert_eq!(row.archive_id, None);
}

#[test]
fn two_stanzas_of_one_message_are_one_row_in_either_order() {
    // Each OMEMO version in a stanza of its own, under one id; this device has a key in one of them.
    for version in Version::ALL {
        for is_other_first in [false, true] {
            let mut alice = Alice::install();
            let mut bob = Peer::bob(&alice, version);
            let ours = bob
                .write(&alice, version, "hello")
                .stanza_with("id='m1'", ORIGIN);
            let other = match version {
                Version::Omemo2 => {
                    "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='5'><key rid='6'>AAAA</key>\
                     <iv>AAAAAAAAAAAAAAAA</iv></header><payload>AAAA</payload></encrypted>"
                }
                Version::Legacy => {
                    "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='5'><keys jid='alice@a.example'>\
                     <key rid='6'>AAAA</key></keys></header><payload>AAAA</payload></encrypted>"
                }
            };
            let other = plain("id='m1'", &format!("{other}{ORIGIN}"));
            let (first, second) = if is_other_first {
                (&other, &ours)
            } else {
                (&ours, &other)
            };
            alice.take(first);
            alice.take(second);
            let rows = alice.timelines();
            assert_eq!(rows.len(), 1, "{version:?} {is_other_first}");
            assert_eq!(rows[0].content, readable("hello"));
            // And all again from the archive, where each has an id of its own.
            let again = [(first, archived("s1")), (second, archived("s2"))];
            let taken = alice.take_all(&again, Receiving::CatchUp);
            assert_eq!((taken.news, alice.timelines().len()), (vec![], 1));
        }
    }
}
