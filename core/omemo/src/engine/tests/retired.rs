//! Sessions that are for reading only.

use super::ratchet::acquainted;
use crate::testing::{Device, connect, seeded};
use crate::{EncryptError, RecordKind, Version, encrypt_empty, has_session, retire_sessions};

fn retire(device: &mut Device, with: &Device, version: Version) {
    let effects = device.run(|records| retire_sessions(records, &with.address, version));
    device.take(effects.unwrap());
}

fn can_send(device: &mut Device, to: &Device, version: Version) -> bool {
    device
        .run(|records| has_session(records, &to.address, version))
        .unwrap()
}

#[test]
fn a_retired_session_reads_and_never_sends_again_whatever_comes_over_it() {
    for version in Version::ALL {
        for our_turn in [true, false] {
            let (mut alice, mut bob) = acquainted(version);
            if our_turn {
                // Alice's sending chain has begun: what she would send next, a lost state may have sent.
                let sent = alice.send(&bob.address, version, "sent");
                bob.read(&sent);
            }
            let on_chain = bob.send(&alice.address, version, "on its way");
            retire(&mut alice, &bob, version);
            assert!(!can_send(&mut alice, &bob, version));
            assert_eq!(alice.read(&on_chain), "on its way");
            assert!(
                !can_send(&mut alice, &bob, version),
                "read, and not revived"
            );
            let next = bob.send(&alice.address, version, "and the next");
            alice.restart();
            assert_eq!(alice.read(&next), "and the next");
            assert!(!can_send(&mut alice, &bob, version));
            let refused =
                encrypt_empty(&alice.records, &bob.address, version, &mut seeded(1)).map(drop);
            assert!(matches!(refused, Err(EncryptError::NoSession(_))));
        }
    }
}

#[test]
fn a_new_session_takes_over_and_the_retired_one_goes_on_reading() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let under_way = bob.send(&alice.address, version, "under way");
        retire(&mut alice, &bob, version);
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        assert_eq!(alice.read(&under_way), "under way");
        let hello = alice.send(&bob.address, version, "hello");
        assert!(hello.keys[0].kex, "over the new session");
        assert_eq!(bob.read(&hello), "hello");
        let answer = bob.send(&alice.address, version, "answer");
        assert_eq!(alice.read(&answer), "answer");
        assert!(!alice.send(&bob.address, version, "settled").keys[0].kex);
    }
}

#[test]
fn sessions_that_were_replaced_before_are_retired_with_the_current_one() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let old = bob.send(&alice.address, version, "over the old one");
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        retire(&mut alice, &bob, version);
        assert_eq!(alice.count(RecordKind::ArchivedSessions), 1);
        assert_eq!(alice.read(&old), "over the old one");
        assert!(!can_send(&mut alice, &bob, version));
    }
}

#[test]
fn without_a_session_there_is_nothing_to_retire() {
    for version in Version::ALL {
        let (mut alice, bob) = connect(version);
        let carol = Device::install("carol@c.example", 9);
        retire(&mut alice, &carol, version);
        assert_eq!(alice.count(RecordKind::ArchivedSessions), 0);
        assert!(can_send(&mut alice, &bob, version));
    }
}
