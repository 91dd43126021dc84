//! Our published keys.

use std::collections::HashSet;

use eft_types::{BareJid, DeviceId};

use crate::limits::{MIN_PRE_KEYS, SIGNED_PRE_KEY_ROTATION_MILLIS, TARGET_PRE_KEYS};
use crate::testing::{Device, NOW, Script, connect, seeded};
use crate::{
    Action, Outcome, RecordKey, RecordKind, Records, StepError, UnverifiedBundle, Version, bundle,
    finish_catch_up, install, maintain, own_address, own_device_list, rotate_signed_pre_key,
};

pub(super) fn unverified(device: &mut Device, version: Version) -> UnverifiedBundle {
    let address = device.address.clone();
    device
        .run(|records| bundle(records, version))
        .unwrap()
        .into_unverified(address)
}

fn ids(device: &mut Device, version: Version) -> HashSet<u32> {
    let bundle = unverified(device, version);
    bundle.pre_keys.iter().map(|(id, _)| *id).collect()
}

#[test]
fn a_new_device_has_a_full_bundle_for_each_version_and_says_so() {
    let mut device = Device::install("alice@a.example", 1);
    for version in Version::ALL {
        let bundle = unverified(&mut device, version);
        assert_eq!(bundle.pre_keys.len(), TARGET_PRE_KEYS);
        assert!(bundle.pre_keys.iter().all(|(id, _)| *id > 0));
        assert!(bundle.signed_pre_key_id > 0);
        let length = if version == Version::Omemo2 { 32 } else { 33 };
        assert_eq!(
            (bundle.identity_key.len(), bundle.signed_pre_key.len()),
            (length, length)
        );
        let verified = bundle.verify().unwrap();
        let own = device.run(crate::own_fingerprint).unwrap();
        assert_eq!(verified.identity_key().fingerprint(), own);
    }
    assert_eq!(
        device.actions,
        [
            Action::PublishBundle {
                version: Version::Legacy
            },
            Action::PublishBundle {
                version: Version::Omemo2
            },
            Action::PublishDeviceList {
                version: Version::Legacy
            },
            Action::PublishDeviceList {
                version: Version::Omemo2
            },
        ]
    );
    for version in Version::ALL {
        let list = device
            .run(|records| own_device_list(records, version))
            .unwrap();
        assert_eq!(list.ids().collect::<Vec<_>>(), [device.address.device]);
    }
}

#[test]
fn a_new_device_takes_no_id_that_is_taken() {
    let jid = BareJid::new("alice@a.example").unwrap();
    // Randomness that gives zero: the first free id is taken.
    let taken: Vec<_> = (1..=3).map(|id| DeviceId::new(id).unwrap()).collect();
    let key_count = 1 + 2 * (1 + 100);
    let pieces = (0..key_count).flat_map(|index: u32| {
        let key = vec![u8::try_from(index % 251).unwrap() + 1; 32];
        // After each signed prekey comes the randomness of its signature.
        let signed = index == 1 || index == 102;
        core::iter::once(key).chain(signed.then(|| vec![7; 64]))
    });
    let mut script = Script::new(pieces);
    let effects = install(&jid, &taken, NOW, &mut script);
    let mut records = Records::new();
    records.apply(effects.changes);
    assert_eq!(own_address(&records).unwrap().device.as_u32(), 4);
}

#[test]
fn the_private_identity_key_is_stored_once() {
    let device = Device::install("alice@a.example", 1);
    assert_eq!(device.count(RecordKind::Account), 1);
    assert_eq!(device.count(RecordKind::PreKey), 2 * TARGET_PRE_KEYS);
    assert_eq!(device.count(RecordKind::SignedPreKey), 2);
}

#[test]
fn a_step_before_installing_says_so() {
    let mut records = Records::new();
    assert_eq!(
        own_address(&records),
        Err(StepError::Missing(vec![RecordKey::Account]))
    );
    records.insert_loaded(RecordKey::Account, None);
    assert_eq!(own_address(&records), Err(StepError::NotInstalled));
}

#[test]
fn a_used_prekey_leaves_the_bundle_for_good_and_another_takes_its_place() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let before = ids(&mut bob, version);
        let message = alice.send(&bob.address, version, "hello");
        bob.actions.clear();
        bob.read(&message);
        assert!(bob.actions.contains(&Action::PublishBundle { version }));
        let after = ids(&mut bob, version);
        assert_eq!(after.len(), TARGET_PRE_KEYS);
        let gone: Vec<_> = before.difference(&after).copied().collect();
        assert_eq!(gone.len(), 1);
        assert!(
            after.difference(&before).all(|new| *new > 100),
            "ids are not used again"
        );
        let row = RecordKey::PreKey {
            version,
            id: gone[0],
        };
        assert!(
            bob.row_size(&row).is_some(),
            "another device may have drawn it before the new bundle was there"
        );
        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        assert_eq!(bob.row_size(&row), None);
    }
}

#[test]
fn in_catch_up_a_prekey_may_be_used_twice_and_is_deleted_at_the_end() {
    for version in Version::ALL {
        let mut alice = Device::install("alice@a.example", 1);
        let mut bob = Device::install("bob@b.example", 2);
        let mut carol = Device::install("carol@c.example", 3);
        let bundle = bob.bundle(version);
        (alice.rng, carol.rng) = (seeded(7), seeded(7));
        alice.initiate(&bundle).unwrap();
        carol.initiate(&bundle).unwrap();
        let first = alice.send(&bob.address, version, "first");
        let second = carol.send(&bob.address, version, "second");
        bob.catch_up = true;
        bob.actions.clear();
        let before = ids(&mut bob, version);
        bob.read(&first);
        let hidden: Vec<_> = before
            .difference(&ids(&mut bob, version))
            .copied()
            .collect();
        assert_eq!(hidden.len(), 1, "hidden at once");
        bob.restart();
        bob.read(&second);
        assert_eq!(before.difference(&ids(&mut bob, version)).count(), 1);
        let row = RecordKey::PreKey {
            version,
            id: hidden[0],
        };
        assert!(bob.row_size(&row).is_some());
        let publish = bob
            .actions
            .iter()
            .filter(|action| **action == Action::PublishBundle { version });
        assert_eq!(publish.count(), 1);

        let effects = bob.run(finish_catch_up).unwrap();
        bob.take(effects);
        assert_eq!(bob.row_size(&row), None);
        let effects = bob.run(finish_catch_up).unwrap();
        assert!(effects.changes.is_empty(), "nothing is left to do");
        // A third one comes too late.
        let mut dave = Device::install("dave@d.example", 5);
        dave.rng = seeded(7);
        dave.initiate(&bundle).unwrap();
        let third = dave.send(&bob.address, version, "third");
        assert_eq!(
            bob.receive(&third),
            Outcome::UnknownPreKey { id: hidden[0] }
        );
    }
}

#[test]
fn the_bundle_never_runs_low_however_many_write_at_once() {
    let version = Version::Omemo2;
    let mut bob = Device::install("bob@b.example", 2);
    bob.catch_up = true;
    for seed in 0..30 {
        let mut peer = Device::install(&format!("peer{seed}@p.example"), 100 + seed);
        let bundle = bob.bundle(version);
        peer.initiate(&bundle).unwrap();
        let message = peer.send_empty(&bob.address, version);
        bob.receive(&message);
        assert!(ids(&mut bob, version).len() >= MIN_PRE_KEYS);
    }
    assert_eq!(ids(&mut bob, version).len(), TARGET_PRE_KEYS);
}

#[test]
fn pitfall_30_rotation_keeps_one_previous_signed_prekey() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let message = alice.send(&bob.address, version, "made with the first");
        let mut carol = Device::install("carol@c.example", 3);
        let bundle = bob.bundle(version);
        carol.initiate(&bundle).unwrap();
        let late = carol.send(&bob.address, version, "made with the first as well");
        let first = unverified(&mut bob, version);
        let rotate = |device: &mut Device, seed| {
            let effects = device
                .run(|records| rotate_signed_pre_key(records, version, NOW, &mut seeded(seed)))
                .unwrap();
            assert_eq!(effects.actions, [Action::PublishBundle { version }]);
            device.take(effects);
        };
        rotate(&mut bob, 1);
        let second = unverified(&mut bob, version);
        assert_ne!(first.signed_pre_key, second.signed_pre_key);
        assert_ne!(first.signed_pre_key_id, second.signed_pre_key_id);
        assert_eq!(first.pre_keys, second.pre_keys);
        second.verify().unwrap();
        assert_eq!(bob.read(&message), "made with the first");
        rotate(&mut bob, 2);
        let gone = Outcome::UnknownSignedPreKey {
            id: first.signed_pre_key_id,
        };
        assert_eq!(bob.receive(&late), gone);
        assert_eq!(bob.count(RecordKind::SignedPreKey), 1 + 2);
    }
}

#[test]
fn maintenance_rotates_weekly_and_fills_up() {
    let version = Version::Omemo2;
    let mut device = Device::install("alice@a.example", 1);
    let at = |millis| NOW.saturating_add_millis(millis);
    let run = |device: &mut Device, now| {
        let mut rng = device.rng.clone();
        let effects = loop {
            match maintain(&device.records, version, now, &mut rng) {
                Err(StepError::Missing(keys)) => device.load(&keys),
                other => break other.unwrap(),
            }
        };
        device.take(effects.clone());
        effects
    };
    let first = unverified(&mut device, version).signed_pre_key_id;
    assert!(
        run(&mut device, at(SIGNED_PRE_KEY_ROTATION_MILLIS - 1))
            .changes
            .is_empty()
    );
    let effects = run(&mut device, at(SIGNED_PRE_KEY_ROTATION_MILLIS));
    assert_eq!(effects.actions, [Action::PublishBundle { version }]);
    let second = unverified(&mut device, version).signed_pre_key_id;
    assert_ne!(first, second);
    // The clock was a year ahead, and was set right.
    let _ = run(&mut device, at(0));
    assert_eq!(unverified(&mut device, version).signed_pre_key_id, second);
    let year = 365 * 24 * 3600 * 1000;
    let _ = run(&mut device, at(year));
    let third = unverified(&mut device, version).signed_pre_key_id;
    let _ = run(&mut device, at(0));
    assert_ne!(unverified(&mut device, version).signed_pre_key_id, third);
}

#[test]
fn pitfall_33_damaged_prekeys_are_made_anew_once() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let before = ids(&mut bob, version);
        let lost = *before.iter().min().unwrap();
        let row = RecordKey::PreKey { version, id: lost };
        let mut changes = crate::Changes::new();
        changes.delete(row.clone());
        bob.commit(changes);
        bob.restart();
        let damaged = bob.run(|records| crate::bundle(records, version));
        assert_eq!(damaged.unwrap_err(), crate::StepError::Damaged(row));
        renew(&mut bob, version, false);
        let after = ids(&mut bob, version);
        assert_eq!(after.len(), TARGET_PRE_KEYS);
        assert!(before.is_disjoint(&after), "no number for a second key");
        assert!(after.iter().all(|id| *id > 100_000));
        // What was made with a key that is gone is named, and heals.
        let message = alice.send(&bob.address, version, "too late");
        assert!(matches!(
            bob.receive(&message),
            Outcome::UnknownPreKey { .. } | Outcome::UnknownSignedPreKey { .. }
        ));
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        let message = alice.send(&bob.address, version, "in time");
        assert_eq!(bob.read(&message), "in time");
        // Without the index nothing is known of former numbers.
        renew(&mut bob, version, true);
        assert_eq!(ids(&mut bob, version).len(), TARGET_PRE_KEYS);
    }
}

fn renew(device: &mut Device, version: Version, without_index: bool) {
    device.actions.clear();
    let index = RecordKey::PreKeys { version };
    device.load(&[RecordKey::Account, index.clone()]);
    let mut records = device.records.clone();
    if without_index {
        records = crate::Records::new();
        let account = device.records.read(&RecordKey::Account).unwrap().cloned();
        records.insert_loaded(RecordKey::Account, account);
        records.insert_loaded(index, None);
    }
    let mut rng = seeded(77);
    let effects = crate::renew_pre_keys(&records, version, NOW, &mut rng).unwrap();
    device.take(effects);
    assert_eq!(device.actions, [Action::PublishBundle { version }]);
}
