//! Where things are in a key exchange.

use eft_omemo::Version;

/// Where the ephemeral key of a key exchange ends: field 2 of legacy's, behind its version byte, and field 4 of omemo:2's.
pub(crate) fn ephemeral_key_ends_at(version: Version, exchange: &[u8]) -> Option<usize> {
    let (mut at, field) = match version {
        Version::Legacy => (1, 2),
        Version::Omemo2 => (0, 4),
    };
    // Fields have numbers below 16, and lengths below 128 as far as this reads.
    while let Some(tag) = exchange.get(at) {
        at += 1;
        match tag & 7 {
            0 => at += 1 + exchange.get(at..)?.iter().position(|byte| *byte < 0x80)?,
            _ => at += 1 + usize::from(*exchange.get(at)?),
        }
        if tag >> 3 == field {
            return Some(at);
        }
    }
    None
}

#[test]
fn the_end_of_an_ephemeral_key_is_found_in_both_versions() {
    let key = [[0x21, 5].as_slice(), &[7; 32]].concat();
    let legacy = [&[0x33, 0x08, 0x80, 1, 0x12][..], &key, &[0x1A, 0x21]].concat();
    assert_eq!(
        ephemeral_key_ends_at(Version::Legacy, &legacy),
        Some(5 + 34)
    );
    let identity = [&[0x1A, 32][..], &[9; 32]].concat();
    let omemo2 = [
        &[0x08, 1, 0x10, 0x80, 1][..],
        &identity,
        &[0x22, 32],
        &[7; 32],
    ]
    .concat();
    let end = ephemeral_key_ends_at(Version::Omemo2, &[&omemo2[..], &[0x2A, 5]].concat());
    assert_eq!(end, Some(omemo2.len()));
    assert_eq!(ephemeral_key_ends_at(Version::Omemo2, &omemo2[..8]), None);
}
