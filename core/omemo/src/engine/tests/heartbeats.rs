//! One empty message for each ratchet key of the peer that has grown old, whatever the order of things.

use rand_core::Rng as _;

use super::ratchet::{acquainted, send_many};
use crate::limits::HEARTBEAT_COUNTER;
use crate::testing::{Device, connect, seeded};
use crate::{Action, EmptyReason, Version, unanswered_count};

fn heartbeats(device: &mut Device) -> usize {
    let asked = core::mem::take(&mut device.actions);
    let is_heartbeat = |action: &&Action| {
        matches!(
            action,
            Action::SendEmpty {
                reason: EmptyReason::Heartbeat,
                ..
            }
        )
    };
    asked.iter().filter(is_heartbeat).count()
}

#[test]
fn pitfall_14_there_is_exactly_one_in_any_order_with_repetitions_and_restarts() {
    for version in Version::ALL {
        for seed in 0..12 {
            let (mut alice, mut bob) = acquainted(version);
            bob.catch_up = seed % 2 == 1;
            let mut rng = seeded(seed);
            let mut messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 9);
            let mut found = 0;
            let mut read = Vec::new();
            while !messages.is_empty() {
                let index = usize::try_from(rng.next_u32()).unwrap() % messages.len();
                let message = messages.swap_remove(index);
                bob.receive(&message);
                found += heartbeats(&mut bob);
                read.push(message);
                let again = usize::try_from(rng.next_u32()).unwrap() % read.len();
                bob.receive(&read[again]);
                found += heartbeats(&mut bob);
                if rng.next_u32().is_multiple_of(7) {
                    bob.restart();
                }
            }
            assert_eq!(found, 1, "{version} {seed}");
        }
    }
}

#[test]
fn there_is_none_before_the_fifty_third_and_one_with_it() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let count = usize::try_from(HEARTBEAT_COUNTER).unwrap();
        let messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 3);
        for (n, message) in messages.iter().enumerate() {
            bob.read(message);
            assert_eq!(heartbeats(&mut bob), usize::from(n == count), "{n}");
        }
    }
}

#[test]
fn a_late_message_of_a_chain_that_was_left_asks_for_none() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let first = alice.send(&bob.address, version, "first");
        let old = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 3);
        bob.read(&first);
        let answer = bob.send(&alice.address, version, "turn");
        alice.read(&answer);
        let turned = alice.send(&bob.address, version, "turned");
        bob.read(&turned);
        for message in &old {
            bob.read(message);
        }
        assert_eq!(heartbeats(&mut bob), 0, "the ratchet has turned already");
    }
}

#[test]
fn an_answer_to_a_key_exchange_is_heartbeat_enough() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        bob.actions.clear();
        let messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 4);
        for message in messages.iter().rev() {
            bob.read(message);
        }
        let empties = |device: &mut Device| {
            let asked = core::mem::take(&mut device.actions);
            let empties = asked
                .iter()
                .filter(|action| matches!(action, Action::SendEmpty { .. }));
            empties.count()
        };
        assert_eq!(empties(&mut bob), 1);
    }
}

#[test]
fn the_next_ratchet_key_has_its_own_also_after_a_restart() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        for _ in 0..3 {
            let messages = send_many(&mut alice, &bob.address, version, HEARTBEAT_COUNTER + 2);
            bob.restart();
            for message in &messages {
                bob.read(message);
            }
            assert_eq!(heartbeats(&mut bob), 1);
            let empty = bob.send_empty(&alice.address, version);
            alice.receive(&empty);
        }
    }
}

#[test]
fn pitfall_13_a_device_that_is_silent_for_long_is_told_and_still_gets_every_message() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let bobs = bob.address.clone();
        let unanswered = |device: &mut Device| {
            device
                .run(|records| unanswered_count(records, &bobs, version))
                .unwrap()
        };
        assert_eq!(unanswered(&mut alice), 0);
        let messages = send_many(&mut alice, &bobs, version, 3 * HEARTBEAT_COUNTER);
        alice.restart();
        assert_eq!(unanswered(&mut alice), 3 * HEARTBEAT_COUNTER);
        for message in &messages {
            bob.read(message);
        }
        // He is back, and says so by himself.
        assert_eq!(heartbeats(&mut bob), 1);
        let answer = bob.send_empty(&alice.address, version);
        alice.receive(&answer);
        assert_eq!(unanswered(&mut alice), 0);
        let nobody = Device::install("nobody@x.example", 9).address;
        let count = alice.run(|records| unanswered_count(records, &nobody, version));
        assert_eq!(count, Ok(0));
    }
}
