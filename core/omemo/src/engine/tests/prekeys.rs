//! Prekeys under siege: many key exchanges at once, two with one prekey, and exchanges that come again.

use std::collections::HashSet;

use super::ratchet::acquainted;
use crate::limits::{ARCHIVED_SESSIONS, MAX_USED_PRE_KEYS, MIN_PRE_KEYS};
use crate::testing::{Device, connect, seeded};
use crate::wire::Incoming;
use crate::{Action, EncryptedMessage, Outcome, RecordKey, RecordKind, Version, finish_catch_up};

fn published(device: &mut Device, version: Version) -> Vec<u32> {
    let bundle = device
        .run(|records| crate::bundle(records, version))
        .unwrap();
    bundle.pre_keys.iter().map(|(id, _)| *id).collect()
}

#[test]
fn two_hundred_exchanges_in_one_catch_up_never_run_the_bundle_low() {
    for version in Version::ALL {
        let mut bob = Device::install("bob@b.example", 2);
        let initial: HashSet<_> = published(&mut bob, version).into_iter().collect();
        bob.actions.clear();
        // All have fetched the bundle before Bob was away.
        let bundle = bob.bundle(version);
        bob.catch_up = true;
        let mut taken = HashSet::new();
        let mut read = 0;
        for seed in 0..200 {
            let mut peer = Device::install(&format!("peer{seed}@p.example"), 1000 + seed);
            peer.initiate(&bundle).unwrap();
            let message = peer.send(&bob.address, version, "hello");
            assert_eq!(bob.read(&message), "hello", "{seed}");
            read += 1;
            let now = published(&mut bob, version);
            assert!(now.len() >= MIN_PRE_KEYS);
            // What is used is out of the bundle at once, and a number is never given to a second key.
            let unique: HashSet<_> = now.iter().copied().collect();
            assert_eq!(unique.len(), now.len());
            taken.extend(initial.difference(&unique).copied());
            assert!(taken.is_disjoint(&unique));
            if seed % 16 == 0 {
                bob.restart();
            }
        }
        assert_eq!(read, 200);
        let publish = Action::PublishBundle { version };
        let asked = bob.actions.iter().filter(|action| **action == publish);
        assert_eq!(asked.count(), 1, "one bundle at the end");
        let empties = bob
            .actions
            .iter()
            .filter(|action| matches!(action, Action::SendEmpty { .. }));
        assert_eq!(empties.count(), 200);
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        for id in taken {
            assert_eq!(bob.row_size(&RecordKey::PreKey { version, id }), None);
        }
        assert_eq!(
            bob.count(RecordKind::PreKey),
            published(&mut bob, Version::Legacy).len() + published(&mut bob, Version::Omemo2).len()
        );
    }
}

/// The prekey that an exchange names.
fn pre_key_of(message: &EncryptedMessage) -> u32 {
    let key = &message.keys[0];
    match message.version.profile().parse(&key.data, key.kex).unwrap() {
        Incoming::KeyExchange(exchange) => exchange.pre_key_id,
        Incoming::Message(_) => panic!("no exchange"),
    }
}

/// Two peers whose randomness picks the same prekey.
fn racing(version: Version) -> (Device, Device, Device) {
    let mut bob = Device::install("bob@b.example", 2);
    let bundle = bob.bundle(version);
    let [alice, carol] = [("alice@a.example", 1), ("carol@c.example", 3)].map(|(jid, seed)| {
        let mut peer = Device::install(jid, seed);
        peer.rng = seeded(7);
        peer.initiate(&bundle).unwrap();
        peer.rng = seeded(seed + 50);
        peer
    });
    bob.actions.clear();
    (alice, bob, carol)
}

#[test]
fn of_two_with_one_prekey_the_second_is_read_until_the_next_catch_up_has_ended() {
    for version in Version::ALL {
        let (mut alice, mut bob, mut carol) = racing(version);
        let first = alice.send(&bob.address, version, "first");
        let second = carol.send(&bob.address, version, "second");
        assert_eq!(bob.read(&first), "first");
        assert!(!published(&mut bob, version).contains(&pre_key_of(&first)));
        // He is away before anybody sees his new bundle.
        bob.restart();
        bob.catch_up = true;
        assert_eq!(bob.read(&second), "second");
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        let index = RecordKey::PreKey {
            version,
            id: pre_key_of(&first),
        };
        assert_eq!(bob.row_size(&index), None);
    }
}

#[test]
fn used_prekeys_are_kept_up_to_a_limit() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let before = bob.count(RecordKind::PreKey);
        for _ in 0..MAX_USED_PRE_KEYS + 20 {
            let bundle = bob.bundle(version);
            alice.initiate(&bundle).unwrap();
            let message = alice.send_empty(&bob.address, version);
            assert!(matches!(bob.receive(&message), Outcome::Empty { .. }));
        }
        assert_eq!(bob.count(RecordKind::PreKey), before + MAX_USED_PRE_KEYS);
    }
}

#[test]
fn what_the_user_forgot_does_not_come_back_by_an_exchange_that_comes_again() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let first = alice.send(&bob.address, version, "first");
        assert_eq!(bob.read(&first), "first");
        let address = alice.address.clone();
        let effects = bob.run(|records| crate::forget_device(records, &address));
        bob.take(effects.unwrap());
        assert!(matches!(bob.receive(&first), Outcome::UnknownPreKey { .. }));
    }
}

#[test]
fn of_two_with_one_prekey_the_second_is_told_apart_and_healed() {
    for version in Version::ALL {
        let (mut alice, mut bob, mut carol) = racing(version);
        let first = alice.send(&bob.address, version, "first");
        let second = carol.send(&bob.address, version, "second");
        assert_eq!(bob.read(&first), "first");
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        let before = bob.snapshot();
        assert!(matches!(
            bob.receive(&second),
            Outcome::UnknownPreKey { .. }
        ));
        assert!(bob.is_as(&before));
        let build = Action::BuildSession {
            to: carol.address.clone(),
            version,
        };
        assert!(bob.actions.contains(&build));
        let bundle = carol.bundle(version);
        bob.initiate(&bundle).unwrap();
        let empty = bob.send_empty(&carol.address, version);
        assert!(matches!(carol.receive(&empty), Outcome::Empty { .. }));
        let healed = carol.send(&bob.address, version, "healed");
        assert_eq!(bob.read(&healed), "healed");
    }
}

#[test]
fn pitfall_08_of_two_with_one_prekey_both_are_read_in_catch_up() {
    for version in Version::ALL {
        let (mut alice, mut bob, mut carol) = racing(version);
        bob.catch_up = true;
        let first = alice.send(&bob.address, version, "first");
        let second = carol.send(&bob.address, version, "second");
        assert_eq!(bob.read(&first), "first");
        bob.restart();
        assert_eq!(bob.read(&second), "second");
        let (a, c) = (&alice.address, &carol.address);
        for peer in [a, c] {
            let answered = bob
                .actions
                .iter()
                .any(|action| matches!(action, Action::SendEmpty { to, .. } if to == peer));
            assert!(answered, "off the key that was used twice");
        }
    }
}

#[test]
fn an_exchange_that_comes_again_is_a_repetition_or_names_a_key_that_is_gone() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        bob.catch_up = true;
        let first = alice.send(&bob.address, version, "first");
        assert_eq!(bob.read(&first), "first");
        let again = |bob: &mut Device| {
            bob.restart();
            let before = bob.snapshot();
            let outcome = bob.receive(&first);
            assert!(bob.is_as(&before), "{outcome:?}");
            outcome
        };
        // While the private key is still there: no second session is made of it.
        assert_eq!(again(&mut bob), Outcome::Duplicate);
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        assert_eq!(again(&mut bob), Outcome::Duplicate);
        // Replaced and archived.
        bob.catch_up = false;
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let second = alice.send(&bob.address, version, "second");
        assert_eq!(bob.read(&second), "second");
        assert_eq!(again(&mut bob), Outcome::Duplicate);
        // Fallen out of the archive.
        for _ in 0..=ARCHIVED_SESSIONS {
            let bundle = bob.bundle(version);
            alice.initiate(&bundle).unwrap();
            let next = alice.send_empty(&bob.address, version);
            bob.receive(&next);
        }
        assert_eq!(again(&mut bob), Outcome::Duplicate, "it was read");
        // Forgotten by the user: the prekey is gone all the same.
        let address = alice.address.clone();
        let effects = bob.run(|records| crate::forget_device(records, &address));
        bob.take(effects.unwrap());
        assert!(matches!(again(&mut bob), Outcome::UnknownPreKey { .. }));
    }
}

#[test]
fn an_exchange_without_a_prekey_is_malformed() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let exchange = alice.send(&bob.address, version, "text");
        // Field 1 is the prekey's number, first on the wire.
        let (start, field) = match version {
            Version::Omemo2 => (0, "pk_id"),
            Version::Legacy => (1, "preKeyId"),
        };
        let mut without = exchange.clone();
        let data = &mut without.keys[0].data;
        assert_eq!(data[start], 0x08);
        let length = 2 + usize::from(data[start + 1] & 0x80 != 0);
        data.drain(start..start + length);
        without.keys[0].kex = true;
        let before = bob.snapshot();
        let outcome = bob.receive(&without);
        let missing = crate::Malformed::FieldMissing(field);
        match version {
            Version::Legacy => assert!(matches!(outcome, Outcome::Malformed(_))),
            Version::Omemo2 => assert_eq!(outcome, Outcome::Malformed(missing)),
        }
        assert!(bob.is_as(&before));
    }
}

#[test]
fn a_session_in_use_costs_no_prekey() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let before = published(&mut bob, version);
        for text in ["a", "b"] {
            let message = alice.send(&bob.address, version, text);
            bob.read(&message);
        }
        assert_eq!(published(&mut bob, version), before);
        assert!(!bob.actions.contains(&Action::PublishBundle { version }));
    }
}
