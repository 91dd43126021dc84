//! Counters of those who mean harm: what they can make us keep, and how long they can make us work.

use std::time::Duration;

use rand_core::Rng as _;

use super::ratchet::{acquainted, send_forged, send_many};
use crate::limits::{
    ARCHIVED_SESSIONS, MAX_CANDIDATE_KEYS, MAX_SKIP, MAX_SKIP_LEGACY, MAX_SKIPPED_KEYS,
};
use crate::testing::forge::{Slot, with_key};
use crate::testing::{Device, cpu_time, is_long, seeded};
use crate::wire::Writer;
use crate::{EncryptedMessage, KeyError, Outcome, PublicKey, RecordKind, Version};

/// What one message may cost. 5 ms is the aim on hardware of its own; the bound leaves room for a busy machine and a
/// build without optimisation across crates.
const HOSTILE_MESSAGE: Duration = Duration::from_millis(25);

const PEER_ROWS: [RecordKind; 6] = [
    RecordKind::Session,
    RecordKind::OldChains,
    RecordKind::ArchivedSessions,
    RecordKind::SkippedKeys,
    RecordKind::SkippedKey,
    RecordKind::SeenMessages,
];

#[test]
fn many_small_jumps_fill_no_more_than_the_limit() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let jumps = if is_long() { 100_000 } else { 1_300 };
        for jump in 0..jumps {
            let _lost = alice.send_empty(&bob.address, version);
            let seen = alice.send_empty(&bob.address, version);
            assert!(matches!(bob.receive(&seen), Outcome::Empty { .. }));
            // The peer turns its ratchet now and then, so that the keys are of many chains.
            if jump % 97 == 0 {
                let answer = bob.send_empty(&alice.address, version);
                alice.receive(&answer);
            }
            if jump % 256 == 0 {
                bob.restart();
            }
        }
        assert_eq!(bob.count(RecordKind::SkippedKey), MAX_SKIPPED_KEYS);
        let bytes = bob.bytes_of(&PEER_ROWS);
        assert!(bytes < 300_000, "{bytes} bytes");
        let last = alice.send(&bob.address, version, "last");
        assert_eq!(bob.read(&last), "last");
    }
}

#[test]
fn the_largest_jumps_fill_no_more_than_the_limit() {
    for (version, max) in [
        (Version::Omemo2, MAX_SKIP),
        (Version::Legacy, MAX_SKIP_LEGACY),
    ] {
        let (mut alice, mut bob) = acquainted(version);
        for round in 0..4 {
            let messages = send_many(&mut alice, &bob.address, version, max + 1);
            let jump = messages.last().unwrap();
            let (outcome, taken) = cpu_time(|| bob.receive(jump));
            assert!(matches!(outcome, Outcome::Decrypted { .. }), "{outcome:?}");
            // A thousand rows are written for it, so it is dearer than one that is refused.
            assert!(taken < 10 * HOSTILE_MESSAGE, "{round}: {taken:?}");
            assert_eq!(bob.count(RecordKind::SkippedKey), MAX_SKIPPED_KEYS);
            assert!(bob.bytes_of(&PEER_ROWS) < 300_000);
            let answer = bob.send_empty(&alice.address, version);
            alice.receive(&answer);
        }
    }
}

#[test]
fn a_jump_past_the_limit_waits_and_costs_nothing() {
    for (version, max) in [
        (Version::Omemo2, MAX_SKIP),
        (Version::Legacy, MAX_SKIP_LEGACY),
    ] {
        let (mut alice, mut bob) = acquainted(version);
        for n in [max + 1, 0x7FFF_FFFF] {
            // A peer that writes what it likes, with a right MAC.
            let message = send_forged(&mut alice, &bob.address, version, |header| header.n = n);
            let before = bob.snapshot();
            let (outcome, taken) = cpu_time(|| bob.receive(&message));
            assert_eq!(outcome, Outcome::SkippedTooMany { got: n, max });
            assert!(bob.is_as(&before));
            assert!(taken < HOSTILE_MESSAGE, "{taken:?}");
        }
    }
}

/// A message that anyone could write: it names a chain that nobody knows, as far ahead as is allowed.
fn hostile(version: Version, n: u32, seed: u64) -> Vec<u8> {
    let mut rng = seeded(seed);
    let key = loop {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        key[31] &= 0x7F;
        match PublicKey::parse(&key) {
            Ok(_) => break key,
            Err(KeyError::NotCanonical | KeyError::SmallOrder) => {}
            Err(other) => panic!("{other}"),
        }
    };
    match version {
        Version::Omemo2 => {
            let inner = Writer::new()
                .uint32(1, n)
                .uint32(2, 0)
                .bytes(3, &key)
                .bytes(4, &[0; 64])
                .finish();
            Writer::new().bytes(1, &[0; 16]).bytes(2, &inner).finish()
        }
        Version::Legacy => {
            let inner = Writer::after(&[0x33])
                .bytes(1, &[&[5], key.as_slice()].concat())
                .uint32(2, n)
                .uint32(3, 0)
                .bytes(4, &[0; 48])
                .finish();
            [inner, vec![0; 8]].concat()
        }
    }
}

/// Bob with as many sessions with Alice as he keeps, each of which must be asked about a chain that is new.
fn crowded(version: Version) -> (Device, Device, EncryptedMessage) {
    let (mut alice, mut bob) = acquainted(version);
    let bundle = alice.bundle(version);
    for _ in 0..ARCHIVED_SESSIONS {
        bob.initiate(&bundle).unwrap();
        bob.send_empty(&alice.address, version);
    }
    let template = alice.send(&bob.address, version, "template");
    (alice, bob, template)
}

/// What it costs on average to refuse a message: the system counts in larger pieces than one takes.
fn mean_cost(device: &mut Device, message: &EncryptedMessage) -> Duration {
    const TIMES: u32 = 20;
    let ((), taken) = cpu_time(|| {
        for _ in 0..TIMES {
            assert_eq!(device.receive(message), Outcome::BadMac);
        }
    });
    taken / TIMES
}

#[test]
fn a_message_that_fits_nothing_costs_little_however_many_keys_it_has() {
    for version in Version::ALL {
        let (_, mut bob, template) = crowded(version);
        let max = version.profile().max_skip();
        for (keys, n) in [(1, 0), (1, max), (MAX_CANDIDATE_KEYS, 0), (200, max)] {
            let mut message = template.clone();
            message.keys = (0..keys)
                .map(|index| {
                    let mut key = template.keys[0].clone();
                    key.data = hostile(version, n, u64::try_from(index).unwrap());
                    key
                })
                .collect();
            bob.receive(&message);
            let before = bob.snapshot();
            let taken = mean_cost(&mut bob, &message);
            assert!(bob.is_as(&before));
            println!("{version}: {keys} keys, counter {n}: {taken:?}");
            assert!(taken < HOSTILE_MESSAGE, "{version} {keys} {n}: {taken:?}");
        }
    }
}

#[test]
fn key_exchanges_that_are_none_cost_little() {
    for version in Version::ALL {
        let (mut alice, mut bob, template) = crowded(version);
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let real = alice.send(&bob.address, version, "real");
        let mut message = template.clone();
        // A real exchange, whose prekeys are there, with ratchet keys that nobody has.
        message.keys = (0..200)
            .map(|index| {
                let mut key = template.keys[0].clone();
                let mut other = [9; 32];
                other[0] = index;
                key.data = with_key(version, &real.keys[0].data, Slot::Ratchet, &other);
                key
            })
            .collect();
        bob.receive(&message);
        let before = bob.snapshot();
        let taken = mean_cost(&mut bob, &message);
        assert!(bob.is_as(&before));
        println!("{version}: 200 exchanges: {taken:?}");
        assert!(taken < HOSTILE_MESSAGE, "{taken:?}");
        assert_eq!(bob.read(&real), "real");
    }
}

#[test]
fn an_honest_message_is_within_the_work_it_may_cost() {
    for version in Version::ALL {
        let (mut alice, mut bob, _) = crowded(version);
        // In the session that is archived longest, at the end of a chain that is as long as may be.
        let messages = send_many(&mut alice, &bob.address, version, MAX_SKIP);
        let last = (MAX_SKIP - 1).to_string();
        assert_eq!(bob.read(messages.last().unwrap()), last);
    }
}
