//! Which prekey of a peer's bundle a new session takes: none that an exchange of ours under way may use up.

use std::collections::BTreeSet;

use crate::testing::{Device, seeded};
use crate::wire::Incoming;
use crate::{VerifiedBundle, Version};

/// Two prekeys of a device, in a bundle that its peer has fetched once and keeps.
fn two_pre_keys(of: &mut Device, version: Version) -> (VerifiedBundle, BTreeSet<u32>) {
    let bundle = of.run(|records| crate::bundle(records, version)).unwrap();
    let mut fetched = bundle.into_unverified(of.address.clone());
    fetched.pre_keys.truncate(2);
    let ids = fetched.pre_keys.iter().map(|(id, _)| *id).collect();
    (fetched.verify().unwrap(), ids)
}

/// Makes a session, and says which prekey it took.
fn taken(from: &mut Device, bundle: &VerifiedBundle, version: Version, seed: u64) -> u32 {
    from.rng = seeded(seed);
    from.initiate(bundle).unwrap();
    let message = from.send_empty(bundle.address(), version);
    let key = &message.keys[0];
    match version.profile().parse(&key.data, key.kex).unwrap() {
        Incoming::KeyExchange(exchange) => exchange.pre_key_id,
        Incoming::Message(_) => panic!("a new session begins with an exchange"),
    }
}

#[test]
fn a_prekey_of_an_exchange_under_way_is_not_taken_again() {
    for version in Version::ALL {
        let alice = Device::install("alice@a.example", 1);
        let mut bob = Device::install("bob@b.example", 2);
        let (bundle, both) = two_pre_keys(&mut bob, version);
        for seed in 0..8 {
            let mut alice = alice.clone();
            let first = taken(&mut alice, &bundle, version, seed);
            // The session in place, and then an archived one.
            let second = taken(&mut alice, &bundle, version, seed);
            assert_eq!(BTreeSet::from([first, second]), both);
            // Both are spent: one of them is better than no session.
            assert!(both.contains(&taken(&mut alice, &bundle, version, seed)));
        }
    }
}

#[test]
fn only_exchanges_of_ours_that_nobody_answered_count() {
    for version in Version::ALL {
        let mut alice = Device::install("alice@a.example", 1);
        let mut bob = Device::install("bob@b.example", 2);
        let (bobs, both) = two_pre_keys(&mut bob, version);
        let (alices, same) = two_pre_keys(&mut alice, version);
        assert_eq!(both, same, "prekeys are numbered alike");
        alice.initiate(&bobs).unwrap();
        let hello = alice.send(&bob.address, version, "hello");
        assert_eq!(bob.read(&hello), "hello");
        let seen = |from: &Device, bundle| -> BTreeSet<_> {
            (0..16)
                .map(|seed| taken(&mut from.clone(), bundle, version, seed))
                .collect()
        };
        // The exchange in Bob's session named a prekey of his own.
        assert_eq!(seen(&bob, &alices), both);
        assert_eq!(seen(&alice, &bobs).len(), 1);
        let answer = bob.send(&alice.address, version, "hello yourself");
        assert_eq!(alice.read(&answer), "hello yourself");
        assert_eq!(seen(&alice, &bobs), both);
        assert_eq!(seen(&bob, &alices), both);
    }
}
