//! Ratchet and sessions against the vectors; skipped keys against a model.

use proptest::prelude::*;

use super::*;
use crate::key::{RatchetKeyPair, SignedPreKeyPair};
use crate::profile::{Direction, Header, Role};
use crate::testing::Vectors;
use crate::wire::Incoming;
use crate::{IdentityKey, IdentityKeyPair, PublicKey, Version};

const VERSIONS: [(Version, &str); 2] = [(Version::Omemo2, "omemo2"), (Version::Legacy, "legacy")];

fn identity(vectors: &Vectors, name: &str) -> IdentityKey {
    IdentityKeyPair::from_private(&vectors.key(&format!("identity/{name}/private"))).public()
}

fn public(vectors: &Vectors, path: &str) -> PublicKey {
    PublicKey::parse(&vectors.bytes(&format!("{path}/public"))).unwrap()
}

#[test]
fn every_step_to_the_first_message_is_that_of_the_vectors() {
    let vectors = Vectors::load();
    for (version, name) in VERSIONS {
        let vector = vectors.at(&format!("{name}/first_message"));
        let profile = version.profile();
        let labels = profile.labels();
        let ratchet = RatchetKeyPair::from_private(&vectors.key("ratchet_a/private"));
        let dh = ratchet
            .pair()
            .agree(&public(&vectors, "signed_pre_key_b"))
            .unwrap();
        let (root_key, chain_key) = RootKey::new(&vector.key("shared_secret")).turn(&labels, &dh);
        assert_eq!(*root_key.bytes(), vector.key("root_key"));
        assert_eq!(*chain_key.bytes(), vector.key("chain_key"));
        let (next, message_key) = chain_key.advance();
        assert_eq!(*message_key.bytes(), vector.key("message_key"));
        assert_eq!(*next.bytes(), vector.key("next_chain_key"));
        let keys = message_key.derive(profile);
        let (encryption, authentication, iv) = split_80(&keys);
        assert_eq!(*encryption, vector.key("encryption_key"));
        assert_eq!(*authentication, vector.key("authentication_key"));
        assert_eq!(iv.to_vec(), vector.bytes("iv"));
        let header = Header {
            n: 0,
            pn: 0,
            dh_pub: ratchet.public(),
        };
        let ours = profile.encode_identity(&identity(&vectors, "a")).unwrap();
        let theirs = profile.encode_identity(&identity(&vectors, "b")).unwrap();
        let ad = profile.associated_data(Role::Initiator, Direction::Sent, &ours, &theirs);
        assert_eq!(ad, vector.bytes("associated_data"));
        assert_eq!(
            ad,
            profile.associated_data(Role::Responder, Direction::Received, &theirs, &ours)
        );
        assert_eq!(
            profile.encode_message(&header, &vector.bytes("ciphertext")),
            vector.bytes("authenticated")
        );
        let sealed = message_key.seal(profile, &ad, &header, &vector.bytes("key_material"));
        assert_eq!(sealed, vector.bytes("message"));
        let Ok(Incoming::Message(message)) = profile.parse(&sealed, false) else {
            panic!("not a message");
        };
        assert_eq!(message.authenticated, vector.bytes("authenticated"));
        assert_eq!(message.ciphertext, vector.bytes("ciphertext"));
        assert_eq!(message.mac, vector.bytes("mac"));
        let opened = message_key.open(profile, &ad, &message).unwrap();
        assert_eq!(*opened, vector.bytes("key_material"));
    }
}

#[test]
fn the_ratchet_itself_takes_the_steps_of_the_vectors() {
    let vectors = Vectors::load();
    for (version, name) in VERSIONS {
        let vector = vectors.at(&format!("{name}/first_message"));
        let labels = version.profile().labels();
        let secret = RootKey::new(&vector.key("shared_secret"));
        let spk = SignedPreKeyPair::from_private(&vectors.key("signed_pre_key_b/private"));
        let ratchet = RatchetKeyPair::from_private(&vectors.key("ratchet_a/private"));
        let alice = DoubleRatchet::initiate(&labels, &secret, ratchet, &spk.public()).unwrap();
        let DoubleRatchet::Sending(sending) = &alice else {
            panic!("the initiator sends first");
        };
        let (root_key, sender) = sending.parts();
        assert_eq!(*root_key.bytes(), vector.key("root_key"));
        assert_eq!(*sender.key().bytes(), vector.key("chain_key"));
        let (_, header, sent) = alice
            .advance(&labels, &mut crate::testing::seeded(0))
            .unwrap()
            .unwrap();
        assert_eq!((header.n, header.pn), (0, 0));
        assert_eq!(*sent.bytes(), vector.key("message_key"));
        let bob = Accepting::new(secret, spk.into());
        let reached = bob.reach(&labels, &header.dh_pub, 0, 10).unwrap();
        assert_eq!(*reached.key.bytes(), vector.key("message_key"));
    }
}

#[test]
fn a_key_exchange_reads_as_the_vectors_say() {
    let vectors = Vectors::load();
    for (version, name) in VERSIONS {
        let bytes = vectors.bytes(&format!("{name}/first_message/key_exchange"));
        for hint in [false, true] {
            let Ok(Incoming::KeyExchange(exchange)) = version.profile().parse(&bytes, hint) else {
                panic!("not a key exchange");
            };
            assert_eq!(exchange.pre_key_id, vectors.number("pre_key_b/id"));
            assert_eq!(
                exchange.signed_pre_key_id,
                vectors.number("signed_pre_key_b/id")
            );
            assert!(exchange.identity_key.matches(&identity(&vectors, "a")));
            assert_eq!(exchange.ephemeral_key, public(&vectors, "ephemeral_a"));
            assert_eq!(exchange.message.dh_pub, public(&vectors, "ratchet_a"));
        }
    }
}

#[test]
fn at_most_five_old_chains_are_kept() {
    let chain = |byte: u8| {
        let dh_pub = PublicKey::trusted([byte; 32]);
        ReceiverChain::new(dh_pub, ChainKey::new(&[byte; 32]))
    };
    let mut old = OldChains::default();
    for byte in 0..9 {
        old.push(chain(byte));
    }
    assert_eq!(old.len(), crate::limits::OLD_CHAINS);
    assert!(old.find(&PublicKey::trusted([8; 32])).is_some());
    assert!(old.find(&PublicKey::trusted([3; 32])).is_none());
}

#[derive(Clone, Debug)]
enum Step {
    Push { chain: u8, count: u32 },
    Remove { index: usize },
    Evict { max: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u8..3, 0_u32..12).prop_map(|(chain, count)| Step::Push { chain, count }),
        4 => (0_usize..64).prop_map(|index| Step::Remove { index }),
        1 => (0_usize..40).prop_map(|max| Step::Evict { max }),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    /// The index against a plain list of keys.
    #[test]
    fn the_index_of_skipped_keys_is_a_queue(steps in steps()) {
        let mut index = SkippedKeys::default();
        let mut model: Vec<(PublicKey, u32)> = Vec::new();
        let mut next = [0_u32; 3];
        for step in steps {
            match step {
                Step::Push { chain, count } => {
                    let dh_pub = PublicKey::trusted([chain; 32]);
                    let first = next[usize::from(chain)];
                    index.push(dh_pub, first, count);
                    model.extend((first..first + count).map(|n| (dh_pub, n)));
                    // The message that the keys were skipped for takes one number.
                    next[usize::from(chain)] = first + count + 1;
                }
                Step::Remove { index: at } if at < model.len() => {
                    let (dh_pub, n) = model.remove(at);
                    prop_assert!(index.remove(&dh_pub, n));
                    prop_assert!(!index.remove(&dh_pub, n));
                }
                Step::Remove { .. } => {
                    prop_assert!(!index.remove(&PublicKey::trusted([9; 32]), 0));
                }
                Step::Evict { max } => {
                    let surplus = model.len().saturating_sub(max);
                    let gone: Vec<_> = model.drain(..surplus).collect();
                    prop_assert_eq!(index.evict_to(max), gone);
                }
            }
            prop_assert_eq!(index.len(), model.len());
            prop_assert_eq!(index.is_empty(), model.is_empty());
            prop_assert_eq!(index.iter().collect::<Vec<_>>(), model.clone());
        }
    }
}

#[test]
fn skipped_keys_expire_by_turns_of_the_ratchet() {
    let (first, second) = (PublicKey::trusted([1; 32]), PublicKey::trusted([2; 32]));
    let mut index = SkippedKeys::default();
    index.push(first, 0, 2);
    index.turn();
    index.push(second, 5, 1);
    for _ in 0..9 {
        index.turn();
    }
    assert_eq!(index.expire(10), []);
    index.turn();
    assert_eq!(index.expire(10), [(first, 0), (first, 1)]);
    index.turn();
    assert_eq!(index.expire(10), [(second, 5)]);
    assert!(index.is_empty());
}

#[test]
fn an_index_that_names_more_keys_than_can_be_is_damaged() {
    let kind = crate::RecordKind::SkippedKeys;
    let decode = |index: &SkippedKeys| {
        let bytes = crate::Record::from(index.clone()).encode();
        crate::Record::decode(kind, &bytes).map(|_| ())
    };
    let dh_pub = PublicKey::trusted([1; 32]);
    let mut index = SkippedKeys::default();
    index.push(dh_pub, 5, 1000);
    assert_eq!(decode(&index), Ok(()));
    let damaged = Err(crate::RecordError::Damaged { kind });
    let mut many = index.clone();
    many.push(dh_pub, 5000, 0x7000_0000);
    assert_eq!(decode(&many), damaged);
    let mut past = index.clone();
    past.push(dh_pub, u32::MAX, 7);
    assert_eq!(decode(&past), damaged);
}

#[test]
fn an_index_of_a_thousand_keys_in_a_row_is_small() {
    let mut index = SkippedKeys::default();
    index.push(PublicKey::trusted([1; 32]), 0, 1000);
    assert!(crate::Record::from(index).encode().len() < 50);
}
