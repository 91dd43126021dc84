//! Keys against the vectors, and against hostile bytes.

use super::*;
use crate::crypto::xeddsa;
use crate::testing::{Vectors, seeded};

/// Every point of small order on Curve25519 and its twist.
const SMALL_ORDER: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// 2²⁵⁵−19 and more, up to 2²⁵⁶−1.
const NOT_CANONICAL: [&str; 5] = [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0900000000000000000000000000000000000000000000000000000000000080",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn identity_keys_have_the_same_forms_as_elsewhere() {
    let vectors = Vectors::load();
    for name in ["a", "b"] {
        let vector = vectors.at(&format!("identity/{name}"));
        let public = IdentityKeyPair::from_private(&vector.key("private")).public();
        assert_eq!(*public.curve25519().as_bytes(), vector.key("public"));
        assert_eq!(public.ed25519(), Some(&vector.key("ed25519")));
        // The vectors were chosen so that the sign has to be forced.
        assert_eq!(vector.number("sign_of_unforced_ed25519"), 1);
        let received = IdentityKey::from_ed25519(&vector.bytes("ed25519")).unwrap();
        assert_eq!(received, public);
        assert_eq!(public.fingerprint().to_hex(), vector.text("public"));
    }
}

#[test]
fn signatures_are_those_of_other_implementations() {
    let vectors = Vectors::load();
    let private = vectors.key("identity/b/private");
    let randomness = vectors.bytes("signature_randomness").try_into().unwrap();
    let spk = vectors.bytes("signed_pre_key_b/public");
    let legacy_spk = [&[5], spk.as_slice()].concat();
    for (version, message) in [("omemo2", &spk), ("legacy", &legacy_spk)] {
        let expected = vectors.bytes(&format!("{version}/first_message/signature"));
        assert_eq!(
            xeddsa::sign(&private, message, &randomness).to_vec(),
            expected
        );
        let identity = IdentityKeyPair::from_private(&private).public();
        assert!(identity.verify(message, &expected));
        let montgomery = IdentityKey::from_curve25519(identity.curve25519().as_bytes()).unwrap();
        assert!(montgomery.verify(message, &expected));
    }
}

#[test]
fn pitfall_15_signatures_of_old_libsignal_are_accepted_in_legacy() {
    let vectors = Vectors::load();
    let spk = [&[5], vectors.bytes("signed_pre_key_b/public").as_slice()].concat();
    let signature = vectors.bytes("legacy/signal_signature");
    assert_eq!(signature[63] >> 7, 1);
    let identity = IdentityKey::from_curve25519(&vectors.bytes("identity/b/public")).unwrap();
    assert!(identity.verify(&spk, &signature));
    // The sign of the key is part of what is verified.
    let mut other_sign = signature;
    other_sign[63] &= 0x7F;
    assert!(!identity.verify(&spk, &other_sign));
}

#[test]
fn a_changed_bit_breaks_a_signature() {
    let mut rng = seeded(3);
    let pair = IdentityKeyPair::generate(&mut rng);
    let signature = pair.sign(b"message", &mut rng);
    let forms = [
        pair.public(),
        IdentityKey::from_curve25519(pair.public().curve25519().as_bytes()).unwrap(),
    ];
    for identity in forms {
        assert!(identity.verify(b"message", &signature));
        assert!(!identity.verify(b"massage", &signature));
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!identity.verify(b"message", &changed), "bit {bit}");
        }
        for length in [0, 1, 63, 65] {
            let mut other = signature.to_vec();
            other.resize(length, 0);
            assert!(!identity.verify(b"message", &other));
        }
    }
}

#[test]
fn a_signature_with_s_past_the_order_is_refused() {
    let mut rng = seeded(4);
    let pair = IdentityKeyPair::generate(&mut rng);
    let mut signature = pair.sign(b"message", &mut rng);
    // s + L, little-endian.
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + add + carry;
        *byte = u8::try_from(sum & 0xFF).unwrap();
        carry = sum >> 8;
    }
    assert!(!pair.public().verify(b"message", &signature));
}

#[test]
fn points_of_small_order_are_no_keys() {
    for hex in SMALL_ORDER {
        let bytes = crate::testing::unhex(hex);
        assert_eq!(PublicKey::parse(&bytes), Err(KeyError::SmallOrder), "{hex}");
        assert_eq!(
            IdentityKey::from_curve25519(&bytes).unwrap_err(),
            KeyError::SmallOrder
        );
    }
    // The eight torsion points of the Edwards curve.
    for point in curve25519_dalek::constants::EIGHT_TORSION {
        let bytes = point.compress().to_bytes();
        assert_eq!(
            IdentityKey::from_ed25519(&bytes).unwrap_err(),
            KeyError::SmallOrder
        );
    }
}

#[test]
fn a_key_has_one_form() {
    for hex in NOT_CANONICAL {
        let bytes = crate::testing::unhex(hex);
        assert_eq!(
            PublicKey::parse(&bytes),
            Err(KeyError::NotCanonical),
            "{hex}"
        );
        assert_eq!(
            IdentityKey::from_curve25519(&bytes).unwrap_err(),
            KeyError::NotCanonical
        );
    }
    for hex in &NOT_CANONICAL[..3] {
        let mut bytes: [u8; 32] = crate::testing::unhex(hex).try_into().unwrap();
        for sign in [0, 0x80] {
            bytes[31] = 0x7F | sign;
            assert_eq!(
                IdentityKey::from_ed25519(&bytes).unwrap_err(),
                KeyError::NotCanonical
            );
        }
    }
    // The largest one.
    let mut largest = [0xFF; 32];
    (largest[0], largest[31]) = (0xEB, 0x7F);
    assert!(PublicKey::parse(&largest).is_ok());
}

#[test]
fn other_lengths_are_no_keys() {
    for length in [0, 1, 31, 33, 64] {
        let bytes = vec![9; length];
        let error = KeyError::WrongLength { found: length };
        assert_eq!(PublicKey::parse(&bytes), Err(error));
        assert_eq!(IdentityKey::from_ed25519(&bytes).unwrap_err(), error);
        assert_eq!(IdentityKey::from_curve25519(&bytes).unwrap_err(), error);
    }
}

#[test]
fn bytes_off_the_edwards_curve_are_no_identity_key() {
    let off = (0_u8..=255)
        .map(|byte| [byte; 32])
        .find(|bytes| IdentityKey::from_ed25519(bytes) == Err(KeyError::NotAPoint));
    assert!(off.is_some());
}

#[test]
fn an_agreement_that_gives_zero_is_an_error() {
    let pair = KeyPair::generate(&mut seeded(5));
    for hex in SMALL_ORDER.iter().chain(&NOT_CANONICAL[..2]) {
        let point = PublicKey::trusted(crate::testing::unhex(hex).try_into().unwrap());
        assert_eq!(pair.agree(&point).unwrap_err(), NonContributory, "{hex}");
    }
}

#[test]
fn the_montgomery_form_does_not_tell_the_sign_but_the_edwards_form_does() {
    let vector = Vectors::load().at("identity/a");
    let public = IdentityKeyPair::from_private(&vector.key("private")).public();
    let mut flipped = vector.key("ed25519");
    flipped[31] ^= 0x80;
    let flipped = IdentityKey::from_ed25519(&flipped).unwrap();
    assert_eq!(flipped.fingerprint(), public.fingerprint());
    assert!(!flipped.matches(&public));
    let montgomery = IdentityKey::from_curve25519(&vector.bytes("public")).unwrap();
    assert!(montgomery.matches(&public) && montgomery.matches(&flipped));
}

#[test]
fn no_secret_is_in_debug_output() {
    let vector = Vectors::load().at("identity/a");
    let private = vector.key("private");
    let secret = Secret::new(&private);
    let identity = IdentityKeyPair::from_private(&private);
    let ratchet = RatchetKeyPair::from_private(&private);
    let text = format!("{secret:?} {identity:?} {ratchet:?}");
    let decimal = format!("{:?}", private);
    assert!(!text.contains(&vector.text("private")[..8]), "{text}");
    assert!(!text.contains(&decimal[1..20]), "{text}");
}
