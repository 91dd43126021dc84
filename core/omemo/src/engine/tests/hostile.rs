//! Bytes from servers and peers who mean harm. Whatever they are: a typed outcome, and no trace.

use proptest::prelude::*;

use super::ratchet::acquainted;
use crate::testing::{Device, connect, seeded, unhex};
use crate::wire::Writer;
use crate::{Changes, EncryptedMessage, KeyError, Malformed, Outcome, Version};

/// Points of small order and other keys that are none.
const NO_KEYS: [&str; 3] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
];

/// Receives without committing, and makes sure that there would be nothing to commit.
fn refused(device: &mut Device, message: &EncryptedMessage) -> Outcome {
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
fn keys_that_are_none_are_named_in_every_slot() {
    let (mut alice, mut bob) = acquainted(Version::Omemo2);
    let template = alice.send(&bob.address, Version::Omemo2, "text");
    let good = unhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1158");
    let message = |dh_pub: &[u8]| {
        let inner = Writer::new()
            .uint32(1, 0)
            .uint32(2, 0)
            .bytes(3, dh_pub)
            .bytes(4, &[0; 48])
            .finish();
        Writer::new().bytes(1, &[0; 16]).bytes(2, &inner).finish()
    };
    let exchange = |ik: &[u8], ek: &[u8], dh_pub: &[u8]| {
        Writer::new()
            .uint32(1, 1)
            .uint32(2, 1)
            .bytes(3, ik)
            .bytes(4, ek)
            .bytes(5, &message(dh_pub))
            .finish()
    };
    let ik = alice
        .run(|records| {
            Ok(crate::engine::Step::new(records)
                .account()?
                .identity
                .public())
        })
        .unwrap();
    let ik = ik.ed25519().unwrap().to_vec();
    let mut receive = |data: Vec<u8>| {
        let mut forged = template.clone();
        forged.keys[0].data = data;
        refused(&mut bob, &forged)
    };
    let named = |field, error| Outcome::Malformed(Malformed::Key { field, error });
    for hex in NO_KEYS {
        let bad = unhex(hex);
        let small = KeyError::SmallOrder;
        assert_eq!(receive(message(&bad)), named("dh_pub", small));
        assert_eq!(receive(exchange(&ik, &good, &bad)), named("dh_pub", small));
        assert_eq!(receive(exchange(&ik, &bad, &good)), named("ek", small));
    }
    for point in curve25519_dalek::constants::EIGHT_TORSION {
        let bad = point.compress().to_bytes();
        let outcome = receive(exchange(&bad, &good, &good));
        assert_eq!(outcome, named("ik", KeyError::SmallOrder));
    }
    for length in [0, 31, 33, 64] {
        let bad = vec![9; length];
        let wrong = KeyError::WrongLength { found: length };
        assert_eq!(receive(message(&bad)), named("dh_pub", wrong));
        assert_eq!(receive(exchange(&bad, &good, &good)), named("ik", wrong));
        assert_eq!(receive(exchange(&ik, &bad, &good)), named("ek", wrong));
    }
    // Well formed, and of no session.
    assert_eq!(receive(message(&good)), Outcome::BadMac);
}

#[test]
fn legacy_keys_that_are_none_are_named_in_every_slot() {
    let (mut alice, mut bob) = acquainted(Version::Legacy);
    let template = alice.send(&bob.address, Version::Legacy, "text");
    let typed = |key: &[u8]| [&[5], key].concat();
    let good = typed(&unhex(
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1158",
    ));
    let message = |key: &[u8]| {
        let inner = Writer::after(&[0x33])
            .bytes(1, key)
            .uint32(2, 0)
            .uint32(3, 0)
            .bytes(4, &[0; 48])
            .finish();
        [inner, vec![0; 8]].concat()
    };
    let exchange = |identity: &[u8], base: &[u8], ratchet: &[u8]| {
        Writer::after(&[0x33])
            .uint32(1, 1)
            .bytes(2, base)
            .bytes(3, identity)
            .bytes(4, &message(ratchet))
            .uint32(6, 1)
            .finish()
    };
    let mut receive = |data: Vec<u8>| {
        let mut forged = template.clone();
        forged.keys[0].data = data;
        refused(&mut bob, &forged)
    };
    let named = |field, error| Outcome::Malformed(Malformed::Key { field, error });
    for (bad, error) in [
        (typed(&[0; 32]), KeyError::SmallOrder),
        (typed(&[9; 31]), KeyError::WrongLength { found: 32 }),
        (vec![9; 32], KeyError::WrongLength { found: 32 }),
        (vec![9; 33], KeyError::WrongType { found: 9 }),
        (Vec::new(), KeyError::WrongLength { found: 0 }),
    ] {
        assert_eq!(receive(message(&bad)), named("ratchetKey", error));
        assert_eq!(
            receive(exchange(&good, &good, &bad)),
            named("ratchetKey", error)
        );
        assert_eq!(
            receive(exchange(&good, &bad, &good)),
            named("baseKey", error)
        );
        assert_eq!(
            receive(exchange(&bad, &good, &good)),
            named("identityKey", error)
        );
    }
    let mut newer = message(&good);
    newer[0] = 0x44;
    let not_legacy = Malformed::NotAMessage {
        version: Version::Legacy,
    };
    assert_eq!(receive(newer), Outcome::Malformed(not_legacy));
    let mut older = message(&good);
    older[0] = 0x23;
    assert_eq!(receive(older), Outcome::Malformed(not_legacy));
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
fn missing_fields_are_named_and_repeated_ones_override() {
    let (mut alice, mut bob) = acquainted(Version::Omemo2);
    let message = alice.send(&bob.address, Version::Omemo2, "text");
    let mut with = |data: Vec<u8>| {
        let mut changed = message.clone();
        changed.keys[0].data = data;
        bob.try_receive(&changed, &mut seeded(1)).outcome
    };
    let missing = |field| Outcome::Malformed(Malformed::FieldMissing(field));
    assert_eq!(
        with(Writer::new().bytes(1, &[0; 16]).finish()),
        missing("message")
    );
    let no_mac = Writer::new().bytes(2, &[]).finish();
    assert_eq!(
        with([vec![0x0A, 0], no_mac].concat()),
        Outcome::Malformed(Malformed::OutOfRange("mac"))
    );
    let empty_message = Writer::new().bytes(1, &[0; 16]).bytes(2, &[]).finish();
    assert_eq!(with(empty_message), missing("n"));
    assert_eq!(
        with(Vec::new()),
        Outcome::Malformed(Malformed::NotAMessage {
            version: Version::Omemo2
        })
    );
    // A wrong MAC first and the right one last; unknown fields around.
    let repeated = [
        Writer::new().bytes(1, &[7; 16]).uint32(9, 5).finish(),
        message.keys[0].data.clone(),
        Writer::new().bytes(77, b"future").finish(),
    ]
    .concat();
    assert!(matches!(with(repeated), Outcome::Decrypted { .. }));
}

#[test]
fn an_oversized_key_is_not_even_parsed() {
    for version in Version::ALL {
        let (mut alice, mut bob) = acquainted(version);
        let mut message = alice.send(&bob.address, version, "text");
        message.keys[0].data.resize(100_000, 0);
        let outcome = refused(&mut bob, &message);
        assert_eq!(
            outcome,
            Outcome::Malformed(Malformed::NotAMessage { version })
        );
    }
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
