//! Messages that are none, and what is said to be wrong with them.

use super::hostile::refused;
use super::ratchet::acquainted;
use crate::testing::{seeded, unhex};
use crate::wire::Writer;
use crate::{KeyError, Malformed, Outcome, Version};

/// Points of small order and other keys that are none.
const NO_KEYS: [&str; 3] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
];

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
