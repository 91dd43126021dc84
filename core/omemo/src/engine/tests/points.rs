//! Points of small order and keys in a second form, in every place where a key comes from outside.

use eft_types::DeviceAddress;

use super::ratchet::acquainted;
use crate::testing::forge::{Slot, is_key_exchange, with_key};
use crate::testing::points::{bad_edwards, bad_montgomery};
use crate::testing::{Device, connect, seeded};
use crate::{
    BundleError, EncryptedMessage, KeyError, Malformed, Outcome, UnverifiedBundle, Version,
};

/// Bytes that are no key in this slot of this version.
fn bad_keys(version: Version, slot: Slot) -> Vec<[u8; 32]> {
    match (version, slot) {
        (Version::Omemo2, Slot::Identity) => bad_edwards(),
        _ => bad_montgomery(),
    }
}

const fn field(version: Version, slot: Slot) -> &'static str {
    match (version, slot) {
        (Version::Omemo2, Slot::Identity) => "ik",
        (Version::Omemo2, Slot::Ephemeral) => "ek",
        (Version::Omemo2, Slot::Ratchet) => "dh_pub",
        (Version::Legacy, Slot::Identity) => "identityKey",
        (Version::Legacy, Slot::Ephemeral) => "baseKey",
        (Version::Legacy, Slot::Ratchet) => "ratchetKey",
    }
}

const fn is_named(error: KeyError) -> bool {
    matches!(error, KeyError::SmallOrder | KeyError::NotCanonical)
}

/// Every bad key in one slot of a real message: named, and not a byte of the store is another.
fn refused_in(slot: Slot, message: &EncryptedMessage, device: &mut Device) -> usize {
    let version = message.version;
    let before = device.snapshot();
    device.actions.clear();
    let bad_keys = bad_keys(version, slot);
    for key in &bad_keys {
        let mut forged = message.clone();
        forged.keys[0].data = with_key(version, &message.keys[0].data, slot, key);
        match device.receive(&forged) {
            Outcome::Malformed(Malformed::Key {
                field: named,
                error,
            }) => {
                assert_eq!(named, field(version, slot));
                assert!(is_named(error), "{error}");
            }
            other => panic!("{version} {slot:?} {key:02x?}: {other:?}"),
        }
        assert!(device.snapshot() == before, "{version} {slot:?} {key:02x?}");
        assert!(device.actions.is_empty(), "{:?}", device.actions);
    }
    bad_keys.len()
}

#[test]
fn the_lists_of_bad_keys_are_complete() {
    // 12 listed; 7 of these with the bit that RFC 7748 masks, for the others have it or are such of another; 17 past the
    // prime that are not listed; the base point with that bit.
    assert_eq!(bad_montgomery().len(), 12 + 7 + 17 + 1);
    // 5 values of y, and 19 past the prime.
    assert_eq!(bad_edwards().len(), 2 * (5 + 19));
}

#[test]
fn no_bad_point_in_a_key_exchange_is_accepted() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let message = alice.send(&bob.address, version, "text");
        assert!(is_key_exchange(version, &message.keys[0].data));
        for slot in [Slot::Identity, Slot::Ephemeral, Slot::Ratchet] {
            assert!(refused_in(slot, &message, &mut bob) > 30);
        }
        assert_eq!(bob.read(&message), "text");
    }
}

#[test]
fn no_bad_point_in_a_session_is_accepted() {
    for version in Version::ALL {
        // Of the present chain, and of a new one.
        let (mut alice, mut bob) = acquainted(version);
        let first = alice.send(&bob.address, version, "first");
        refused_in(Slot::Ratchet, &first, &mut bob);
        assert_eq!(bob.read(&first), "first");
        let second = alice.send(&bob.address, version, "second");
        refused_in(Slot::Ratchet, &second, &mut bob);
        assert_eq!(bob.read(&second), "second");
    }
}

#[test]
fn no_bad_point_in_a_repeated_key_exchange_is_accepted() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let first = alice.send(&bob.address, version, "first");
        let second = alice.send(&bob.address, version, "second");
        assert_eq!(bob.read(&first), "first");
        for slot in [Slot::Identity, Slot::Ephemeral, Slot::Ratchet] {
            refused_in(slot, &second, &mut bob);
        }
        assert_eq!(bob.read(&second), "second");
    }
}

fn encoded(version: Version, key: &[u8; 32]) -> Vec<u8> {
    match version {
        Version::Omemo2 => key.to_vec(),
        Version::Legacy => [&[5], key.as_slice()].concat(),
    }
}

fn bundle_of(device: &mut Device, version: Version) -> (UnverifiedBundle, DeviceAddress) {
    let address = device.address.clone();
    let bundle = device
        .run(|records| crate::bundle(records, version))
        .unwrap();
    (bundle.into_unverified(address.clone()), address)
}

#[test]
fn no_bad_point_in_a_bundle_is_accepted() {
    for version in Version::ALL {
        let mut bob = Device::install("bob@b.example", 2);
        let (good, _) = bundle_of(&mut bob, version);
        for key in bad_keys(version, Slot::Identity) {
            let mut bundle = good.clone();
            bundle.identity_key = encoded(version, &key);
            match bundle.verify() {
                Err(BundleError::IdentityKey(error)) => assert!(is_named(error), "{error}"),
                other => panic!("{key:02x?}: {other:?}"),
            }
        }
        let identity = bob
            .run(|records| {
                Ok(crate::engine::Step::new(records)
                    .account()?
                    .identity
                    .clone())
            })
            .unwrap();
        for key in bad_montgomery() {
            // Signed by its owner: the point is what is wrong with it.
            let mut bundle = good.clone();
            bundle.signed_pre_key = encoded(version, &key);
            bundle.signature = identity
                .sign(&bundle.signed_pre_key, &mut seeded(1))
                .to_vec();
            assert!(
                identity
                    .public()
                    .verify(&bundle.signed_pre_key, &bundle.signature)
            );
            match bundle.verify() {
                Err(BundleError::SignedPreKey(error)) => assert!(is_named(error), "{error}"),
                other => panic!("{key:02x?}: {other:?}"),
            }
            let mut bundle = good.clone();
            bundle.pre_keys = vec![(1, encoded(version, &key))];
            assert_eq!(bundle.verify(), Err(BundleError::NoPreKeys));
            // Beside a good one it is left out.
            let mut bundle = good.clone();
            bundle.pre_keys.truncate(2);
            let kept = bundle.pre_keys[1].0;
            bundle.pre_keys[0].1 = encoded(version, &key);
            let verified = bundle.verify().unwrap();
            for seed in 0..8 {
                let picked = verified.random_pre_key(&[], &mut seeded(seed));
                assert_eq!(picked.unwrap().0, kept);
            }
        }
    }
}
