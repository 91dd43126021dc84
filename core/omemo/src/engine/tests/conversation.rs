//! Conversations of other implementations, byte for byte.

use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::key::{PreKeyPair, SignedPreKeyPair};
use crate::record::{AccountRecord, PreKeyRecord, PreKeysRecord, SignedPreKeyRecord};
use crate::testing::{Device, NOW, Script, Vectors, hex, seeded};
use crate::{
    BundleError, Changes, EncryptedKey, EncryptedMessage, IdentityKeyPair, Outcome, RecordKey,
    TrustLevel, UnverifiedBundle, Version, encrypt, encrypt_empty, initiate,
};

const VERSIONS: [(Version, &str); 2] = [(Version::Omemo2, "omemo2"), (Version::Legacy, "legacy")];

/// Alice or Bob of the vectors. Only Bob has prekeys.
fn device(vectors: &Vectors, name: &str, version: Version) -> Device {
    let jid = BareJid::new(&format!("{name}@{name}.example")).unwrap();
    // Alice's is the registration id of the vectors.
    let id = if name == "a" {
        vectors.number("registration_id")
    } else {
        2
    };
    let address = DeviceAddress::new(jid, DeviceId::new(id).unwrap());
    let identity = IdentityKeyPair::from_private(&vectors.key(&format!("identity/{name}/private")));
    let mut changes = Changes::new();
    if name == "b" {
        let signed = SignedPreKeyPair::from_private(&vectors.key("signed_pre_key_b/private"));
        let id = vectors.number("signed_pre_key_b/id");
        let label = if version == Version::Omemo2 {
            "omemo2"
        } else {
            "legacy"
        };
        let signature = vectors.bytes(&format!("{label}/first_message/signature"));
        changes.put(
            RecordKey::SignedPreKey { version, id },
            SignedPreKeyRecord {
                pair: signed,
                signature: signature.try_into().unwrap(),
            },
        );
        let pair = PreKeyPair::from_private(&vectors.key("pre_key_b/private"));
        let pre_key = vectors.number("pre_key_b/id");
        changes.put(
            RecordKey::PreKey {
                version,
                id: pre_key,
            },
            PreKeyRecord { pair },
        );
        changes.put(
            RecordKey::PreKeys { version },
            PreKeysRecord {
                next_id: pre_key + 1,
                published: vec![pre_key],
                used: Vec::new(),
                signed: id,
                signed_at: NOW,
                previous_signed: None,
            },
        );
    }
    changes.put(
        RecordKey::Account,
        AccountRecord::new(&address, identity, NOW),
    );
    let mut device = Device::empty(address, seeded(9));
    device.commit(changes);
    device
}

#[test]
fn a_conversation_with_other_implementations_is_the_same_byte_for_byte() {
    let vectors = Vectors::load();
    for (version, name) in VERSIONS {
        let mut a = device(&vectors, "a", version);
        let mut b = device(&vectors, "b", version);
        let bundle = b.bundle(version);
        a.load(&[
            RecordKey::Device(b.address.clone()),
            RecordKey::Trust(b.address.jid.clone()),
        ]);
        a.load(&super::super::store_session::rows(&b.address, version));
        let steps = vectors.list(&format!("{name}/conversation"));
        let first_ratchet = steps[0].bytes("ratchet_private");
        let mut script = Script::new([vectors.bytes("ephemeral_a/private"), first_ratchet]);
        let effects = initiate(&a.records, &bundle, NOW, &mut script).unwrap();
        a.take(effects);
        drop(script);

        let mut messages: Vec<EncryptedMessage> = Vec::new();
        let mut texts = Vec::new();
        let mut deliveries = 0;
        for step in &steps {
            if step.has("deliver") {
                let index = usize::try_from(step.number("deliver")).unwrap();
                let to = if messages[index].sender == a.address.jid {
                    &mut b
                } else {
                    &mut a
                };
                match (&texts[index], to.receive(&messages[index])) {
                    (Some(text), Outcome::Decrypted { plaintext, .. }) => {
                        assert_eq!(plaintext.as_bytes(), String::as_bytes(text));
                    }
                    (None, Outcome::Empty { .. }) => {}
                    (_, other) => panic!("{name} {index}: {other:?}"),
                }
                to.restart();
                deliveries += 1;
                continue;
            }
            let (from, to) = if step.text("from") == "a" {
                (&mut a, &b)
            } else {
                (&mut b, &a)
            };
            let text = step.has("plaintext").then(|| step.text("plaintext"));
            // What the engine asks for, in its order: payload key (and IV), then a ratchet key for a new chain.
            let mut pieces = Vec::new();
            if text.is_some() || version == Version::Legacy {
                pieces.push(step.bytes("payload_key"));
            }
            if version == Version::Legacy {
                pieces.push(step.bytes("iv"));
            }
            if step.has("ratchet_private") && !messages.is_empty() {
                pieces.push(step.bytes("ratchet_private"));
            }
            let mut script = Script::new(pieces);
            from.load(&crate::encrypt_needs(version, [&to.address]));
            let sent = match &text {
                Some(text) => {
                    let trusted = [from.trusted(&to.address)];
                    encrypt(
                        &from.records,
                        version,
                        text.as_bytes(),
                        &trusted,
                        &mut script,
                    )
                }
                None => encrypt_empty(&from.records, &to.address, version, &mut script),
            }
            .unwrap();
            from.commit(sent.changes);
            from.restart();
            let key = &sent.message.keys[0];
            assert_eq!(
                hex(&key.data),
                step.text("key"),
                "{name} {}",
                messages.len()
            );
            assert_eq!(key.kex, step.flag("kex"));
            let payload = step.has("payload").then(|| step.bytes("payload"));
            assert_eq!(sent.message.payload, payload);
            texts.push(text);
            messages.push(sent.message);
        }
        assert_eq!((messages.len(), deliveries), (10, 10));
    }
}

#[test]
fn an_identity_key_with_sign_bit_1_is_taken_as_it_is() {
    let vectors = Vectors::load();
    let vector = vectors.at("omemo2/unforced_sign");
    let mut bob = device(&vectors, "b", Version::Omemo2);
    let alice = DeviceAddress::new(
        BareJid::new("a@a.example").unwrap(),
        DeviceId::new(1).unwrap(),
    );
    assert_eq!(vector.bytes("identity_key")[31] >> 7, 1);
    let message = EncryptedMessage {
        version: Version::Omemo2,
        sender: alice.jid.clone(),
        sid: alice.device,
        keys: vec![EncryptedKey {
            jid: Some(bob.address.jid.clone()),
            rid: bob.address.device,
            kex: true,
            data: vector.bytes("key"),
        }],
        iv: None,
        payload: Some(vector.bytes("payload")),
    };
    let outcome = bob.receive(&message);
    let Outcome::Decrypted {
        plaintext,
        fingerprint,
        trust,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(plaintext.as_bytes(), vector.text("plaintext").as_bytes());
    assert_eq!(fingerprint.to_hex(), vectors.text("identity/a/public"));
    assert_eq!(trust, TrustLevel::BlindlyTrusted);
    let bundle = UnverifiedBundle {
        version: Version::Omemo2,
        address: alice,
        identity_key: vector.bytes("identity_key"),
        signed_pre_key_id: 1,
        signed_pre_key: vector.bytes("signed_pre_key"),
        signature: vector.bytes("signature"),
        pre_keys: vec![(1, vector.bytes("signed_pre_key"))],
    };
    assert!(bundle.clone().verify().is_ok());
    // The same point with the other sign did not sign this.
    let mut flipped = bundle;
    flipped.identity_key[31] ^= 0x80;
    assert_eq!(flipped.verify(), Err(BundleError::BadSignature));
}

#[test]
fn a_bundle_signed_by_old_libsignal_is_accepted() {
    let vectors = Vectors::load();
    let with_type = |path: &str| [&[5], vectors.bytes(path).as_slice()].concat();
    let bundle = UnverifiedBundle {
        version: Version::Legacy,
        address: DeviceAddress::new(
            BareJid::new("b@b.example").unwrap(),
            DeviceId::new(1).unwrap(),
        ),
        identity_key: with_type("identity/b/public"),
        signed_pre_key_id: 0,
        signed_pre_key: with_type("signed_pre_key_b/public"),
        signature: vectors.bytes("legacy/signal_signature"),
        pre_keys: vec![(7, with_type("pre_key_b/public"))],
    };
    assert!(bundle.verify().is_ok());
}
