//! Both sides against the vectors.

use super::*;
use crate::key::{EphemeralKeyPair, KeyPair, PreKeyPair, Secret, SignedPreKeyPair};
use crate::testing::Vectors;
use crate::{IdentityKeyPair, PublicKey, Version};

fn public(vectors: &Vectors, path: &str) -> PublicKey {
    PublicKey::parse(&vectors.bytes(&format!("{path}/public"))).unwrap()
}

#[test]
fn agreements_are_those_of_other_implementations() {
    let vectors = Vectors::load();
    let pair =
        |path: &str| KeyPair::from_secret(Secret::new(&vectors.key(&format!("{path}/private"))));
    let expected = vectors.list("omemo2/first_message/dh");
    for (index, (ours, theirs)) in [
        ("identity/a", "signed_pre_key_b"),
        ("ephemeral_a", "identity/b"),
        ("ephemeral_a", "signed_pre_key_b"),
        ("ephemeral_a", "pre_key_b"),
    ]
    .into_iter()
    .enumerate()
    {
        let (a, b) = (pair(ours), pair(theirs));
        assert_eq!(a.public(), public(&vectors, ours));
        let dh = a.agree(&b.public()).unwrap();
        assert_eq!(dh.to_vec(), expected[index].as_bytes());
        assert_eq!(b.agree(&a.public()).unwrap(), dh);
    }
}

/// libsignal takes 64 bytes where legacy OMEMO needs 32: the second half would be a chain that nobody uses.
#[test]
fn the_secret_is_the_first_half_of_what_libsignal_derives() {
    let vectors = Vectors::load();
    let mut ikm = vec![0xFF; 32];
    for dh in vectors.list("legacy/first_message/dh") {
        ikm.extend_from_slice(&dh.as_bytes());
    }
    let labels = Version::Legacy.profile().labels();
    let derived = hkdf::<64>(&ZERO_SALT, &ikm, labels.x3dh);
    let (secret, unused) = derived.split_at(32);
    assert_eq!(secret, vectors.key("legacy/first_message/shared_secret"));
    assert_eq!(unused, vectors.key("legacy/first_message/unused_chain_key"));
}

#[test]
fn both_sides_find_the_secret_of_the_vectors() {
    let vectors = Vectors::load();
    let identity = |name: &str| {
        IdentityKeyPair::from_private(&vectors.key(&format!("identity/{name}/private")))
    };
    let (alice, bob) = (identity("a"), identity("b"));
    let ephemeral = EphemeralKeyPair::from_private(&vectors.key("ephemeral_a/private"));
    let signed_pre_key = SignedPreKeyPair::from_private(&vectors.key("signed_pre_key_b/private"));
    let pre_key = PreKeyPair::from_private(&vectors.key("pre_key_b/private"));
    for (version, name) in [(Version::Omemo2, "omemo2"), (Version::Legacy, "legacy")] {
        let labels = version.profile().labels();
        let expected = vectors.key(&format!("{name}/first_message/shared_secret"));
        let ours = OurExchange {
            identity: &alice,
            ephemeral: &ephemeral,
        };
        let theirs = TheirKeys {
            identity: &bob.public(),
            signed_pre_key: &signed_pre_key.public(),
            pre_key: &pre_key.public(),
        };
        assert_eq!(ours.initiate(&labels, &theirs).unwrap().bytes(), &expected);
        let ours = OurKeys {
            identity: &bob,
            signed_pre_key: &signed_pre_key,
            pre_key: &pre_key,
        };
        let theirs = TheirExchange {
            identity: &alice.public(),
            ephemeral: &ephemeral.public(),
        };
        assert_eq!(ours.accept(&labels, &theirs).unwrap().bytes(), &expected);
    }
}
