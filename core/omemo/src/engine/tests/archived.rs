//! Messages of sessions that were replaced, and what is said of those that cannot be read.

use super::ratchet::{acquainted, send_forged};
use crate::testing::Device;
use crate::{Outcome, RecordKey, RecordKind, Version};

/// Bob makes a new session; Alice has not heard of it.
fn replace(bob: &mut Device, alice: &mut Device, version: Version) {
    let bundle = alice.bundle(version);
    bob.initiate(&bundle).unwrap();
    bob.actions.clear();
}

#[test]
fn a_replaced_session_says_itself_why_its_message_is_not_read() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let max = version.profile().max_skip();
        let message = send_forged(&mut alice, &bob.address, version, |header| {
            header.n = max + 1;
        });
        replace(&mut bob, &mut alice, version);
        let before = bob.snapshot();
        let outcome = bob.receive(&message);
        let got = max + 1;
        assert_eq!(outcome, Outcome::SkippedTooMany { got, max });
        assert!(bob.is_as(&before));
    }
}

#[test]
fn an_exchange_for_a_prekey_that_is_gone_makes_no_session_where_there_is_one() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let bundle = bob.run(|records| crate::bundle(records, version)).unwrap();
        let mut stale = bundle.into_unverified(bob.address.clone());
        stale.pre_keys.truncate(1);
        stale.pre_keys[0].0 = 1_000_000;
        alice.initiate(&stale.verify().unwrap()).unwrap();
        let message = alice.send(&bob.address, version, "for a prekey that is gone");
        let before = bob.snapshot();
        let outcome = bob.receive(&message);
        assert_eq!(outcome, Outcome::UnknownPreKey { id: 1_000_000 });
        // XEP-0384 §8: no new session because something could not be decrypted.
        assert_eq!(bob.actions, []);
        assert!(bob.is_as(&before));
    }
}

#[test]
fn old_chains_go_to_the_archive_with_their_session_and_come_back_with_it() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        for _ in 0..3 {
            let message = alice.send(&bob.address, version, "turn");
            bob.read(&message);
            let answer = bob.send(&alice.address, version, "turned");
            alice.read(&answer);
        }
        assert_eq!(bob.count(RecordKind::OldChains), 1);
        replace(&mut bob, &mut alice, version);
        assert_eq!(bob.count(RecordKind::OldChains), 0, "none of the new one");
        let message = alice.send(&bob.address, version, "over the old one");
        assert_eq!(bob.read(&message), "over the old one");
        assert_eq!(bob.count(RecordKind::OldChains), 1, "revived");
    }
}

#[test]
fn a_device_that_is_known_is_not_written_down_again() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let known = RecordKey::Device(alice.address.clone());
        replace(&mut alice, &mut bob, version);
        let message = alice.send(&bob.address, version, "over a new session");
        assert_eq!(bob.read(&message), "over a new session");
        assert!(!bob.written.is_empty() && !bob.written.contains(&known));
    }
}
