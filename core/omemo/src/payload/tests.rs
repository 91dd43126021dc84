//! Both payload ciphers against the vectors and against tampering.

use super::*;
use crate::Version;
use crate::testing::{Vectors, seeded};

#[test]
fn omemo2_payloads_are_those_of_other_implementations() {
    let vector = Vectors::load().at("omemo2/payload");
    let plaintext = vector.text("plaintext");
    let sealed = omemo2::seal_with(&vector.key("key"), plaintext.as_bytes());
    assert_eq!(sealed.ciphertext, vector.bytes("ciphertext"));
    assert_eq!(*sealed.key_material, vector.bytes("key_material"));
    assert_eq!(sealed.iv, None);
    let opened = omemo2::open(&sealed.key_material, Some(&sealed.ciphertext)).unwrap();
    assert_eq!(opened.unwrap().as_slice(), plaintext.as_bytes());
}

#[test]
fn omemo2_derives_the_keys_of_the_vectors() {
    let vector = Vectors::load().at("omemo2/payload");
    let derived = crate::crypto::kdf::hkdf::<80>(&[0; 32], &vector.key("key"), b"OMEMO Payload");
    assert_eq!(derived.to_vec(), vector.bytes("derived"));
}

#[test]
fn legacy_payloads_are_those_of_other_implementations() {
    let vector = Vectors::load().at("legacy/payload");
    let (key, iv) = (vector.bytes("key"), vector.bytes("iv"));
    let plaintext = vector.text("plaintext");
    let sealed = legacy::seal_with(
        key.as_slice().try_into().unwrap(),
        iv.as_slice().try_into().unwrap(),
        plaintext.as_bytes(),
    );
    assert_eq!(sealed.ciphertext, vector.bytes("ciphertext"));
    assert_eq!(*sealed.key_material, vector.bytes("key_material"));
    assert_eq!(sealed.iv.as_deref(), Some(iv.as_slice()));
    let opened = legacy::open(&sealed.key_material, Some(&iv), Some(&sealed.ciphertext)).unwrap();
    assert_eq!(opened.unwrap().as_slice(), plaintext.as_bytes());
}

#[test]
fn any_flipped_bit_is_noticed() {
    for version in Version::ALL {
        let profile = version.profile();
        let sealed = profile.seal_payload(b"the quick brown fox", &mut seeded(6));
        let iv = sealed.iv.as_deref();
        for bit in 0..sealed.ciphertext.len() * 8 {
            let mut changed = sealed.ciphertext.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                profile.open_payload(&sealed.key_material, iv, Some(&changed)),
                Err(OpenError::NotAuthentic),
                "{version} payload bit {bit}"
            );
        }
        for bit in 0..sealed.key_material.len() * 8 {
            let mut changed = sealed.key_material.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                profile.open_payload(&changed, iv, Some(&sealed.ciphertext)),
                Err(OpenError::NotAuthentic),
                "{version} key material bit {bit}"
            );
        }
    }
}

#[test]
fn omemo2_knows_two_lengths_of_key_material() {
    let sealed = omemo2::seal(b"text", &mut seeded(7));
    assert_eq!(omemo2::open(&[0; 32], None), Ok(None));
    let malformed = Err(OpenError::Malformed(Malformed::KeyMaterial));
    for length in [0, 16, 31, 33, 47, 48, 49, 80] {
        assert_eq!(omemo2::open(&vec![0; length], None), malformed, "{length}");
    }
    for length in [0, 16, 32, 47, 49, 80] {
        let mut material = sealed.key_material.clone();
        material.resize(length, 0);
        assert_eq!(
            omemo2::open(&material, Some(&sealed.ciphertext)),
            malformed,
            "{length}"
        );
    }
}

#[test]
fn pitfall_05_legacy_takes_ivs_of_16_bytes_and_tags_in_the_payload_from_old_clients() {
    use aes_gcm::aead::consts::U16;
    use aes_gcm::aead::{Aead as _, KeyInit as _};
    let (key, iv) = ([1; 16], [2; 16]);
    let sealed = aes_gcm::AesGcm::<aes::Aes128, U16>::new(&key.into())
        .encrypt(&iv.into(), b"text".as_slice())
        .unwrap();
    // The tag with the payload, as before 2017.
    let opened = legacy::open(&key, Some(&iv), Some(&sealed))
        .unwrap()
        .unwrap();
    assert_eq!(opened.as_slice(), b"text");
    // The tag with the key, as since.
    let (ciphertext, tag) = sealed.split_at(4);
    let material = [&key, tag].concat();
    let opened = legacy::open(&material, Some(&iv), Some(ciphertext))
        .unwrap()
        .unwrap();
    assert_eq!(opened.as_slice(), b"text");
    // No tag anywhere.
    let missing = legacy::open(&key, Some(&iv), Some(ciphertext));
    assert_eq!(missing, Err(OpenError::Malformed(Malformed::Payload)));
}

#[test]
fn pitfall_06_legacy_refuses_other_lengths() {
    let sealed = legacy::seal(b"text", &mut seeded(8));
    let (material, ciphertext) = (&sealed.key_material, Some(sealed.ciphertext.as_slice()));
    for iv in [
        None,
        Some([0; 11].as_slice()),
        Some(&[0; 13]),
        Some(&[0; 17]),
    ] {
        let opened = legacy::open(material, iv, ciphertext);
        assert_eq!(opened, Err(OpenError::Malformed(Malformed::Payload)));
    }
    for length in [0, 15, 17, 31, 33] {
        let mut other = material.clone();
        other.resize(length, 0);
        let opened = legacy::open(&other, sealed.iv.as_deref(), ciphertext);
        assert_eq!(
            opened,
            Err(OpenError::Malformed(Malformed::KeyMaterial)),
            "{length}"
        );
    }
    // A KeyTransportElement may hold any key.
    for length in [0, 16, 32] {
        assert_eq!(legacy::open(&vec![0; length], None, None), Ok(None));
    }
}
