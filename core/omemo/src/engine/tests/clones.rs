//! One device that exists twice: a restored backup, a cloned store.

use super::ratchet::{acquainted, send_many};
use crate::limits::SEEN_MESSAGES;
use crate::testing::Device;
use crate::{EncryptedMessage, Event, Outcome, RecordKind, Version};

fn told(alice: &Device, version: Version) -> Event {
    Event::TwoRatchetsSeen {
        address: alice.address.clone(),
        version,
    }
}

/// Receives a message that cannot be read; nothing of it stays.
fn lost(device: &mut Device, message: &EncryptedMessage) -> Outcome {
    let before = device.snapshot();
    device.events.clear();
    device.actions.clear();
    let outcome = device.receive(message);
    assert!(device.is_as(&before), "{outcome:?}");
    assert_eq!(device.actions, [], "no new session is made of it");
    outcome
}

#[test]
fn the_peer_notices_two_copies_that_send_on_one_chain() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let before = alice.send(&bob.address, version, "before");
        assert_eq!(bob.read(&before), "before");
        let mut copy = alice.clone();
        let mine = alice.send(&bob.address, version, "from the one");
        let other = copy.send(&bob.address, version, "from the other");
        assert_eq!(bob.read(&mine), "from the one");
        assert_eq!(lost(&mut bob, &other), Outcome::KeyUsed);
        assert_eq!(bob.events, [told(&alice, version)]);
        // Also in another process, and each time it comes.
        bob.restart();
        assert_eq!(lost(&mut bob, &other), Outcome::KeyUsed);
        // What has been read is a repetition all the same.
        assert_eq!(lost(&mut bob, &mine), Outcome::Duplicate);
        assert_eq!(bob.events, []);
        // No harm is done: both go on, as far as one chain has room for two.
        let next = alice.send(&bob.address, version, "next");
        assert_eq!(bob.read(&next), "next");
        let answer = bob.send(&alice.address, version, "answer");
        assert_eq!(alice.read(&answer), "answer");
        assert_eq!(copy.read(&answer), "answer");
        let after = alice.send(&bob.address, version, "after");
        assert_eq!(bob.read(&after), "after");
    }
}

#[test]
fn the_peer_does_not_take_the_ratchet_of_a_second_copy() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut copy = alice.clone();
        // Each makes a ratchet key of its own.
        copy.rng = crate::testing::seeded(99);
        let mine = alice.send(&bob.address, version, "from the one");
        let other = copy.send(&bob.address, version, "from the other");
        assert_eq!(bob.read(&mine), "from the one");
        assert_eq!(lost(&mut bob, &other), Outcome::BadMac, "and not silent");
        let answer = bob.send(&alice.address, version, "answer");
        assert_eq!(alice.read(&answer), "answer");
        // The copy is out of step for good, and says so.
        assert_eq!(lost(&mut copy, &answer), Outcome::BadMac);
        // Its user makes a new session.
        let bundle = bob.bundle(version);
        copy.initiate(&bundle).unwrap();
        let healed = copy.send(&bob.address, version, "healed");
        assert_eq!(bob.read(&healed), "healed");
    }
}

#[test]
fn pitfall_10_a_copy_that_is_behind_is_noticed_with_its_first_message() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut copy = alice.clone();
        copy.rng = alice.rng.clone();
        let first = alice.send(&bob.address, version, "first");
        // The same randomness, so the same ratchet: what a store says that was rolled back after the send.
        let again = copy.send(&bob.address, version, "another first");
        bob.read(&first);
        for message in send_many(&mut alice, &bob.address, version, 100) {
            bob.read(&message);
        }
        let answer = bob.send(&alice.address, version, "turn");
        alice.read(&answer);
        let turned = alice.send(&bob.address, version, "turned");
        bob.read(&turned);
        assert_eq!(lost(&mut bob, &again), Outcome::KeyUsed);
        assert_eq!(bob.events, [told(&alice, version)]);
    }
}

#[test]
fn a_message_whose_key_waited_is_told_from_its_repetition_as_well() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let start = alice.send(&bob.address, version, "start");
        bob.read(&start);
        let mut copy = alice.clone();
        let late = alice.send(&bob.address, version, "late");
        let other = copy.send(&bob.address, version, "other");
        let last = alice.send(&bob.address, version, "last");
        bob.read(&last);
        assert_eq!(bob.read(&late), "late");
        assert_eq!(lost(&mut bob, &late), Outcome::Duplicate);
        assert_eq!(lost(&mut bob, &other), Outcome::KeyUsed);
    }
}

#[test]
fn what_was_read_is_remembered_within_bounds() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let messages = send_many(&mut alice, &bob.address, version, 450);
        for message in &messages {
            bob.read(message);
        }
        assert_eq!(bob.count(RecordKind::SeenMessages), 1);
        assert!(bob.bytes_of(&[RecordKind::SeenMessages]) < 8 * SEEN_MESSAGES);
        for message in [&messages[0], &messages[449]] {
            assert_eq!(lost(&mut bob, message), Outcome::Duplicate);
        }
        // The user forgets the device: nothing of it stays.
        let address = alice.address.clone();
        let effects = bob.run(|records| crate::forget_device(records, &address));
        bob.take(effects.unwrap());
        assert_eq!(bob.count(RecordKind::SeenMessages), 0);
    }
}
