//! Bundles of others: which are refused, and which prekey is taken.

use std::collections::HashSet;

use super::keys::unverified;
use crate::testing::{Device, connect, seeded};
use crate::{BundleError, UnverifiedBundle, Version};

#[test]
fn pitfall_04_bundles_with_broken_keys_or_signatures_are_refused() {
    for version in Version::ALL {
        let mut device = Device::install("alice@a.example", 1);
        let good = unverified(&mut device, version);
        let with = |edit: &dyn Fn(&mut UnverifiedBundle)| {
            let mut bundle = good.clone();
            edit(&mut bundle);
            bundle.verify().map(|_| ())
        };
        for index in 0..64 {
            let flipped = with(&|bundle| bundle.signature[index] ^= 0x10);
            assert_eq!(flipped, Err(BundleError::BadSignature), "byte {index}");
        }
        let other_key = with(&|bundle| bundle.signed_pre_key = bundle.pre_keys[0].1.clone());
        assert_eq!(other_key, Err(BundleError::BadSignature));
        let mut other = Device::install("mallory@m.example", 9);
        let stranger = unverified(&mut other, version).identity_key;
        let other_identity = with(&|bundle| bundle.identity_key = stranger.clone());
        assert_eq!(other_identity, Err(BundleError::BadSignature));
        for length in [0, 31, 32, 33, 34, 64] {
            if length == good.identity_key.len() {
                continue;
            }
            let short = with(&|bundle| bundle.identity_key.resize(length, 5));
            assert!(
                matches!(short, Err(BundleError::IdentityKey(_))),
                "{length}"
            );
            let short = with(&|bundle| bundle.signed_pre_key.resize(length, 5));
            assert!(
                matches!(short, Err(BundleError::SignedPreKey(_))),
                "{length}"
            );
            let short = with(&|bundle| bundle.signature.resize(length + 1, 0));
            assert_eq!(short, Err(BundleError::BadSignature));
        }
        assert_eq!(
            with(&|bundle| bundle.pre_keys.clear()),
            Err(BundleError::NoPreKeys)
        );
        // One good prekey among bad ones is enough.
        let mostly_bad = with(&|bundle| {
            bundle
                .pre_keys
                .iter_mut()
                .skip(1)
                .for_each(|(_, key)| key.clear());
        });
        assert_eq!(mostly_bad, Ok(()));
        let all_bad = with(&|bundle| bundle.pre_keys.iter_mut().for_each(|(_, key)| key.clear()));
        assert_eq!(all_bad, Err(BundleError::NoPreKeys));
    }
}

#[test]
fn a_prekey_with_id_0_is_taken_only_if_there_is_no_other() {
    for version in Version::ALL {
        let mut bob = Device::install("bob@b.example", 2);
        let mut bundle = unverified(&mut bob, version);
        bundle.pre_keys.truncate(2);
        bundle.pre_keys[0].0 = 0;
        let only = bundle.pre_keys[1].0;
        let verified = bundle.clone().verify().unwrap();
        for seed in 0..20 {
            let (id, _) = verified.random_pre_key(&[], &mut seeded(seed)).unwrap();
            assert_eq!(id, only);
        }
        bundle.pre_keys.truncate(1);
        let verified = bundle.verify().unwrap();
        assert_eq!(verified.random_pre_key(&[], &mut seeded(1)).unwrap().0, 0);
    }
}

#[test]
fn a_second_session_takes_another_prekey_while_the_first_is_unanswered() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let bundle = bob.bundle(version);
        let mut messages = vec![alice.send(&bob.address, version, "0")];
        for session in 1..6 {
            // Randomness that would pick the same one again and again.
            alice.rng = seeded(1);
            alice.initiate(&bundle).unwrap();
            messages.push(alice.send(&bob.address, version, &session.to_string()));
        }
        for (session, message) in messages.iter().enumerate() {
            assert_eq!(bob.read(message), session.to_string());
        }
    }
}

#[test]
fn prekeys_are_picked_at_random() {
    let mut bob = Device::install("bob@b.example", 2);
    let bundle = bob.bundle(Version::Omemo2);
    let picked: HashSet<_> = (0..50)
        .map(|seed| bundle.random_pre_key(&[], &mut seeded(seed)).unwrap().0)
        .collect();
    assert!(picked.len() > 25, "{}", picked.len());
}
