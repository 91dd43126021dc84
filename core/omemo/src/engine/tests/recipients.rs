//! Whom a message is for, and what it takes to read it.

use super::ratchet::acquainted;
use crate::testing::{Device, NOW, connect, seeded};
use crate::{
    EncryptError, InitiateError, Outcome, ReceiveContext, Version, encrypt, needs, receive,
};

#[test]
fn ordinary_messages_need_what_they_say_they_need() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        // A key exchange, another one for the same session, and later messages of a chain.
        for text in ["exchange", "exchange again", "later", "still later"] {
            let message = alice.send(&bob.address, version, text);
            bob.restart();
            let needs = needs(&message, &bob.address);
            bob.load(&needs);
            let context = ReceiveContext {
                catch_up: false,
                may_evict: true,
                now: NOW,
            };
            let received = receive(&bob.records, &message, context, &mut seeded(1)).unwrap();
            assert!(matches!(received.outcome, Outcome::Decrypted { .. }));
            bob.read(&message);
            if text == "exchange again" {
                let answer = bob.send(&alice.address, version, "answer");
                alice.read(&answer);
                let turn = alice.send(&bob.address, version, "turn");
                bob.read(&turn);
            }
        }
    }
}

#[test]
fn one_payload_serves_several_devices() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let mut tablet = Device::install("bob@b.example", 3);
        let mut own = Device::install("alice@a.example", 4);
        for device in [&mut tablet, &mut own] {
            let bundle = device.bundle(version);
            alice.initiate(&bundle).unwrap();
        }
        let addresses = [&bob, &tablet, &own].map(|device| device.address.clone());
        let trusted = addresses.clone().map(|address| alice.trusted(&address));
        alice.load(&crate::encrypt_needs(version, &addresses));
        let mut rng = alice.rng.clone();
        let sent = encrypt(&alice.records, version, b"to all", &trusted, &mut rng).unwrap();
        assert_eq!(sent.message.keys.len(), 3);
        assert_eq!(sent.changes.len(), 3);
        for device in [&mut bob, &mut tablet, &mut own] {
            assert_eq!(device.read(&sent.message), "to all");
        }
    }
}

#[test]
fn a_message_for_others_is_not_ours() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut message = alice.send(&bob.address, version, "text");
        let mut other = Device::install("carol@c.example", 4);
        // Nobody has Carol's number here.
        assert_eq!(other.receive(&message), Outcome::NotForThisDevice);
        assert_eq!(alice.receive(&message), Outcome::FromThisDevice);
        message.keys.clear();
        assert_eq!(bob.receive(&message), Outcome::NotForThisDevice);
    }
}

#[test]
fn omemo2_keys_name_an_account_and_legacy_keys_do_not() {
    let (mut alice, mut bob) = acquainted(Version::Omemo2);
    let mut message = alice.send(&bob.address, Version::Omemo2, "text");
    message.keys[0].jid = Some(alice.address.jid.clone());
    assert_eq!(bob.receive(&message), Outcome::NotForThisDevice);
    message.keys[0].jid = None;
    assert_eq!(bob.receive(&message), Outcome::NotForThisDevice);
    message.keys[0].jid = Some(bob.address.jid.clone());
    assert_eq!(bob.read(&message), "text");

    // Two accounts with the same device number in one legacy message: each is tried.
    let (mut alice, mut bob) = acquainted(Version::Legacy);
    let (mut dave, mut erin) = acquainted(Version::Legacy);
    let mut message = alice.send(&bob.address, Version::Legacy, "for bob");
    let mut strange = dave.send(&erin.address, Version::Legacy, "for erin").keys;
    strange[0].rid = bob.address.device;
    erin.actions.clear();
    let mut garbage = strange[0].clone();
    garbage.data = vec![1, 2, 3];
    message.keys = [vec![garbage], strange, message.keys].concat();
    for key in &mut message.keys {
        key.jid = None;
    }
    assert_eq!(bob.read(&message), "for bob");
    assert_eq!(bob.receive(&message), Outcome::Duplicate, "ours tells most");
}

#[test]
fn pitfall_21_a_device_makes_no_session_with_itself() {
    let mut alice = Device::install("alice@a.example", 1);
    let bundle = alice.bundle(Version::Omemo2);
    assert_eq!(alice.initiate(&bundle), Err(InitiateError::OwnDevice));
    let own = alice.address.clone();
    alice.load(&crate::encrypt_needs(Version::Omemo2, [&own]));
    let mut rng = seeded(1);
    let error = crate::encrypt_empty(&alice.records, &own, Version::Omemo2, &mut rng);
    assert_eq!(error, Err(EncryptError::OwnDevice));
}
