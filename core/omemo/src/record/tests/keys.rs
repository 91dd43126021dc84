//! Names of records.

use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::{RecordKey, RecordKind, Version};

fn every_key() -> Vec<RecordKey> {
    let jid = BareJid::new("juliet@capulet.example").unwrap();
    let address = DeviceAddress::new(jid.clone(), DeviceId::new(0x0100_0001).unwrap());
    let mut keys = vec![
        RecordKey::Account,
        RecordKey::Device(address.clone()),
        RecordKey::Trust(jid.clone()),
    ];
    for version in Version::ALL {
        let address = address.clone();
        keys.extend([
            RecordKey::PreKeys { version },
            RecordKey::PreKey { version, id: 256 },
            RecordKey::SignedPreKey { version, id: 1 },
            RecordKey::DeviceList {
                jid: jid.clone(),
                version,
            },
            RecordKey::Session {
                address: address.clone(),
                version,
            },
            RecordKey::OldChains {
                address: address.clone(),
                version,
            },
            RecordKey::ArchivedSessions {
                address: address.clone(),
                version,
            },
            RecordKey::SkippedKeys {
                address: address.clone(),
                version,
            },
            RecordKey::SeenMessages {
                address: address.clone(),
                version,
            },
            RecordKey::SkippedKey {
                address,
                version,
                dh_pub: [0; 32],
                n: 7,
            },
        ]);
    }
    keys
}

#[test]
fn names_survive_a_round_trip_and_are_unique_within_their_kind() {
    let keys = every_key();
    let mut seen = std::collections::HashSet::new();
    for key in &keys {
        let bytes = key.to_bytes();
        assert_eq!(RecordKey::from_bytes(key.kind(), &bytes).as_ref(), Ok(key));
        assert!(seen.insert((key.kind(), bytes)), "{key:?}");
    }
}

#[test]
fn shortened_or_lengthened_names_are_refused() {
    for key in every_key() {
        let bytes = key.to_bytes();
        for end in 0..bytes.len() {
            assert!(
                RecordKey::from_bytes(key.kind(), &bytes[..end]).is_err(),
                "{key:?} {end}"
            );
        }
        let mut longer = bytes;
        longer.push(1);
        assert!(
            RecordKey::from_bytes(key.kind(), &longer).is_err(),
            "{key:?}"
        );
    }
}

#[test]
fn another_spelling_of_a_jid_names_no_record() {
    let name = RecordKey::Trust(BareJid::new("a@b.example").unwrap()).to_bytes();
    let spelled = [b"A@b.example\0".as_slice(), b"a@B.example\0"];
    assert!(RecordKey::from_bytes(RecordKind::Trust, &name).is_ok());
    for spelled in spelled {
        assert!(RecordKey::from_bytes(RecordKind::Trust, spelled).is_err());
    }
}

#[test]
fn the_prefix_of_one_account_is_no_prefix_of_another() {
    let short = BareJid::new("a@b.c").unwrap();
    let long = BareJid::new("a@b.cd").unwrap();
    let key = RecordKey::Trust(long).to_bytes();
    assert!(!key.starts_with(&RecordKey::jid_prefix(&short)));
}

#[test]
fn kinds_keep_their_numbers() {
    for (index, kind) in RecordKind::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(kind.as_u8()), index + 1);
        assert_eq!(RecordKind::from_u8(kind.as_u8()), Some(kind));
    }
    assert_eq!(RecordKind::from_u8(0), None);
    assert_eq!(RecordKind::from_u8(14), None);
}
