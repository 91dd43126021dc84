//! Honest bytes in the wrong place: of another protocol, direction, sender, recipient or message.

use eft_types::DeviceAddress;

use super::ratchet::acquainted;
use crate::testing::forge::{inner_message, is_key_exchange, with_inner_message};
use crate::testing::{Device, connect};
use crate::{EncryptedMessage, Outcome, RecordKind, UnverifiedBundle, Version};

/// The message is not taken, and nothing of it stays.
fn refused(device: &mut Device, message: &EncryptedMessage) -> Outcome {
    let before = device.snapshot();
    let outcome = device.receive(message);
    assert!(
        !matches!(outcome, Outcome::Decrypted { .. } | Outcome::Empty { .. }),
        "{outcome:?}"
    );
    assert!(device.is_as(&before), "{outcome:?}");
    outcome
}

const fn other(version: Version) -> Version {
    match version {
        Version::Legacy => Version::Omemo2,
        Version::Omemo2 => Version::Legacy,
    }
}

/// Alice and Bob with a session of each version, and Carol who has one with Bob as well.
fn three(version: Version) -> (Device, Device, Device) {
    let (mut alice, mut bob) = acquainted(version);
    let bundle = bob.bundle(other(version));
    alice.initiate(&bundle).unwrap();
    let hello = alice.send(&bob.address, other(version), "hello");
    bob.read(&hello);
    let answer = bob.send(&alice.address, other(version), "answer");
    alice.read(&answer);
    let mut carol = Device::install("carol@c.example", 3);
    let bundle = bob.bundle(version);
    carol.initiate(&bundle).unwrap();
    let hello = carol.send(&bob.address, version, "hello");
    bob.read(&hello);
    let answer = bob.send(&carol.address, version, "answer");
    carol.read(&answer);
    (alice, bob, carol)
}

fn in_the_clothes_of(message: &EncryptedMessage, version: Version) -> EncryptedMessage {
    let mut dressed = message.clone();
    dressed.version = version;
    dressed.iv = Some(vec![0; 12]);
    dressed
}

#[test]
fn nothing_of_one_version_is_taken_for_the_other() {
    for version in Version::ALL {
        let (mut alice, mut bob, _) = three(version);
        let mut messages = vec![
            alice.send(&bob.address, version, "text"),
            alice.send_empty(&bob.address, version),
        ];
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        messages.push(alice.send(&bob.address, version, "exchange"));
        messages.push(alice.send_empty(&bob.address, version));
        for message in &messages {
            for hint in [false, true] {
                let mut dressed = in_the_clothes_of(message, other(version));
                dressed.keys[0].kex = hint;
                refused(&mut bob, &dressed);
                // Without the byte that says which it is, and with it.
                dressed.keys[0].data.insert(0, 0x33);
                refused(&mut bob, &dressed);
                dressed.keys[0].data.drain(..2);
                refused(&mut bob, &dressed);
            }
        }
        assert_eq!(bob.read(&messages[0]), "text");
        assert_eq!(bob.read(&messages[2]), "exchange");
    }
}

#[test]
fn the_payload_of_one_version_is_not_taken_for_the_other_s() {
    for version in Version::ALL {
        let (mut alice, mut bob, _) = three(version);
        let message = alice.send(&bob.address, version, "text");
        let others = alice.send(&bob.address, other(version), "other");
        let mut mixed = message.clone();
        mixed.payload = others.payload.clone();
        mixed.iv = others.iv.clone().or_else(|| message.iv.clone());
        refused(&mut bob, &mixed);
        assert_eq!(bob.read(&message), "text");
    }
}

/// A message of `device` as if `peer` had sent it to it.
fn reflected(
    message: &EncryptedMessage,
    device: &DeviceAddress,
    peer: &DeviceAddress,
) -> EncryptedMessage {
    let mut reflected = message.clone();
    reflected.sender = peer.jid.clone();
    reflected.sid = peer.device;
    reflected.keys[0].jid = Some(device.jid.clone());
    reflected.keys[0].rid = device.device;
    reflected
}

#[test]
fn pitfall_20_what_we_sent_is_not_taken_for_the_answer() {
    for version in Version::ALL {
        let (alice, mut bob) = acquainted(version);
        // A message, an empty one, and a key exchange.
        let mut sent = vec![
            bob.send(&alice.address, version, "mine"),
            bob.send_empty(&alice.address, version),
        ];
        let mut peer = alice.clone();
        let bundle = peer.bundle(version);
        bob.initiate(&bundle).unwrap();
        sent.push(bob.send(&alice.address, version, "mine"));
        sent.push(bob.send_empty(&alice.address, version));
        for message in &sent {
            let reflected = reflected(message, &bob.address, &alice.address);
            refused(&mut bob, &reflected);
            // As it is: our own.
            assert_eq!(refused(&mut bob, message), Outcome::FromThisDevice);
            let mut to_us = message.clone();
            to_us.keys[0].jid = Some(bob.address.jid.clone());
            to_us.keys[0].rid = bob.address.device;
            assert_eq!(refused(&mut bob, &to_us), Outcome::FromThisDevice);
            // From another device of ours.
            let mut sibling = to_us.clone();
            sibling.sid = eft_types::DeviceId::new(bob.address.device.as_u32() ^ 1).unwrap();
            refused(&mut bob, &sibling);
        }
    }
}

#[test]
fn what_we_sent_to_a_stranger_is_not_taken_for_the_stranger_s() {
    for version in Version::ALL {
        let (mut alice, bob) = connect(version);
        let sent = alice.send(&bob.address, version, "mine");
        assert!(is_key_exchange(version, &sent.keys[0].data));
        let (us, them) = (alice.address.clone(), &bob.address);
        refused(&mut alice, &reflected(&sent, &us, them));
        // Nor does the inner message of the exchange open with the session that it belongs to.
        let mut inner = sent.clone();
        inner.keys[0].data = inner_message(version, &sent.keys[0].data);
        refused(&mut alice, &reflected(&inner, &us, them));
    }
}

#[test]
fn one_sender_s_header_with_another_s_payload_is_refused() {
    for version in Version::ALL {
        let (mut alice, mut bob, mut carol) = three(version);
        let from_alice = alice.send(&bob.address, version, "alice");
        let from_carol = carol.send(&bob.address, version, "carol");
        let mut mixed = from_alice.clone();
        mixed.payload = from_carol.payload.clone();
        assert_eq!(refused(&mut bob, &mixed), Outcome::BadPayload);
        mixed.iv = from_carol.iv.clone();
        assert_eq!(refused(&mut bob, &mixed), Outcome::BadPayload);
        // Carol's key, and with it all of her message, under Alice's name.
        let mut renamed = from_carol.clone();
        renamed.sender = alice.address.jid.clone();
        renamed.sid = alice.address.device;
        assert_eq!(refused(&mut bob, &renamed), Outcome::BadMac);
        // Her key beside Alice's: Alice's is what opens it.
        assert_eq!(bob.read(&from_alice), "alice");
        assert_eq!(bob.read(&from_carol), "carol");
    }
}

#[test]
fn a_message_for_another_device_is_not_read_with_ours() {
    for version in Version::ALL {
        let (mut alice, mut bob, mut carol) = three(version);
        let bundle = carol.bundle(version);
        alice.initiate(&bundle).unwrap();
        let to_carol = alice.send(&carol.address, version, "for carol");
        let mut turned = to_carol.clone();
        turned.keys[0].jid = Some(bob.address.jid.clone());
        turned.keys[0].rid = bob.address.device;
        refused(&mut bob, &turned);
        assert_eq!(carol.read(&to_carol), "for carol");
    }
}

#[test]
fn a_known_device_s_name_does_not_go_with_another_s_exchange() {
    for version in Version::ALL {
        let (alice, mut bob) = acquainted(version);
        let mut mallory = Device::install("mallory@m.example", 9);
        let bundle = bob.bundle(version);
        mallory.initiate(&bundle).unwrap();
        let mut posing = mallory.send(&bob.address, version, "I am Alice");
        posing.sender = alice.address.jid.clone();
        posing.sid = alice.address.device;
        assert!(matches!(
            refused(&mut bob, &posing),
            Outcome::IdentityChanged { .. }
        ));
    }
}

#[test]
fn an_exchange_around_another_message_is_refused_and_costs_no_prekey() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let plain = alice.send(&bob.address, version, "plain");
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let exchange = alice.send(&bob.address, version, "exchange");
        let second = alice.send(&bob.address, version, "second");
        let mut mixed = exchange.clone();
        mixed.keys[0].data =
            with_inner_message(version, &exchange.keys[0].data, &plain.keys[0].data);
        refused(&mut bob, &mixed);
        // The inner message alone, where there is no such session yet.
        let mut alone = exchange.clone();
        alone.keys[0].data = inner_message(version, &exchange.keys[0].data);
        refused(&mut bob, &alone);
        assert_eq!(bob.read(&plain), "plain");
        assert_eq!(bob.read(&exchange), "exchange");
        // Once there is one, the exchange around a message says nothing that matters.
        let mut bare = second.clone();
        bare.keys[0].data = inner_message(version, &second.keys[0].data);
        assert_eq!(bob.read(&bare), "second");
        assert_eq!(refused(&mut bob, &second), Outcome::Duplicate);
    }
}

#[test]
fn an_exchange_without_a_session_inside_of_a_plain_element_is_none() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let exchange = alice.send(&bob.address, version, "exchange");
        let mut alone = exchange.clone();
        alone.keys[0].data = inner_message(version, &exchange.keys[0].data);
        for hint in [false, true] {
            alone.keys[0].kex = hint;
            assert_eq!(refused(&mut bob, &alone), Outcome::NoSession);
        }
        assert_eq!(bob.read(&exchange), "exchange");
    }
}

#[test]
fn an_exchange_with_one_of_our_devices_is_none_with_another() {
    for version in Version::ALL {
        let (mut alice, phone) = connect(version);
        let mut tablet = Device::install("bob@b.example", 3);
        let before = tablet.count(RecordKind::PreKey);
        let exchange = alice.send(&phone.address, version, "for the phone");
        let mut turned = exchange.clone();
        turned.keys[0].rid = tablet.address.device;
        refused(&mut tablet, &turned);
        assert_eq!(tablet.count(RecordKind::PreKey), before);
    }
}

#[test]
fn an_empty_message_carries_nothing_and_content_without_payload_is_none() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let content = alice.send(&bob.address, version, "content");
        let mut stuffed = alice.send_empty(&bob.address, version);
        stuffed.payload = content.payload.clone();
        stuffed.iv = content.iv.clone();
        refused(&mut bob, &stuffed);
        // Legacy cannot tell a message without its payload from an empty one, and both show nothing.
        let mut stripped = content.clone();
        stripped.payload = None;
        match version {
            Version::Omemo2 => {
                refused(&mut bob, &stripped);
                assert_eq!(bob.read(&content), "content");
            }
            Version::Legacy => {
                assert!(matches!(bob.receive(&stripped), Outcome::Empty { .. }));
            }
        }
    }
}

#[test]
fn pitfall_07_messages_without_content_are_no_messages() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let empty = alice.send_empty(&bob.address, version);
        // Served again by an archive, or for another of our devices: nothing that a user should see, and no error.
        let mut others = empty.clone();
        others.keys[0].rid = eft_types::DeviceId::new(7).unwrap();
        assert_eq!(refused(&mut bob, &others), Outcome::NotForThisDevice);
        let mut bare = empty.clone();
        bare.keys.clear();
        assert_eq!(refused(&mut bob, &bare), Outcome::NotForThisDevice);
        assert!(matches!(bob.receive(&empty), Outcome::Empty { .. }));
        assert_eq!(refused(&mut bob, &empty), Outcome::Duplicate);
    }
}

#[test]
fn a_bundle_of_one_version_is_none_of_the_other() {
    let mut bob = Device::install("bob@b.example", 2);
    let mut fetch = |version| {
        let address = bob.address.clone();
        let bundle = bob.run(|records| crate::bundle(records, version)).unwrap();
        bundle.into_unverified(address)
    };
    let (legacy, omemo2) = (fetch(Version::Legacy), fetch(Version::Omemo2));
    let typed = |key: &Vec<u8>| [&[5], key.as_slice()].concat();
    let bare = |key: &Vec<u8>| key[1..].to_vec();
    let identity = crate::IdentityKey::from_ed25519(&omemo2.identity_key).unwrap();
    let as_legacy = UnverifiedBundle {
        version: Version::Legacy,
        identity_key: typed(&identity.curve25519().as_bytes().to_vec()),
        signed_pre_key: typed(&omemo2.signed_pre_key),
        pre_keys: omemo2
            .pre_keys
            .iter()
            .map(|(id, key)| (*id, typed(key)))
            .collect(),
        ..omemo2.clone()
    };
    let as_omemo2 = UnverifiedBundle {
        version: Version::Omemo2,
        identity_key: omemo2.identity_key.clone(),
        signed_pre_key: bare(&legacy.signed_pre_key),
        pre_keys: legacy
            .pre_keys
            .iter()
            .map(|(id, key)| (*id, bare(key)))
            .collect(),
        ..legacy.clone()
    };
    for (confused, version) in [
        // Re-encoded as carefully as can be: the signature covers the encoding.
        (as_legacy, Version::Legacy),
        (as_omemo2, Version::Omemo2),
        // As they are.
        (omemo2.clone(), Version::Legacy),
        (legacy.clone(), Version::Omemo2),
    ] {
        let confused = UnverifiedBundle {
            version,
            ..confused
        };
        assert!(confused.verify().is_err());
    }
    assert!(legacy.verify().is_ok() && omemo2.verify().is_ok());
}

#[test]
fn a_payload_with_another_message_s_iv_is_refused() {
    let version = Version::Legacy;
    let (mut alice, mut bob) = acquainted(version);
    let first = alice.send(&bob.address, version, "first");
    let second = alice.send(&bob.address, version, "second");
    for iv in [second.iv.clone(), None, Some(Vec::new()), Some(vec![0; 16])] {
        let mut mixed = first.clone();
        mixed.iv = iv;
        refused(&mut bob, &mixed);
    }
    assert_eq!(bob.read(&first), "first");
}
