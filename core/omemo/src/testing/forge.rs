//! Messages taken apart and put together again with something else in them.

use crate::Version;
use crate::wire::{Reader, Value, Writer};

/// A public key in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// `ik`, `identityKey`: key exchanges only.
    Identity,
    /// `ek`, `baseKey`: key exchanges only.
    Ephemeral,
    /// `dh_pub`, `ratchetKey`.
    Ratchet,
}

/// The data of a `<key/>` with another key in one slot. Its MAC is left as it is.
pub(crate) fn with_key(version: Version, data: &[u8], slot: Slot, key: &[u8; 32]) -> Vec<u8> {
    match version {
        Version::Omemo2 => omemo2(data, slot, key),
        Version::Legacy => legacy(data, slot, &[&[5], key.as_slice()].concat()),
    }
}

/// Whether the data of a `<key/>` makes a session.
pub(crate) fn is_key_exchange(version: Version, data: &[u8]) -> bool {
    match version {
        Version::Omemo2 => data[0] == 0x08,
        Version::Legacy => data[1] == 0x08,
    }
}

/// The message inside of a key exchange.
pub(crate) fn inner_message(version: Version, data: &[u8]) -> Vec<u8> {
    let (bytes, number) = match version {
        Version::Omemo2 => (data, 5),
        Version::Legacy => (&data[1..], 4),
    };
    let mut inner = Vec::new();
    edit(bytes, number, |message| {
        inner = message.to_vec();
        inner.clone()
    });
    inner
}

/// A key exchange around another message.
pub(crate) fn with_inner_message(version: Version, data: &[u8], message: &[u8]) -> Vec<u8> {
    match version {
        Version::Omemo2 => edit(data, 5, |_| message.to_vec()),
        Version::Legacy => [&data[..1], &edit(&data[1..], 4, |_| message.to_vec())].concat(),
    }
}

fn omemo2(data: &[u8], slot: Slot, key: &[u8]) -> Vec<u8> {
    let ratchet = |message: &[u8]| edit(message, 2, |inner| edit(inner, 3, |_| key.to_vec()));
    match slot {
        Slot::Identity => edit(data, 3, |_| key.to_vec()),
        Slot::Ephemeral => edit(data, 4, |_| key.to_vec()),
        Slot::Ratchet if is_key_exchange(Version::Omemo2, data) => edit(data, 5, ratchet),
        Slot::Ratchet => ratchet(data),
    }
}

fn legacy(data: &[u8], slot: Slot, key: &[u8]) -> Vec<u8> {
    let ratchet = |message: &[u8]| {
        let (body, mac) = message[1..].split_at(message.len() - 9);
        [&message[..1], &edit(body, 1, |_| key.to_vec()), mac].concat()
    };
    let outer = |number| [&data[..1], &edit(&data[1..], number, |_| key.to_vec())].concat();
    match slot {
        Slot::Identity => outer(3),
        Slot::Ephemeral => outer(2),
        Slot::Ratchet if is_key_exchange(Version::Legacy, data) => {
            [&data[..1], &edit(&data[1..], 4, ratchet)].concat()
        }
        Slot::Ratchet => ratchet(data),
    }
}

/// The fields of one protocol buffer, one of them changed. Panics if it is not there.
pub(crate) fn edit(bytes: &[u8], number: u32, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut change = Some(change);
    let mut reader = Reader::new(bytes);
    let mut writer = Writer::new();
    while let Some(field) = reader.next_field().unwrap() {
        writer = match field.value {
            Value::Varint(value) => writer.uint32(field.number, u32::try_from(value).unwrap()),
            Value::Bytes(value) if field.number == number => {
                let change = change.take().expect("the field is there once");
                writer.bytes(number, &change(value))
            }
            Value::Bytes(value) => writer.bytes(field.number, value),
            Value::Fixed => panic!("no message of ours has such a field"),
        };
    }
    assert!(change.is_none(), "field {number} is not there");
    writer.finish()
}
