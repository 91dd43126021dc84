//! Every byte of every kind of message changed, and every message cut short: not a byte of the store is another.

use super::ratchet::acquainted;
use crate::testing::{Device, connect, is_long};
use crate::{EncryptedMessage, Outcome, Version};

/// A message that has not arrived, and whom it is for.
struct Case {
    what: &'static str,
    to: Device,
    message: EncryptedMessage,
    /// Bytes of the key's data that no MAC covers: legacy's registration id, and the half of the version byte that says
    /// what the sender knows.
    free: Vec<usize>,
}

fn cases(version: Version) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what, to: &Device, message: EncryptedMessage| {
        let free = free_bytes(&message, what);
        let to = to.clone();
        cases.push(Case {
            what,
            to,
            message,
            free,
        });
    };
    let (mut alice, mut bob) = connect(version);
    let first = alice.send(&bob.address, version, "key exchange");
    add("key exchange", &bob, first.clone());
    let empty = alice.send_empty(&bob.address, version);
    add("empty key exchange", &bob, empty);
    bob.read(&first);
    let repeated = alice.send(&bob.address, version, "repeated");
    add("repeated key exchange", &bob, repeated);

    let (mut alice, mut bob) = acquainted(version);
    let new_chain = alice.send(&bob.address, version, "new chain");
    add("message of a new chain", &bob, new_chain.clone());
    let empty = alice.send_empty(&bob.address, version);
    add("empty message of a new chain", &bob, empty);
    bob.read(&new_chain);
    let skipped = alice.send(&bob.address, version, "skipped");
    let ahead = alice.send(&bob.address, version, "ahead");
    add("message that skips one", &bob, ahead.clone());
    bob.read(&ahead);
    add("message that was skipped", &bob, skipped);
    let empty = alice.send_empty(&bob.address, version);
    add("empty message of a chain", &bob, empty);
    let late = alice.send(&bob.address, version, "late");
    // A sender that counts as libsignal does: the last message of the chain is not among the skipped.
    let answer = bob.send(&alice.address, version, "answer");
    alice.read(&answer);
    let turned = alice.send(&bob.address, version, "turned");
    add("message that ends a chain", &bob, turned.clone());
    bob.read(&turned);
    add("last message of an old chain", &bob, late);

    let (mut alice, mut bob) = acquainted(version);
    let archived = alice.send(&bob.address, version, "archived");
    let bundle = alice.bundle(version);
    bob.initiate(&bundle).unwrap();
    add("message of an archived session", &bob, archived);
    let bundle = bob.bundle(version);
    alice.initiate(&bundle).unwrap();
    let crossing = alice.send(&bob.address, version, "crossing");
    add("key exchange that crosses ours", &bob, crossing);
    cases
}

fn free_bytes(message: &EncryptedMessage, what: &str) -> Vec<usize> {
    if message.version != Version::Legacy || !what.contains("key exchange") {
        return Vec::new();
    }
    // Field 5 stands before field 6, whose tag and value are the last two bytes.
    let data = &message.keys[0].data;
    let registration = crate::wire::Writer::new()
        .uint32(5, message.sid.as_u32())
        .finish();
    let end = data.len() - 2;
    let start = end - registration.len();
    assert_eq!(data[start..end], registration);
    (start..end).chain([0]).collect()
}

fn refused(to: &mut Device, changed: &EncryptedMessage, case: &str) {
    let before = to.snapshot();
    let outcome = to.receive(changed);
    assert!(
        !matches!(outcome, Outcome::Decrypted { .. } | Outcome::Empty { .. }),
        "{case}: {outcome:?}"
    );
    assert!(to.is_as(&before), "{case}: {outcome:?}");
}

/// Which bits of a byte are tried.
fn bits() -> &'static [u8] {
    if is_long() {
        &[0, 1, 2, 3, 4, 5, 6, 7]
    } else {
        &[0, 5]
    }
}

fn each_flip(version: Version) {
    let mut tried = 0;
    for case in cases(version) {
        let Case {
            what,
            mut to,
            message,
            free,
        } = case;
        for byte in 0..message.keys[0].data.len() {
            if free.contains(&byte) {
                continue;
            }
            for bit in bits() {
                let mut changed = message.clone();
                changed.keys[0].data[byte] ^= 1 << bit;
                refused(
                    &mut to,
                    &changed,
                    &format!("{version} {what}, byte {byte} bit {bit}"),
                );
                tried += 1;
            }
        }
        for length in 0..message.keys[0].data.len() {
            let mut cut = message.clone();
            cut.keys[0].data.truncate(length);
            refused(&mut to, &cut, &format!("{version} {what}, cut to {length}"));
        }
        for payload in 0..message.payload.as_ref().map_or(0, Vec::len) {
            let mut changed = message.clone();
            let bytes = changed.payload.as_mut().unwrap();
            bytes[payload] ^= 0x10;
            refused(&mut to, &changed, what);
            bytes_cut(&mut changed, payload);
            refused(&mut to, &changed, what);
        }
        // An empty message has an IV for nothing.
        let iv = message.iv.as_ref().filter(|_| message.payload.is_some());
        for at in 0..iv.map_or(0, Vec::len) {
            let mut changed = message.clone();
            changed.iv.as_mut().unwrap()[at] ^= 1;
            refused(&mut to, &changed, what);
            changed.iv.as_mut().unwrap().truncate(at);
            refused(&mut to, &changed, what);
        }
        // Nothing was used up by all that.
        let outcome = to.receive(&message);
        assert!(
            matches!(outcome, Outcome::Decrypted { .. } | Outcome::Empty { .. }),
            "{version} {what}: {outcome:?}"
        );
    }
    assert!(tried > 2_000, "{tried}");
}

fn bytes_cut(message: &mut EncryptedMessage, length: usize) {
    if let Some(payload) = &mut message.payload {
        payload.truncate(length);
    }
}

#[test]
fn no_changed_byte_of_an_omemo2_message_leaves_a_trace() {
    each_flip(Version::Omemo2);
}

#[test]
fn no_changed_byte_of_a_legacy_message_leaves_a_trace() {
    each_flip(Version::Legacy);
}
