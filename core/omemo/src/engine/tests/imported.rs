//! A new device that takes over what an export of another brings.

use eft_types::{BareJid, DeviceId, Timestamp};
use rand_core::Rng as _;

use crate::limits::TARGET_PRE_KEYS;
use crate::testing::{Device, NOW, connect, seeded};
use crate::{
    Action, DeviceList, Effects, Event, Fingerprint, IdentityKey, IdentityKeyPair, IdentitySecret,
    InitiateError, InstallError, KnownDevice, KnownKey, Outcome, RecordKey, RecordKind, StepError,
    TrustDecisions, TrustLevel, VerifiedBy, Version, bundle, device_list_received, has_session,
    identity_secret, install_imported, known_device, own_address, own_fingerprint, permit,
    restore_device, restore_trust, set_trust, trust_decisions, trust_level,
};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 1000);
const CONSENT: TrustLevel = TrustLevel::Verified {
    by: VerifiedBy::Consent,
};

/// What a client exports.
struct Export {
    identity: IdentitySecret,
    trust: Vec<(BareJid, TrustDecisions)>,
    devices: Vec<KnownDevice>,
}

fn export(device: &mut Device) -> Export {
    let mut export = Export {
        identity: device.run(identity_secret).unwrap(),
        trust: Vec::new(),
        devices: Vec::new(),
    };
    for (kind, name) in device.snapshot().into_keys() {
        match RecordKey::from_bytes(kind, &name).unwrap() {
            RecordKey::Trust(jid) => {
                let known = device.run(|records| trust_decisions(records, &jid));
                export.trust.push((jid, known.unwrap()));
            }
            RecordKey::Device(address) => {
                let known = device.run(|records| known_device(records, &address));
                export.devices.push(known.unwrap().unwrap());
            }
            _ => {}
        }
    }
    export
}

/// An empty device that is to be one of the account of `former`.
fn blank(former: &Device, seed: u64) -> Device {
    Device::empty(former.address.clone(), seeded(seed))
}

fn install(
    device: &mut Device,
    identity: Option<&IdentitySecret>,
    taken: &[DeviceId],
) -> Result<(), InstallError> {
    let jid = device.address.jid.clone();
    for _ in 0..2 {
        let mut rng = device.rng.clone();
        let records = &device.records;
        match install_imported(records, &jid, identity.cloned(), taken, LATER, &mut rng) {
            Err(InstallError::Step(StepError::Missing(keys))) => device.load(&keys),
            Err(error) => return Err(error),
            Ok(effects) => {
                device.rng = rng;
                device.take(effects);
                device.address = device.run(own_address).unwrap();
                device.restart();
                return Ok(());
            }
        }
    }
    panic!("a step asks for records again and again")
}

fn restore(device: &mut Device, export: &Export) {
    for (jid, known) in &export.trust {
        let changes = device.run(|records| restore_trust(records, jid, known));
        device.commit(changes.unwrap());
    }
    for known in &export.devices {
        let changes = device.run(|records| restore_device(records, known));
        device.commit(changes.unwrap());
    }
    device.restart();
}

fn level(device: &mut Device, jid: &BareJid, key: Fingerprint) -> TrustLevel {
    device
        .run(|records| trust_level(records, jid, key))
        .unwrap()
}

fn verify(device: &mut Device, jid: &BareJid, key: Fingerprint) {
    let level = TrustLevel::Verified {
        by: VerifiedBy::Fingerprint,
    };
    let changes = device.run(|records| set_trust(records, jid, key, level, NOW));
    device.commit(changes.unwrap());
}

#[test]
fn the_key_stays_and_all_else_is_new() {
    let mut former = Device::install("alice@a.example", 1);
    let export = export(&mut former);
    let mut new = blank(&former, 77);
    install(&mut new, Some(&export.identity), &[former.address.device]).unwrap();
    assert_eq!(new.address.jid, former.address.jid);
    assert_ne!(new.address.device, former.address.device);
    let key = former.run(own_fingerprint).unwrap();
    assert_eq!(new.run(own_fingerprint).unwrap(), key);
    assert_eq!(export.identity.fingerprint(), key);
    for version in Version::ALL {
        let old = former.run(|records| bundle(records, version)).unwrap();
        let made = new.run(|records| bundle(records, version)).unwrap();
        assert_eq!(made.identity_key, old.identity_key);
        assert_eq!(made.pre_keys.len(), TARGET_PRE_KEYS);
        assert_ne!(made.signed_pre_key, old.signed_pre_key);
        for (_, pre_key) in &made.pre_keys {
            assert!(old.pre_keys.iter().all(|(_, other)| other != pre_key));
        }
        // Its signature is by the key that stayed.
        let _verified = new.bundle(version);
        assert!(new.actions.contains(&Action::PublishBundle { version }));
        assert!(new.actions.contains(&Action::PublishDeviceList { version }));
    }
    assert_eq!(new.count(RecordKind::Session), 0);
    assert_eq!(
        level(&mut new, &former.address.jid, key),
        TrustLevel::OURSELVES
    );
}

#[test]
fn a_peer_that_compared_the_key_writes_to_the_new_device_without_being_asked_again() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let message = alice.send(&bob.address.clone(), version, "hello");
        assert_eq!(bob.read(&message), "hello");
        let alices = alice.run(own_fingerprint).unwrap();
        verify(&mut bob, &alice.address.jid, alices);
        let export = export(&mut alice);

        let mut new = blank(&alice, 78);
        install(&mut new, Some(&export.identity), &[alice.address.device]).unwrap();
        restore(&mut new, &export);
        let to = new.address.clone();
        bob.initiate(&new.bundle(version)).unwrap();
        let message = bob.send(&to, version, "to the new one");
        assert_eq!(new.read(&message), "to the new one");
        let answer = new.send(&bob.address.clone(), version, "from it");
        let received = bob.receive(&answer);
        assert!(
            matches!(
                received,
                Outcome::Decrypted { ref device, fingerprint, trust, .. }
                    if *device == to && fingerprint == alices && trust.is_authenticated()
            ),
            "{received:?}"
        );
        // What is under way to the former device is none of its business.
        let late = bob.send(&alice.address.clone(), version, "late");
        assert_eq!(new.receive(&late), Outcome::NotForThisDevice);
        // And it has no session that the former device had.
        let bobs = bob.address.clone();
        let mut fresh = blank(&alice, 79);
        install(&mut fresh, Some(&export.identity), &[]).unwrap();
        restore(&mut fresh, &export);
        let can_send = fresh.run(|records| has_session(records, &bobs, version));
        assert!(!can_send.unwrap());
    }
}

#[test]
fn nothing_is_installed_over_a_device_and_nothing_without_having_looked() {
    let mut device = Device::install("alice@a.example", 1);
    let before = device.snapshot();
    assert_eq!(
        install(&mut device, None, &[]),
        Err(InstallError::AlreadyInstalled)
    );
    assert!(device.is_as(&before));

    let mut empty = blank(&device, 80);
    let jid = device.address.jid.clone();
    let asked = install_imported(&empty.records, &jid, None, &[], NOW, &mut seeded(1));
    let wanted = vec![RecordKey::Account, RecordKey::Trust(jid)];
    assert_eq!(asked.unwrap_err().missing(), Some(wanted.as_slice()));
    install(&mut empty, None, &[]).unwrap();
    assert_eq!(InstallError::AlreadyInstalled.missing(), None);
}

#[test]
fn a_device_id_that_is_taken_is_not_taken_again() {
    let former = Device::install("alice@a.example", 1);
    let drawn = {
        let mut device = blank(&former, 81);
        install(&mut device, None, &[]).unwrap();
        device.address.device
    };
    let mut device = blank(&former, 81);
    install(&mut device, None, &[drawn]).unwrap();
    assert_ne!(device.address.device, drawn);
    // The same randomness otherwise: the ids would be the same.
    assert_eq!(device.rng.next_u32(), {
        let mut again = blank(&former, 81);
        install(&mut again, None, &[]).unwrap();
        again.rng.next_u32()
    });
}

#[test]
fn decisions_stand_whether_they_are_restored_before_or_after_the_device_is_made() {
    let mut former = Device::install("alice@a.example", 1);
    let mut tablet = Device::install("alice@a.example", 2);
    let mut bob = Device::install("bob@b.example", 3);
    let [own, bobs_jid] = [former.address.jid.clone(), bob.address.jid.clone()];
    for version in Version::ALL {
        former.initiate(&bob.bundle(version)).unwrap();
        former.initiate(&tablet.bundle(version)).unwrap();
    }
    let [formers, tablets, bobs] =
        [&mut former, &mut tablet, &mut bob].map(|device| device.run(own_fingerprint).unwrap());
    verify(&mut former, &own, tablets);
    let export = export(&mut former);
    assert_eq!(export.trust.len(), 2);
    assert_eq!(export.devices.len(), 2);

    for identity in [None, Some(&export.identity)] {
        let mut made = [82, 83].map(|seed| blank(&former, seed));
        restore(&mut made[0], &export);
        install(&mut made[0], identity, &[]).unwrap();
        install(&mut made[1], identity, &[]).unwrap();
        restore(&mut made[1], &export);
        for device in &mut made {
            let ours = device.run(own_fingerprint).unwrap();
            assert_eq!(level(device, &own, ours), TrustLevel::OURSELVES);
            assert!(level(device, &own, tablets).is_authenticated());
            assert_eq!(level(device, &bobs_jid, bobs), TrustLevel::BlindlyTrusted);
            let expected = if identity.is_some() {
                assert_eq!(ours, formers);
                TrustLevel::OURSELVES
            } else {
                CONSENT
            };
            assert_eq!(level(device, &own, formers), expected);
            let known: TrustDecisions = device
                .run(|records| trust_decisions(records, &own))
                .unwrap();
            assert!(known.asks_about_new_keys);
            let is_ours = |key: &&KnownKey| key.level == TrustLevel::OURSELVES;
            assert_eq!(known.keys.iter().filter(is_ours).count(), 1);
            assert_eq!(known.keys.len(), 2 + usize::from(identity.is_none()));
        }
    }
}

#[test]
fn a_device_that_was_known_is_still_held_to_its_key() {
    let (mut alice, bob) = connect(Version::Omemo2);
    let export = export(&mut alice);
    let mut new = blank(&alice, 84);
    install(&mut new, None, &[]).unwrap();
    restore(&mut new, &export);
    // Somebody publishes a bundle of his own for Bob's device.
    let mut rogue = Device::install("bob@b.example", 66);
    for version in Version::ALL {
        let rogues = rogue.run(|records| bundle(records, version)).unwrap();
        let rogues = rogues.into_unverified(bob.address.clone()).verify();
        let refused = new.initiate(&rogues.unwrap());
        assert!(
            matches!(refused, Err(InitiateError::IdentityChanged { .. })),
            "{refused:?}"
        );
    }
    // Bob himself is no news.
    new.events.clear();
    new.initiate(&bob.clone().bundle(Version::Omemo2)).unwrap();
    let is_news = |event: &Event| matches!(event, Event::KeyAppeared { .. });
    assert!(!new.events.iter().any(is_news), "{:?}", new.events);
    let trusted = permit(crate::TrustPolicy::default(), &new.records, &bob.address);
    assert!(trusted.is_ok());
}

#[test]
fn what_is_known_here_of_a_device_is_not_overwritten_but_made_complete() {
    let mut rng = seeded(4);
    let both = IdentityKeyPair::generate(&mut rng).public();
    let legacy = IdentityKey::from_curve25519(both.curve25519().as_bytes()).unwrap();
    let other = IdentityKeyPair::generate(&mut rng).public();
    let at = Timestamp::from_millis;
    for (here, there, expected) in [
        ((legacy, at(5)), (both, at(7)), (both, at(5))),
        ((both, at(5)), (legacy, at(3)), (both, at(3))),
        ((legacy, at(5)), (other, at(3)), (legacy, at(5))),
        ((both, at(5)), (both, at(9)), (both, at(5))),
    ] {
        let mut device = Device::install("alice@a.example", 1);
        let address = Device::install("bob@b.example", 2).address;
        for (identity, first_seen) in [here, there] {
            let known = KnownDevice {
                address: address.clone(),
                identity,
                first_seen,
            };
            let changes = device.run(|records| restore_device(records, &known));
            device.commit(changes.unwrap());
        }
        let known = device.run(|records| known_device(records, &address));
        let known = known.unwrap().unwrap();
        assert_eq!((known.identity, known.first_seen), expected);
        let changes = device.run(|records| restore_device(records, &known));
        assert!(changes.unwrap().is_empty());
    }
}

#[test]
fn a_device_is_not_bound_to_a_key_by_its_own_export() {
    let mut device = Device::install("alice@a.example", 1);
    let ourselves = KnownDevice {
        address: device.address.clone(),
        identity: IdentityKeyPair::generate(&mut seeded(4)).public(),
        first_seen: NOW,
    };
    let changes = device.run(|records| restore_device(records, &ourselves));
    assert!(changes.unwrap().is_empty());
    // Its records are looked at first.
    let empty = Device::empty(device.address.clone(), seeded(1));
    let asked = restore_device(&empty.records, &ourselves);
    let wanted = vec![
        RecordKey::Account,
        RecordKey::Device(device.address.clone()),
    ];
    assert_eq!(asked, Err(StepError::Missing(wanted)));
}

#[test]
fn a_downgrade_is_noticed_by_the_new_device_too() {
    let (mut alice, bob) = connect(Version::Omemo2);
    let export = export(&mut alice);
    let mut new = blank(&alice, 85);
    install(&mut new, None, &[]).unwrap();
    restore(&mut new, &export);
    // Bob's device stands on the legacy list only, and is known to speak omemo:2.
    let list = DeviceList::of_ids([bob.address.device]);
    let effects: Effects = new
        .run(|records| {
            device_list_received(records, &bob.address.jid, Version::Legacy, &list, LATER)
        })
        .unwrap();
    let address = bob.address.clone();
    let downgraded = Event::DeviceDowngraded { address };
    assert!(effects.events.contains(&downgraded), "{:?}", effects.events);
}
