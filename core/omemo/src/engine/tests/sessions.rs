//! Making, replacing and losing sessions.

use super::ratchet::{acquainted, send_forged};
use crate::limits::{ARCHIVED_SESSIONS, MAX_SKIP};
use crate::testing::{Device, connect, seeded};
use crate::{
    Action, EmptyReason, Event, InitiateError, Outcome, RecordKey, RecordKind, Version,
    finish_catch_up, forget_device, has_session, peer_identity,
};

fn build_session(to: &Device, version: Version) -> Action {
    Action::BuildSession {
        to: to.address.clone(),
        version,
    }
}

#[test]
fn both_sides_may_initiate_at_once() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        let from_alice = alice.send(&bob.address, version, "from alice");
        let from_bob = bob.send(&alice.address, version, "from bob");
        assert_eq!(bob.read(&from_alice), "from alice");
        assert_eq!(alice.read(&from_bob), "from bob");
        // Each now has the other's session as the current one. Whatever comes next is read, in any order.
        for round in 0..4 {
            let text = round.to_string();
            let (a, b) = (
                alice.send(&bob.address, version, &text),
                bob.send(&alice.address, version, &text),
            );
            assert_eq!(bob.read(&a), text);
            assert_eq!(alice.read(&b), text);
            alice.restart();
            bob.restart();
        }
        let last = alice.send(&bob.address, version, "settled");
        assert!(!last.keys[0].kex);
        assert_eq!(bob.read(&last), "settled");
    }
}

#[test]
fn messages_under_way_over_a_replaced_session_are_read_and_revive_it() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let under_way = alice.send(&bob.address, version, "under way");
        // Bob's user asks for a new session; Alice does not know of it yet.
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        assert_eq!(bob.count(RecordKind::ArchivedSessions), 1);
        assert_eq!(bob.read(&under_way), "under way");
        // Bob's message now goes over the session that works.
        let answer = bob.send(&alice.address, version, "answer");
        assert!(!answer.keys[0].kex);
        assert_eq!(alice.read(&answer), "answer");
    }
}

#[test]
fn a_message_of_an_old_chain_does_not_revive_a_replaced_session() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let seen = alice.send(&bob.address, version, "seen");
        bob.read(&seen);
        let late = alice.send(&bob.address, version, "late");
        let answer = bob.send(&alice.address, version, "turn");
        alice.read(&answer);
        // No `pn` tells of the late one, so that no skipped key helps: the old chain has to.
        let next = send_forged(&mut alice, &bob.address, version, |header| header.pn = 0);
        bob.receive(&next);
        assert_eq!(bob.count(RecordKind::SkippedKey), 0);
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        assert_eq!(bob.read(&late), "late");
        assert!(bob.send(&alice.address, version, "x").keys[0].kex);
        assert_eq!(bob.receive(&late), Outcome::Duplicate);
        // A message of its present chain is news, and does revive it.
        let news = alice.send(&bob.address, version, "news");
        assert_eq!(bob.read(&news), "news");
        assert!(!bob.send(&alice.address, version, "x").keys[0].kex);
    }
}

#[test]
fn a_late_message_of_a_replaced_session_is_read_with_its_skipped_key() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let late = alice.send(&bob.address, version, "late");
        let seen = alice.send(&bob.address, version, "seen");
        bob.read(&seen);
        // Alice makes a new session, so roles are the same; then Bob makes one, so they are not.
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let hello = alice.send(&bob.address, version, "hello");
        bob.read(&hello);
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        assert_eq!(bob.read(&late), "late");
        assert!(
            bob.send(&alice.address, version, "x").keys[0].kex,
            "no revival by an old message"
        );
    }
}

#[test]
fn a_repeated_key_exchange_takes_no_second_prekey() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let messages =
            [0, 1, 2].map(|index: u8| alice.send(&bob.address, version, &index.to_string()));
        bob.read(&messages[0]);
        let pre_keys = RecordKey::PreKeys { version };
        assert!(bob.written.contains(&pre_keys));
        for message in &messages[1..] {
            bob.read(message);
            assert!(!bob.written.contains(&pre_keys));
        }
        assert_eq!(bob.receive(&messages[0]), Outcome::Duplicate);
        // Even when the session has been replaced since.
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        let fourth = alice.send(&bob.address, version, "3");
        assert!(fourth.keys[0].kex);
        assert_eq!(bob.read(&fourth), "3");
        assert!(!bob.written.contains(&pre_keys));
        assert_eq!(bob.receive(&messages[1]), Outcome::Duplicate);
    }
}

#[test]
fn pitfall_16_the_attribute_does_not_decide_what_a_message_is() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let mut exchange = alice.send(&bob.address, version, "exchange");
        exchange.keys[0].kex = false;
        assert_eq!(bob.read(&exchange), "exchange");
        let mut answer = bob.send(&alice.address, version, "answer");
        answer.keys[0].kex = true;
        assert_eq!(alice.read(&answer), "answer");
    }
}

#[test]
fn an_accepted_exchange_asks_for_an_answer_and_a_new_bundle() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        bob.actions.clear();
        let message = alice.send_empty(&bob.address, version);
        assert!(matches!(bob.receive(&message), Outcome::Empty { .. }));
        let answer = Action::SendEmpty {
            to: alice.address.clone(),
            version,
            reason: EmptyReason::KeyExchangeAnswer,
        };
        let refresh = Action::RefreshDeviceList {
            jid: alice.address.jid.clone(),
            version,
        };
        assert_eq!(
            bob.actions,
            [Action::PublishBundle { version }, answer, refresh]
        );
        let accepted = Event::SessionAccepted {
            address: alice.address.clone(),
            version,
        };
        assert!(bob.events.contains(&accepted));
    }
}

#[test]
fn pitfall_24_a_message_without_a_session_asks_for_one_and_changes_nothing() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let effects = bob
            .run(|records| forget_device(records, &alice.address))
            .unwrap();
        bob.take(effects);
        assert!(
            !bob.run(|records| has_session(records, &alice.address, version))
                .unwrap()
        );
        let message = alice.send(&bob.address, version, "text");
        let before = bob.snapshot();
        assert_eq!(bob.receive(&message), Outcome::NoSession);
        assert_eq!(bob.receive(&message), Outcome::NoSession);
        assert_eq!(bob.snapshot(), before);
        let asked = bob
            .actions
            .iter()
            .filter(|action| **action == build_session(&alice, version));
        assert_eq!(asked.count(), 1);
        // What the client then does heals the conversation.
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        let healing = bob.send_empty(&alice.address, version);
        assert!(matches!(alice.receive(&healing), Outcome::Empty { .. }));
        let message = alice.send(&bob.address, version, "healed");
        assert_eq!(bob.read(&message), "healed");
    }
}

#[test]
fn pitfall_11_a_message_that_cannot_be_decrypted_never_asks_for_a_session() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut message = alice.send(&bob.address, version, "text");
        let last = message.keys[0].data.len() - 1;
        message.keys[0].data[last] ^= 1;
        bob.actions.clear();
        assert_eq!(bob.receive(&message), Outcome::BadMac);
        assert_eq!(bob.actions, []);
    }
}

#[test]
fn an_exchange_for_a_prekey_that_is_gone_is_named() {
    for version in Version::ALL {
        let mut alice = Device::install("alice@a.example", 1);
        let mut bob = Device::install("bob@b.example", 2);
        let mut carol = Device::install("carol@c.example", 3);
        let bundle = bob.bundle(version);
        // The same randomness picks the same prekey.
        (alice.rng, carol.rng) = (seeded(7), seeded(7));
        alice.initiate(&bundle).unwrap();
        carol.initiate(&bundle).unwrap();
        let (first, second) = (
            alice.send(&bob.address, version, "first"),
            carol.send(&bob.address, version, "second"),
        );
        bob.read(&first);
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        let before = bob.snapshot();
        let outcome = bob.receive(&second);
        assert!(
            matches!(outcome, Outcome::UnknownPreKey { id } if id != 0),
            "{outcome:?}"
        );
        assert_eq!(bob.snapshot(), before);
        assert!(bob.actions.contains(&build_session(&carol, version)));
    }
}

#[test]
fn pitfall_34_another_identity_key_under_a_known_device_id_is_refused_until_the_user_agrees() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut mallory = Device::install("alice@a.example", 66);
        mallory.address.device = alice.address.device;
        let bundle = bob.bundle(version);
        mallory.initiate(&bundle).unwrap();
        let mut forged = mallory.send(&bob.address, version, "I am Alice");
        forged.sid = alice.address.device;
        let before = bob.snapshot();
        let identity = |device: &mut Device| device.run(crate::own_fingerprint).unwrap();
        let (known, found) = (identity(&mut alice), identity(&mut mallory));
        let refused = Outcome::IdentityChanged { known, found };
        assert_eq!(bob.receive(&forged), refused);
        assert_eq!(bob.snapshot(), before);
        let told = Event::IdentityChangeRefused {
            address: alice.address.clone(),
            known,
            found,
        };
        assert!(bob.events.contains(&told));
        // The same in a bundle.
        let bundle = mallory.bundle(version);
        let error = bob.initiate(&bundle).unwrap_err();
        assert!(
            matches!(error, InitiateError::IdentityChanged { .. }),
            "{error:?}"
        );
        // Alice did reinstall, and the user agrees.
        let effects = bob
            .run(|records| forget_device(records, &alice.address))
            .unwrap();
        bob.take(effects);
        assert_eq!(
            bob.run(|records| peer_identity(records, &alice.address))
                .unwrap(),
            None
        );
        assert_eq!(bob.read(&forged), "I am Alice");
        let now_known = bob
            .run(|records| peer_identity(records, &alice.address))
            .unwrap();
        assert_eq!(now_known.unwrap().fingerprint(), found);
    }
}

#[test]
fn the_identity_key_is_one_for_both_versions() {
    let (mut alice, mut bob) = connect(Version::Legacy);
    let legacy = alice.send(&bob.address, Version::Legacy, "legacy");
    bob.read(&legacy);
    let identity = bob
        .run(|records| peer_identity(records, &alice.address))
        .unwrap()
        .unwrap();
    assert_eq!(identity.ed25519(), None);
    let bundle = bob.bundle(Version::Omemo2);
    alice.initiate(&bundle).unwrap();
    let omemo2 = alice.send(&bob.address, Version::Omemo2, "omemo2");
    assert_eq!(bob.read(&omemo2), "omemo2");
    let identity = bob
        .run(|records| peer_identity(records, &alice.address))
        .unwrap()
        .unwrap();
    assert!(
        identity.ed25519().is_some(),
        "the Ed25519 form is kept once it is seen"
    );
    // The sessions are separate.
    let legacy = bob.send(&alice.address, Version::Legacy, "back");
    assert_eq!(alice.read(&legacy), "back");
    assert_eq!(bob.count(RecordKind::Session), 2);
    assert_eq!(bob.count(RecordKind::Trust), 2, "bob's own and alice's");
}

#[test]
fn replaced_sessions_are_bounded() {
    let version = Version::Omemo2;
    let (mut alice, mut bob) = connect(version);
    let mut firsts = Vec::new();
    for _ in 0..ARCHIVED_SESSIONS + 2 {
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let message = alice.send(&bob.address, version, "first of a session");
        bob.read(&message);
        firsts.push(alice.send(&bob.address, version, "second of a session"));
    }
    let effects = bob.run(finish_catch_up).unwrap();
    bob.take(effects);
    // The current one and ten archived ones are there; the one before is gone, and its prekey as well.
    for message in firsts.iter().skip(1).rev() {
        assert_eq!(bob.read(message), "second of a session");
    }
    assert!(matches!(
        bob.receive(&firsts[0]),
        Outcome::UnknownPreKey { .. }
    ));
}

#[test]
fn a_chain_of_a_replaced_session_is_recognised_however_far_ahead_the_message_is() {
    // The current session takes such a number for one too far ahead in a chain that it does not know.
    let version = Version::Omemo2;
    let (mut alice, mut bob) = acquainted(version);
    let first = alice.send(&bob.address, version, "first");
    bob.read(&first);
    for _ in 0..MAX_SKIP {
        let message = alice.send(&bob.address, version, "read");
        bob.read(&message);
    }
    let bundle = alice.bundle(version);
    bob.initiate(&bundle).unwrap();
    let far = alice.send(&bob.address, version, "far");
    assert!(far.chain_position(&bob.address).unwrap().unwrap().n > MAX_SKIP);
    assert_eq!(bob.read(&far), "far");
}
