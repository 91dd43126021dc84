//! A server that would rather have the older protocol, or another key: nothing gives way silently.

use eft_types::{BareJid, DeviceAddress, DeviceId};

use super::ratchet::acquainted;
use crate::limits::MAX_DEVICES;
use crate::testing::{Device, NOW, connect};
use crate::{
    BundleError, DeviceList, Effects, EncryptError, Event, InitiateError, NotTrusted, Reach,
    TrustPolicy, Version, device_list_received, encrypt_empty, permit, reach,
};

fn publish(device: &mut Device, jid: &BareJid, version: Version, ids: &[DeviceId]) -> Effects {
    let list = DeviceList::of_ids(ids.iter().copied());
    let effects = device
        .run(|records| device_list_received(records, jid, version, &list, NOW))
        .unwrap();
    device.take(effects.clone());
    device.restart();
    effects
}

fn how(device: &mut Device, address: &DeviceAddress) -> Reach {
    device.run(|records| reach(records, address)).unwrap()
}

/// Ids that nobody has.
fn crowd(from: u32) -> Vec<DeviceId> {
    (from..)
        .take(MAX_DEVICES)
        .map(|number| DeviceId::new(number).unwrap())
        .collect()
}

#[test]
fn crowds_of_new_devices_do_not_push_a_known_one_off_the_better_version() {
    let mut alice = Device::install("alice@a.example", 1);
    let address = Device::install("bob@b.example", 2).address;
    let (jid, id) = (address.jid.clone(), address.device);
    let _ = publish(&mut alice, &jid, Version::Omemo2, &[id]);
    let _ = publish(&mut alice, &jid, Version::Legacy, &[id]);
    assert_eq!(how(&mut alice, &address), Reach::Omemo2);
    // The server takes the device off, and publishes crowds of others until the list of former ones is full.
    for round in 0..5 {
        let others = crowd(1_000_000 * (round + 1));
        let _ = publish(&mut alice, &jid, Version::Omemo2, &others);
        assert_eq!(how(&mut alice, &address), Reach::Downgraded, "{round}");
    }
    let _ = publish(&mut alice, &jid, Version::Omemo2, &[]);
    assert_eq!(how(&mut alice, &address), Reach::Downgraded);
}

#[test]
fn a_device_that_has_spoken_the_better_version_is_known_by_its_key() {
    let (mut alice, bob) = acquainted(Version::Omemo2);
    let (jid, id) = (bob.address.jid.clone(), bob.address.device);
    // The former list was full of others before the device came.
    for round in 0..3 {
        let others = crowd(1_000_000 * (round + 1));
        let _ = publish(&mut alice, &jid, Version::Omemo2, &others);
    }
    let _ = publish(&mut alice, &jid, Version::Omemo2, &[id]);
    let _ = publish(&mut alice, &jid, Version::Legacy, &[id]);
    let told = Event::DeviceDowngraded {
        address: bob.address.clone(),
    };
    let effects = publish(&mut alice, &jid, Version::Omemo2, &[]);
    assert!(effects.events.contains(&told));
    assert_eq!(how(&mut alice, &bob.address), Reach::Downgraded);
    // Or the server never shows the better list at all.
    let (mut alice, bob) = acquainted(Version::Omemo2);
    let effects = publish(&mut alice, &jid, Version::Legacy, &[id]);
    assert!(effects.events.contains(&told));
    assert_eq!(how(&mut alice, &bob.address), Reach::Downgraded);
    // The user's hand ends it.
    let effects = alice.run(|records| crate::forget_device(records, &bob.address));
    alice.take(effects.unwrap());
    assert_eq!(how(&mut alice, &bob.address), Reach::Legacy);
}

#[test]
fn a_device_that_never_spoke_the_better_version_is_reached_over_legacy() {
    let (mut alice, bob) = acquainted(Version::Legacy);
    let (jid, id) = (bob.address.jid.clone(), bob.address.device);
    let _ = publish(&mut alice, &jid, Version::Legacy, &[id]);
    assert_eq!(how(&mut alice, &bob.address), Reach::Legacy);
    let _ = publish(&mut alice, &jid, Version::Omemo2, &[]);
    assert_eq!(how(&mut alice, &bob.address), Reach::Legacy);
}

#[test]
fn pitfall_28_a_device_on_the_better_list_alone_is_reached() {
    let (mut alice, bob) = acquainted(Version::Omemo2);
    let (jid, id) = (bob.address.jid.clone(), bob.address.device);
    let _ = publish(&mut alice, &jid, Version::Omemo2, &[id]);
    assert_eq!(how(&mut alice, &bob.address), Reach::Omemo2);
    // Also when the account says that it has no other list, or an empty one.
    let _ = publish(&mut alice, &jid, Version::Legacy, &[]);
    assert_eq!(how(&mut alice, &bob.address), Reach::Omemo2);
}

#[test]
fn an_emptied_list_leaves_nobody_and_says_so() {
    for version in Version::ALL {
        let (mut alice, bob) = acquainted(version);
        let (jid, id) = (bob.address.jid.clone(), bob.address.device);
        let _ = publish(&mut alice, &jid, version, &[id]);
        let effects = publish(&mut alice, &jid, version, &[]);
        let told = Event::DeviceDisappeared {
            address: bob.address.clone(),
            version,
        };
        assert!(effects.events.contains(&told));
        assert_eq!(how(&mut alice, &bob.address), Reach::Unlisted);
    }
}

#[test]
fn another_key_under_a_known_device_id_makes_no_session() {
    for version in Version::ALL {
        let (mut alice, bob) = acquainted(version);
        let mut mallory = Device::install("mallory@m.example", 9);
        let forged = mallory
            .run(|records| crate::bundle(records, version))
            .unwrap()
            .into_unverified(bob.address.clone())
            .verify()
            .unwrap();
        let before = alice.snapshot();
        match alice.initiate(&forged) {
            Err(InitiateError::IdentityChanged {
                address,
                known,
                found,
            }) => {
                assert_eq!(address, bob.address);
                assert_ne!(known, found);
            }
            other => panic!("{other:?}"),
        }
        assert!(alice.is_as(&before));
        // Nor over the other version, where there is no session yet.
        let other = match version {
            Version::Legacy => Version::Omemo2,
            Version::Omemo2 => Version::Legacy,
        };
        let forged = mallory
            .run(|records| crate::bundle(records, other))
            .unwrap()
            .into_unverified(bob.address.clone())
            .verify()
            .unwrap();
        assert!(matches!(
            alice.initiate(&forged),
            Err(InitiateError::IdentityChanged { .. })
        ));
    }
}

#[test]
fn a_session_of_one_version_does_not_stand_in_for_the_other() {
    let (mut alice, bob) = acquainted(Version::Omemo2);
    alice.load(&crate::encrypt_needs(Version::Legacy, [&bob.address]));
    let mut rng = alice.rng.clone();
    let sent = encrypt_empty(&alice.records, &bob.address, Version::Legacy, &mut rng);
    assert_eq!(
        sent.unwrap_err(),
        EncryptError::NoSession(bob.address.clone())
    );
    assert_eq!(
        alice
            .try_send(&bob.address, Version::Legacy, "text")
            .unwrap_err(),
        EncryptError::NoSession(bob.address)
    );
}

#[test]
fn a_stripped_bundle_is_refused_and_no_reason_to_be_less_strict() {
    for version in Version::ALL {
        let mut bob = Device::install("bob@b.example", 2);
        let address = bob.address.clone();
        let bundle = bob.run(|records| crate::bundle(records, version)).unwrap();
        let good = bundle.into_unverified(address);
        let mut unsigned = good.clone();
        unsigned.signature.clear();
        assert_eq!(unsigned.verify(), Err(BundleError::BadSignature));
        let mut zero = good.clone();
        zero.signature = vec![0; 64];
        assert_eq!(zero.verify(), Err(BundleError::BadSignature));
        let mut bare = good.clone();
        bare.pre_keys.clear();
        assert_eq!(bare.verify(), Err(BundleError::NoPreKeys));
    }
}

#[test]
fn a_key_that_nobody_met_gets_no_content() {
    let (mut alice, _) = connect(Version::Omemo2);
    let stranger = DeviceAddress::new(
        BareJid::new("stranger@s.example").unwrap(),
        DeviceId::new(3).unwrap(),
    );
    alice.load(&[
        crate::RecordKey::Device(stranger.clone()),
        crate::RecordKey::Trust(stranger.jid.clone()),
    ]);
    for policy in [
        TrustPolicy::BlindTrustBeforeVerification,
        TrustPolicy::AskAlways,
        TrustPolicy::VerifiedOnly,
    ] {
        let refused = permit(policy, &alice.records, &stranger).unwrap_err();
        let address = stranger.clone();
        assert_eq!(refused, NotTrusted::UnknownDevice { address });
    }
}
