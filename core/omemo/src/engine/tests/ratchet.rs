//! One session over time.

use eft_types::DeviceAddress;

use crate::engine::Step;
use crate::limits::{
    HEARTBEAT_COUNTER, MAX_SKIP, MAX_SKIP_LEGACY, MAX_SKIPPED_KEYS, OLD_CHAINS, SKIPPED_KEY_TURNS,
};
use crate::profile::{Direction, Header};
use crate::record::Stored as _;
use crate::session::Session;
use crate::testing::{Device, connect};
use crate::{
    Action, Changes, EmptyReason, EncryptedKey, EncryptedMessage, Event, Outcome, RecordKey,
    RecordKind, Version,
};

/// Alice and Bob with a session that both have used.
pub(super) fn acquainted(version: Version) -> (Device, Device) {
    let (mut alice, mut bob) = connect(version);
    let hello = alice.send(&bob.address, version, "hello");
    assert_eq!(bob.read(&hello), "hello");
    let answer = bob.send(&alice.address, version, "hello yourself");
    assert_eq!(alice.read(&answer), "hello yourself");
    alice.actions.clear();
    bob.actions.clear();
    (alice, bob)
}

pub(super) fn send_many(
    from: &mut Device,
    to: &DeviceAddress,
    version: Version,
    count: u32,
) -> Vec<EncryptedMessage> {
    (0..count)
        .map(|index| from.send(to, version, &index.to_string()))
        .collect()
}

#[test]
fn messages_of_one_chain_may_come_in_any_order() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let messages = send_many(&mut alice, &bob.address, version, 20);
        for index in [
            19, 3, 4, 0, 18, 1, 2, 17, 5, 10, 6, 7, 8, 9, 16, 11, 12, 13, 15, 14,
        ] {
            assert_eq!(bob.read(&messages[index]), index.to_string());
            bob.restart();
        }
        assert_eq!(bob.count(RecordKind::SkippedKey), 0);
        assert_eq!(bob.count(RecordKind::SkippedKeys), 0);
        let evicted = |event: &Event| matches!(event, Event::SkippedKeysEvicted { .. });
        assert!(!bob.events.iter().any(evicted), "none had to go");
    }
}

#[test]
fn a_message_that_comes_twice_is_a_silent_duplicate() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let messages = send_many(&mut alice, &bob.address, version, 3);
        bob.read(&messages[2]);
        bob.read(&messages[0]);
        let before = bob.snapshot();
        for index in [0, 2] {
            assert_eq!(bob.receive(&messages[index]), Outcome::Duplicate);
            assert!(bob.written.is_empty());
        }
        assert_eq!(bob.snapshot(), before);
        assert_eq!(bob.read(&messages[1]), "1");
        assert_eq!(bob.receive(&messages[1]), Outcome::Duplicate);
    }
}

#[test]
fn the_key_exchange_is_repeated_until_the_peer_has_written() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let messages = send_many(&mut alice, &bob.address, version, 3);
        assert!(messages.iter().all(|message| message.keys[0].kex));
        // Lost: all but the last. It makes the session alone.
        assert_eq!(bob.read(&messages[2]), "2");
        let answer = bob.send_empty(&alice.address, version);
        assert!(!answer.keys[0].kex);
        assert!(matches!(alice.receive(&answer), Outcome::Empty { .. }));
        assert!(!alice.send(&bob.address, version, "4").keys[0].kex);
        assert_eq!(bob.read(&messages[0]), "0");
        assert_eq!(bob.read(&messages[1]), "1");
    }
}

#[test]
fn an_encrypt_writes_the_session_row_only_and_that_row_is_small() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        // Skipped keys and old chains, on both sides.
        for _ in 0..8 {
            let messages = send_many(&mut alice, &bob.address, version, 5);
            bob.read(&messages[4]);
            let answers = send_many(&mut bob, &alice.address, version, 5);
            alice.read(&answers[3]);
        }
        alice.send(&bob.address, version, "text");
        let session = RecordKey::Session {
            address: bob.address.clone(),
            version,
        };
        assert_eq!(alice.written, core::slice::from_ref(&session));
        assert!(alice.row_size(&session).unwrap() < 400);
    }
}

#[test]
fn the_last_messages_of_a_chain_may_come_after_the_next_chain_began() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let first = send_many(&mut alice, &bob.address, version, 4);
        bob.read(&first[0]);
        let answer = bob.send(&alice.address, version, "turn");
        alice.read(&answer);
        let second = send_many(&mut alice, &bob.address, version, 2);
        // `pn` of the second chain says that three of the first are missing: their keys are stored now.
        bob.read(&second[1]);
        assert_eq!(bob.count(RecordKind::SkippedKey), 3 + 1);
        for index in [3, 1, 2] {
            assert_eq!(bob.read(&first[index]), index.to_string());
        }
        assert_eq!(bob.read(&second[0]), "0");
        assert_eq!(bob.count(RecordKind::SkippedKey), 0);
    }
}

/// An empty message with a header that the sender's own engine would not write.
pub(super) fn send_forged(
    from: &mut Device,
    to: &DeviceAddress,
    version: Version,
    edit: impl FnOnce(&mut Header),
) -> EncryptedMessage {
    let row = RecordKey::Session {
        address: to.clone(),
        version,
    };
    from.load(&crate::encrypt_needs(version, [to]));
    let record = from.records.read(&row).unwrap().unwrap().clone();
    let session = Session::from_body(&record.0).unwrap().clone();
    let profile = version.profile();
    let (ratchet, mut header, key) = session
        .ratchet
        .advance(&profile.labels(), &mut from.rng)
        .unwrap()
        .unwrap();
    edit(&mut header);
    let identity = from
        .run(|records| Ok(Step::new(records).account()?.identity.public()))
        .unwrap();
    let ours = profile.encode_identity(&identity).unwrap();
    let theirs = profile.encode_identity(&session.their_identity).unwrap();
    let ad = profile.associated_data(session.role, Direction::Sent, &ours, &theirs);
    let material = profile.empty_key_material(&mut from.rng);
    let key = EncryptedKey {
        jid: Some(to.jid.clone()),
        rid: to.device,
        kex: false,
        data: key.seal(profile, &ad, &header, &material.key_material),
    };
    let mut changes = Changes::new();
    changes.put(row, Session { ratchet, ..session });
    from.commit(changes);
    EncryptedMessage {
        version,
        sender: from.address.jid.clone(),
        sid: from.address.device,
        keys: vec![key],
        iv: material.iv,
        payload: None,
    }
}

#[test]
fn pitfall_17_a_pn_that_is_one_too_low_loses_no_message() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let first = send_many(&mut alice, &bob.address, version, 3);
        bob.read(&first[0]);
        let answer = bob.send(&alice.address, version, "turn");
        alice.read(&answer);
        // libsignal: pn = 3 messages − 1.
        let second = send_forged(&mut alice, &bob.address, version, |header| header.pn -= 1);
        assert!(matches!(bob.receive(&second), Outcome::Empty { .. }));
        assert_eq!(bob.count(RecordKind::SkippedKey), 1);
        assert_eq!(bob.read(&first[2]), "2");
        assert_eq!(bob.read(&first[1]), "1");
    }
}

#[test]
fn chains_are_kept_five_turns_back() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut late = Vec::new();
        for _ in 0..OLD_CHAINS + 2 {
            // A `pn` of 0 is of no help: only the chains themselves can reach what was lost.
            let first = send_forged(&mut alice, &bob.address, version, |header| header.pn = 0);
            assert!(matches!(bob.receive(&first), Outcome::Empty { .. }));
            late.push(alice.send(&bob.address, version, "late"));
            let answer = bob.send(&alice.address, version, "turn");
            alice.read(&answer);
        }
        assert_eq!(bob.count(RecordKind::SkippedKey), 0);
        // The present chain and five old ones; newest first, so that none is helped by another.
        for message in late.iter().skip(1).rev() {
            assert_eq!(bob.read(message), "late");
            assert_eq!(bob.receive(message), Outcome::Duplicate);
        }
        assert_eq!(bob.receive(&late[0]), Outcome::BadMac);
    }
}

#[test]
fn a_thousand_messages_may_be_skipped_and_one_more_waits() {
    for (version, max) in [
        (Version::Omemo2, MAX_SKIP),
        (Version::Legacy, MAX_SKIP_LEGACY),
    ] {
        let (mut alice, mut bob) = acquainted(version);
        let messages = send_many(&mut alice, &bob.address, version, max + 2);
        let (next, last) = (
            usize::try_from(max).unwrap(),
            usize::try_from(max).unwrap() + 1,
        );
        // Bob awaits number 0; between it and the last lie max + 1.
        let before = bob.snapshot();
        let outcome = bob.receive(&messages[last]);
        assert_eq!(outcome, Outcome::SkippedTooMany { got: max + 1, max });
        assert!(outcome.may_improve());
        assert_eq!(bob.snapshot(), before);
        // With the first one read, it is within the limit.
        bob.read(&messages[0]);
        assert_eq!(bob.read(&messages[last]), last.to_string());
        assert_eq!(bob.count(RecordKind::SkippedKey), MAX_SKIPPED_KEYS);
        assert_eq!(bob.read(&messages[next]), next.to_string());
    }
}

#[test]
fn keys_past_the_limit_are_evicted_oldest_first_or_not_at_all() {
    let version = Version::Omemo2;
    let (mut alice, mut bob) = acquainted(version);
    let messages = send_many(&mut alice, &bob.address, version, 1203);
    bob.read(&messages[900]);
    bob.may_evict = false;
    let before = bob.snapshot();
    let outcome = bob.receive(&messages[1202]);
    assert_eq!(outcome, Outcome::WouldEvict { count: 201 });
    assert!(outcome.may_improve());
    assert_eq!(bob.snapshot(), before);
    bob.may_evict = true;
    assert_eq!(bob.read(&messages[1202]), "1202");
    assert_eq!(bob.count(RecordKind::SkippedKey), MAX_SKIPPED_KEYS);
    let evicted = Event::SkippedKeysEvicted {
        address: alice.address.clone(),
        version,
        count: 201,
    };
    assert!(bob.events.contains(&evicted));
    // The oldest are gone for good, the next is there.
    for lost in [0, 200] {
        assert_eq!(bob.receive(&messages[lost]), Outcome::Duplicate);
    }
    assert_eq!(bob.read(&messages[201]), "201");
}

#[test]
fn a_skipped_key_is_not_kept_for_ever() {
    let version = Version::Omemo2;
    let (mut alice, mut bob) = acquainted(version);
    let lost = alice.send(&bob.address, version, "lost");
    let seen = alice.send(&bob.address, version, "seen");
    bob.read(&seen);
    let mut turn = |bob: &mut Device| {
        let answer = bob.send_empty(&alice.address, version);
        alice.receive(&answer);
        let next = alice.send_empty(&bob.address, version);
        bob.receive(&next);
    };
    // While archives are caught up with, nothing expires, however old.
    bob.may_evict = false;
    for _ in 0..SKIPPED_KEY_TURNS + 5 {
        turn(&mut bob);
    }
    assert_eq!(bob.count(RecordKind::SkippedKey), 1);
    let mut late = bob.clone();
    assert_eq!(late.read(&lost), "lost");
    bob.may_evict = true;
    turn(&mut bob);
    assert_eq!(bob.count(RecordKind::SkippedKey), 0);
    assert_eq!(bob.count(RecordKind::SkippedKeys), 0);
    assert!(matches!(
        bob.events.last(),
        Some(Event::SkippedKeysEvicted { count: 1, .. })
    ));
}

#[test]
fn pitfall_09_a_repetition_is_silent_also_when_its_chain_is_long_gone() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let old = alice.send(&bob.address, version, "old");
        assert_eq!(bob.read(&old), "old");
        for _ in 0..2 * OLD_CHAINS {
            let answer = bob.send(&alice.address, version, "turn");
            alice.read(&answer);
            let message = alice.send(&bob.address, version, "turned");
            bob.read(&message);
        }
        bob.restart();
        bob.actions.clear();
        let before = bob.snapshot();
        assert_eq!(bob.receive(&old), Outcome::Duplicate);
        assert_eq!((bob.actions.len(), bob.snapshot()), (0, before));
        // Another in its place, of a chain that is gone: nobody can tell whether its key was used.
        let mut changed = old.clone();
        let data = &mut changed.keys[0].data;
        // At the beginning of the MAC, which stands first or last.
        let at = match version {
            Version::Omemo2 => 5,
            Version::Legacy => data.len() - 8,
        };
        data[at] ^= 1;
        assert_eq!(bob.receive(&changed), Outcome::BadMac);
        // Another message of that chain is what it was: of a chain that is gone.
        let mut forged = old.clone();
        let last = forged.keys[0].data.len() - 1;
        forged.keys[0].data[last] ^= 1;
        forged.keys[0].data[3] ^= 1;
        assert_ne!(bob.receive(&forged), Outcome::Duplicate);
    }
}

#[test]
fn a_hostile_pn_costs_nothing_and_breaks_nothing() {
    // An authenticated peer that claims 2³¹−1 lost messages in its last chain.
    let version = Version::Omemo2;
    let (mut alice, mut bob) = acquainted(version);
    let message = send_forged(&mut alice, &bob.address, version, |header| {
        header.pn = 0x7FFF_FFFF;
    });
    assert!(matches!(bob.receive(&message), Outcome::Empty { .. }));
    assert_eq!(bob.count(RecordKind::SkippedKey), 0);
    let next = alice.send(&bob.address, version, "next");
    assert_eq!(bob.read(&next), "next");
}

#[test]
fn each_ratchet_key_of_the_peer_gets_one_heartbeat() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let heartbeat = Action::SendEmpty {
            to: alice.address.clone(),
            version,
            reason: EmptyReason::Heartbeat,
        };
        let messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 5);
        let threshold = usize::try_from(HEARTBEAT_COUNTER).unwrap();
        for message in &messages[..threshold] {
            bob.read(message);
        }
        assert_eq!(bob.actions, []);
        // The message of that very number is lost; a later one does it.
        bob.read(&messages[threshold + 1]);
        assert_eq!(bob.actions, core::slice::from_ref(&heartbeat));
        bob.actions.clear();
        bob.restart();
        for index in [threshold + 2, threshold + 4, threshold, threshold + 3] {
            bob.read(&messages[index]);
        }
        assert_eq!(bob.actions, [], "once is enough");
        // The heartbeat turns the ratchet, and the next key has its own.
        let empty = bob.send_empty(&alice.address, version);
        assert!(matches!(alice.receive(&empty), Outcome::Empty { .. }));
        let messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 1);
        assert_eq!(
            messages[0].chain_position(&bob.address).unwrap().unwrap().n,
            0
        );
        bob.read(&messages[threshold]);
        assert_eq!(bob.actions, [heartbeat]);
    }
}
