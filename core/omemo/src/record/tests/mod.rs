//! Records as bytes.

mod keys;
mod releases;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::{Device, connect};
use crate::{RecordError, Version};

/// Every row of a device that has lived: all kinds occur.
fn rows() -> BTreeMap<(RecordKind, Vec<u8>), Vec<u8>> {
    let mut all = BTreeMap::new();
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let address = bob.address.clone();
        let lost = alice.send(&address, version, "lost");
        let first = alice.send(&address, version, "first");
        bob.read(&first);
        let answer = bob.send(&alice.address, version, "answer");
        alice.read(&answer);
        let second = alice.send(&address, version, "second");
        bob.read(&second);
        list(&mut bob, &alice.address.jid.clone(), version);
        let rows = bob.snapshot();
        let bundle = alice.bundle(version);
        bob.initiate(&bundle).unwrap();
        all.extend(rows);
        all.extend(bob.snapshot());
        assert_eq!(bob.read(&lost), "lost");
    }
    all
}

fn list(device: &mut Device, jid: &eft_types::BareJid, version: Version) {
    let label = crate::DeviceLabel::new("Phone", vec![1; 64]);
    let id = eft_types::DeviceId::new(7).unwrap();
    let list = crate::DeviceList::new([crate::ListedDevice { id, label }]);
    let now = crate::testing::NOW;
    let effects = device
        .run(|records| crate::device_list_received(records, jid, version, &list, now))
        .unwrap();
    device.take(effects);
}

#[test]
fn every_kind_of_record_survives_a_round_trip() {
    let rows = rows();
    for kind in RecordKind::ALL {
        assert!(
            rows.keys().any(|(found, _)| *found == kind),
            "{kind:?} is not tested"
        );
    }
    for ((kind, name), bytes) in &rows {
        let record = Record::decode(*kind, bytes).unwrap();
        assert_eq!(record.kind(), *kind);
        assert_eq!(record.encode().as_slice(), bytes.as_slice(), "{kind:?}");
        let key = RecordKey::from_bytes(*kind, name).unwrap();
        assert_eq!((key.kind(), key.to_bytes()), (*kind, name.clone()));
    }
}

#[test]
fn a_record_of_a_newer_release_is_named_by_its_version() {
    for ((kind, _), bytes) in rows() {
        for found in [0, 2, 255] {
            let mut newer = bytes.clone();
            newer[0] = found;
            let error = RecordError::UnknownVersion { kind, found };
            assert_eq!(Record::decode(kind, &newer), Err(error));
            assert!(error.to_string().contains(&format!("version {found}")));
        }
    }
}

#[test]
fn shortened_and_lengthened_records_are_damaged() {
    for ((kind, _), bytes) in rows() {
        let damaged = Err(RecordError::Damaged { kind });
        assert_eq!(Record::decode(kind, &[]), damaged);
        for end in 1..bytes.len() {
            assert_eq!(
                Record::decode(kind, &bytes[..end]),
                damaged,
                "{kind:?} {end}"
            );
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Record::decode(kind, &longer), damaged);
    }
}

#[test]
fn debug_output_of_records_and_changes_tells_kinds_and_no_content() {
    let mut changes = Changes::new();
    for ((kind, name), bytes) in rows() {
        let record = Record::decode(kind, &bytes).unwrap();
        assert_eq!(format!("{record:?}"), format!("Record({kind:?})"));
        changes.put(RecordKey::from_bytes(kind, &name).unwrap(), record);
    }
    // 32 bytes of a private key, in the two ways that a derived Debug would write them.
    let text = format!("{changes:?}");
    let account = changes.lookup(&RecordKey::Account).unwrap().unwrap();
    let account = <AccountRecord as super::Stored>::from_body(&account.0).unwrap();
    let private = account.identity.pair().private().bytes();
    let inner = format!("{account:?}");
    for text in [text, inner] {
        assert!(!text.contains(&crate::testing::hex(&private[..4])));
        assert!(!text.contains(&format!("{}, {}, {}", private[0], private[1], private[2])));
    }
}

#[test]
fn a_record_under_another_kind_s_name_is_damage_and_no_panic() {
    let (mut alice, bob) = connect(Version::Omemo2);
    let key = RecordKey::Session {
        address: bob.address.clone(),
        version: Version::Omemo2,
    };
    alice.load(&[RecordKey::Account]);
    let account = alice.records.read(&RecordKey::Account).unwrap().cloned();
    let mut records = Records::new();
    records.insert_loaded(key.clone(), account);
    let error = crate::has_session(&records, &bob.address, Version::Omemo2);
    assert_eq!(error, Err(crate::StepError::Damaged(key)));
}

#[test]
fn the_view_knows_present_absent_and_unknown() {
    let (mut alice, bob) = connect(Version::Omemo2);
    let key = RecordKey::Session {
        address: bob.address.clone(),
        version: Version::Omemo2,
    };
    alice.load(&[key.clone(), RecordKey::Account]);
    let session = alice.records.read(&key).unwrap().unwrap().clone();
    let account = alice
        .records
        .read(&RecordKey::Account)
        .unwrap()
        .unwrap()
        .clone();

    let mut records = Records::new();
    assert!(records.is_empty());
    assert_eq!(records.read(&key), Err(Missing(vec![key.clone()])));
    records.insert_loaded(key.clone(), None);
    assert!(!records.is_empty(), "an absence is known as well");
    assert_eq!(records.read(&key), Ok(None));
    let mut changes = Changes::new();
    changes.put(key.clone(), session.clone());
    assert!(!changes.is_empty());
    let listed: Vec<_> = changes.iter().collect();
    assert_eq!(listed, [(&key, Some(&session))]);
    records.apply(changes.clone());
    assert!(records.has_changes());
    // What was loaded late is older than what was changed.
    records.insert_loaded(key.clone(), None);
    assert_eq!(records.read(&key), Ok(Some(&session)));
    records.insert_loaded(RecordKey::Account, Some(account));
    assert_eq!(records.len(), 2);
    records.forget_clean();
    assert!(!records.is_loaded(&RecordKey::Account));
    assert_eq!(records.take_changes(), changes);
    assert!(!records.has_changes());
    assert!(records.take_changes().is_empty());
    assert_eq!(
        records.read(&key),
        Ok(Some(&session)),
        "still known after the commit"
    );
    // Deleted before it was committed: the deletion wins.
    let mut later = Changes::new();
    later.delete(key.clone());
    changes.merge(later);
    assert_eq!(changes.lookup(&key), Some(None));
    assert_eq!(changes.len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(kind in 0_usize..13, bytes: Vec<u8>) {
        let kind = RecordKind::ALL[kind];
        let _ = RecordKey::from_bytes(kind, &bytes);
        let _ = Record::decode(kind, &bytes);
        let _ = Record::decode(kind, &[&[1], bytes.as_slice()].concat());
    }
}
