//! The decoder of every kind of record.

use eft_omemo::{Record, RecordError, RecordKind};

use crate::fixture::Fixture;
use crate::input::Seed;

/// What is decoded encodes to bytes that decode to the same; another version is an error that names it.
pub(crate) fn run(data: &[u8]) {
    let Some((number, bytes)) = data.split_first() else {
        return;
    };
    let kind = RecordKind::ALL[usize::from(*number) % RecordKind::ALL.len()];
    match Record::decode(kind, bytes) {
        Ok(record) => {
            assert_eq!(record.kind(), kind);
            assert_eq!(format!("{record:?}"), format!("Record({kind:?})"));
            let encoded = record.encode();
            let again = Record::decode(kind, &encoded).unwrap();
            assert!(again == record, "a {kind:?} changes by being stored");
            assert!(*again.encode() == *encoded);
            let mut newer = encoded.to_vec();
            newer[0] = newer[0].wrapping_add(1);
            let found = newer[0];
            let unknown = RecordError::UnknownVersion { kind, found };
            assert_eq!(Record::decode(kind, &newer).unwrap_err(), unknown);
        }
        Err(RecordError::UnknownVersion { kind: named, found }) => {
            assert_eq!((named, Some(&found)), (kind, bytes.first()));
        }
        Err(RecordError::Damaged { kind: named }) => assert_eq!(named, kind),
    }
}

/// One record of each kind, the longest.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let rows = &Fixture::get().bob.store;
    let longest = |kind: &RecordKind| {
        let of_kind = rows.iter().filter(|((found, _), _)| found == kind);
        of_kind
            .map(|(_, bytes)| bytes)
            .max_by_key(|bytes| bytes.len())
    };
    (0..)
        .zip(&RecordKind::ALL)
        .filter_map(|(number, kind)| {
            Some(Seed::new().byte(number).rest(longest(kind)?).into_bytes())
        })
        .collect()
}
