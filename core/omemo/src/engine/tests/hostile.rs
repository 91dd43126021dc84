//! Bytes from servers and peers who mean harm. Whatever they are: a typed outcome, and no trace.

use proptest::prelude::*;

use super::ratchet::acquainted;
use crate::testing::{Device, connect, seeded};
use crate::wire::Writer;
use crate::{Changes, EncryptedMessage, Malformed, Outcome, Version};

/// Receives without committing, and makes sure that there would be nothing to commit.
pub(super) fn refused(device: &mut Device, message: &EncryptedMessage) -> Outcome {
    let received = device.try_receive(message, &mut seeded(1));
    assert_eq!(received.changes, Changes::new(), "{:?}", received.outcome);
    assert!(
        !matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        ),
        "{:?}",
        received.outcome
    );
    received.outcome
}

fn each_flipped(message: &EncryptedMessage, device: &mut Device) {
    for bit in 0..message.keys[0].data.len() * 8 {
        let mut changed = message.clone();
        changed.keys[0].data[bit / 8] ^= 1 << (bit % 8);
        refused(device, &changed);
    }
    let payload = message.payload.as_ref().unwrap();
    for byte in 0..payload.len() {
        let mut changed = message.clone();
        changed.payload.as_mut().unwrap()[byte] ^= 1;
        assert_eq!(refused(device, &changed), Outcome::BadPayload);
    }
}

#[test]
fn no_flipped_bit_of_a_message_gets_through() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let message = alice.send(&bob.address, version, "text");
        each_flipped(&message, &mut bob);
        assert_eq!(bob.read(&message), "text");
    }
}

#[test]
fn no_flipped_bit_of_a_key_exchange_gets_through() {
    let (mut alice, mut bob) = connect(Version::Omemo2);
    let message = alice.send(&bob.address, Version::Omemo2, "text");
    each_flipped(&message, &mut bob);
    assert_eq!(bob.read(&message), "text");
}

#[test]
fn a_legacy_key_exchange_is_authentic_but_for_its_registration_id() {
    // libsignal's format leaves that one number outside of every MAC; nobody reads it.
    let version = Version::Legacy;
    let (mut alice, mut bob) = connect(version);
    let message = alice.send(&bob.address, version, "text");
    let data = &message.keys[0].data;
    // Field 5 stands before field 6, whose tag and value are the last two bytes.
    let registration = Writer::new()
        .uint32(5, alice.address.device.as_u32())
        .finish();
    let end = data.len() - 2;
    let start = end - registration.len();
    assert_eq!(data[start..end], registration);
    for bit in 0..data.len() * 8 {
        let mut changed = message.clone();
        changed.keys[0].data[bit / 8] ^= 1 << (bit % 8);
        if !(start..end).contains(&(bit / 8)) && bit >= 8 {
            refused(&mut bob, &changed);
        } else {
            // No panic, whatever it is: the low half of the version byte says nothing either.
            let _ = bob.try_receive(&changed, &mut seeded(1));
        }
    }
    assert_eq!(bob.read(&message), "text");
}

#[test]
fn no_shortened_message_gets_through() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let message = alice.send(&bob.address, version, "text");
        for end in 0..message.keys[0].data.len() {
            let mut cut = message.clone();
            cut.keys[0].data.truncate(end);
            refused(&mut bob, &cut);
        }
        assert_eq!(bob.read(&message), "text");
        let answer = bob.send(&alice.address, version, "answer");
        for end in 0..answer.keys[0].data.len() {
            let mut cut = answer.clone();
            cut.keys[0].data.truncate(end);
            refused(&mut alice, &cut);
        }
    }
}

#[test]
fn a_payload_under_another_message_s_key_is_refused() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let first = alice.send(&bob.address, version, "first");
        let second = alice.send(&bob.address, version, "second");
        let mut mixed = first.clone();
        mixed.payload = second.payload.clone();
        assert_eq!(refused(&mut bob, &mixed), Outcome::BadPayload);
        // Nothing was used up: both are read.
        assert_eq!(bob.read(&second), "second");
        assert_eq!(bob.read(&first), "first");
    }
}

#[test]
fn a_message_reflected_to_its_sender_s_peer_is_not_taken_for_the_peer_s() {
    // Bob's own message comes back to him as if Alice had sent it.
    for version in Version::ALL {
        let (alice, mut bob) = acquainted(version);
        let sent = bob.send(&alice.address, version, "mine");
        let mut reflected = sent;
        reflected.sender = alice.address.jid.clone();
        reflected.sid = alice.address.device;
        reflected.keys[0].jid = Some(bob.address.jid.clone());
        reflected.keys[0].rid = bob.address.device;
        assert_eq!(refused(&mut bob, &reflected), Outcome::BadMac);
    }
}

#[test]
fn a_message_in_the_other_version_s_clothes_is_refused() {
    for (version, other) in [
        (Version::Omemo2, Version::Legacy),
        (Version::Legacy, Version::Omemo2),
    ] {
        let (mut alice, mut bob) = acquainted(version);
        let mut message = alice.send(&bob.address, version, "text");
        message.version = other;
        message.iv = Some(vec![0; 12]);
        refused(&mut bob, &message);
    }
}

#[test]
fn hostile_counters_are_refused_at_once() {
    let (mut alice, mut bob) = acquainted(Version::Omemo2);
    let template = alice.send(&bob.address, Version::Omemo2, "text");
    let dh_pub = template
        .chain_position(&bob.address)
        .unwrap()
        .unwrap()
        .dh_pub;
    let mut receive = |n: u64, pn: u64| {
        // Varints of any size, which our own writer cannot make.
        let varint = |mut value: u64| {
            let mut bytes = Vec::new();
            while value > 0x7F {
                bytes.push(u8::try_from(value & 0x7F).unwrap() | 0x80);
                value >>= 7;
            }
            bytes.push(u8::try_from(value).unwrap());
            bytes
        };
        let inner = [
            [vec![0x08], varint(n)].concat(),
            [vec![0x10], varint(pn)].concat(),
            Writer::new().bytes(3, &dh_pub).bytes(4, &[0; 64]).finish(),
        ]
        .concat();
        let mut forged = template.clone();
        forged.keys[0].data = Writer::new().bytes(1, &[0; 16]).bytes(2, &inner).finish();
        refused(&mut bob, &forged)
    };
    let out_of_range = |field| Outcome::Malformed(Malformed::OutOfRange(field));
    for huge in [1 << 31, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        assert_eq!(receive(huge, 0), out_of_range("n"));
        assert_eq!(receive(0, huge), out_of_range("pn"));
    }
    let last = receive(0x7FFF_FFFF, 0);
    assert!(
        matches!(last, Outcome::SkippedTooMany { max: 1000, .. }),
        "{last:?}"
    );
}

#[test]
fn a_flood_of_keys_for_our_number_is_not_tried_to_the_end() {
    let version = Version::Legacy;
    let (mut alice, mut bob) = acquainted(version);
    let mut message = alice.send(&bob.address, version, "text");
    let ours = message.keys[0].clone();
    let mut wrong = ours.clone();
    *wrong.data.last_mut().unwrap() ^= 1;
    message.keys = vec![wrong; 1000];
    message.keys.push(ours);
    assert_eq!(refused(&mut bob, &message), Outcome::BadMac);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_the_engine_panic(
        data: Vec<u8>,
        start in 0_usize..4,
        payload: Option<Vec<u8>>,
        iv: Option<Vec<u8>>,
        kex: bool,
    ) {
        for version in Version::ALL {
            let (mut alice, mut bob) = acquainted(version);
            let mut message = alice.send(&bob.address, version, "text");
            let prefix: &[u8] = [&[][..], &[0x0A, 0x10], &[0x08], &[0x33, 0x0A]][start];
            message.keys[0].data = [prefix, &data].concat();
            message.keys[0].kex = kex;
            message.payload = payload.clone();
            message.iv = iv.clone();
            refused(&mut bob, &message);
        }
    }
}
