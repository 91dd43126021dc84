//! Secrets leave no bytes behind once they are dropped. Each test is two processes; see `testing::memory`.

use eft_types::BareJid;

use crate::engine::Step;
use crate::key::Secret;
use crate::record::{Body, Record};
use crate::session::{DoubleRatchet, Session, SkippedKey};
use crate::testing::NOW;
use crate::testing::memory::{SystemRng, is_child, middle, play, search_child};
use crate::{
    Effects, EncryptedMessage, IdentityKeyPair, IdentitySecret, InitiateError, Outcome,
    ReceiveContext, RecordKey, RecordKind, Records, StepError, TrustPolicy, Version,
};

/// In the child plays the part; in the parent looks on, and judges.
fn nothing_is_left<T>(
    test: &str,
    make: impl FnOnce() -> T,
    wanted: impl FnOnce(&T) -> Vec<String>,
) {
    if is_child() {
        play(make, wanted);
        return;
    }
    let found = search_child(&format!("engine::tests::memory::{test}"));
    // The search finds what is there; else it would prove nothing.
    assert!(found.held.iter().all(|count| *count > 0), "{found:?}");
    assert!(found.dropped.iter().all(|count| *count == 0), "{found:?}");
}

#[test]
fn a_dropped_key_is_gone() {
    nothing_is_left(
        "a_dropped_key_is_gone",
        || {
            let mut rng = SystemRng::new();
            (
                Secret::random(&mut rng),
                IdentityKeyPair::generate(&mut rng),
            )
        },
        |(secret, identity)| {
            vec![
                middle(secret.bytes()),
                middle(identity.pair().private().bytes()),
            ]
        },
    );
}

#[test]
fn a_dropped_private_identity_key_is_gone_and_so_is_the_device_that_it_made() {
    nothing_is_left(
        "a_dropped_private_identity_key_is_gone_and_so_is_the_device_that_it_made",
        || {
            let mut rng = SystemRng::new();
            let jid = BareJid::new("alice@a.example").unwrap();
            let mut former = Records::new();
            former.apply(crate::install(&jid, &[], NOW, &mut rng).changes);
            let secret = crate::identity_secret(&former).unwrap();
            let read = IdentitySecret::from_bytes(secret.as_bytes()).unwrap();
            let mut new = Records::new();
            let account = [RecordKey::Account, RecordKey::Trust(jid.clone())];
            load(&mut new, account.to_vec());
            let effects = crate::install_imported(&new, &jid, Some(read), &[], NOW, &mut rng);
            new.apply(effects.unwrap().changes);
            (new, secret)
        },
        |(new, secret)| {
            let key = middle(secret.as_bytes());
            let mut wanted = secrets(new);
            assert_eq!(wanted[0], key);
            wanted.push(key);
            wanted
        },
    );
}

#[test]
fn a_dropped_view_of_records_is_gone() {
    nothing_is_left(
        "a_dropped_view_of_records_is_gone",
        conversation,
        |records| {
            let mut wanted = Vec::new();
            for records in records {
                wanted.extend(secrets(records));
            }
            assert!(wanted.len() > 8, "{}", wanted.len());
            wanted
        },
    );
}

#[test]
fn dropped_rows_and_what_was_read_from_them_are_gone() {
    nothing_is_left(
        "dropped_rows_and_what_was_read_from_them_are_gone",
        || {
            let [alice, bob] = conversation();
            let mut rows = Vec::new();
            for records in [alice, bob] {
                rows.extend(rows_of(records));
            }
            let read: Vec<_> = rows
                .iter()
                .map(|(key, bytes)| Record::decode(key.kind(), bytes).unwrap())
                .collect();
            (rows, read)
        },
        |(rows, read)| {
            let mut records = Records::new();
            for ((key, _), record) in rows.iter().zip(read) {
                records.insert_loaded(key.clone(), Some(record.clone()));
            }
            secrets(&records)
        },
    );
}

#[test]
fn dropped_content_is_gone() {
    nothing_is_left(
        "dropped_content_is_gone",
        || {
            let mut rng = SystemRng::new();
            let [mut alice, mut bob] = conversation();
            let text = Secret::random(&mut rng);
            let version = Version::Omemo2;
            let message = send(&mut bob, &mut alice, version, text.bytes(), &mut rng);
            let received = receive(&mut alice, &message, &mut rng);
            (text, received)
        },
        |(text, received)| {
            let Outcome::Decrypted { plaintext, .. } = received else {
                panic!("{received:?}");
            };
            assert_eq!(plaintext.as_bytes(), text.bytes());
            vec![middle(plaintext.as_bytes())]
        },
    );
}

#[test]
fn debug_output_of_every_type_that_holds_a_secret_shows_none_of_it() {
    let conversation = conversation();
    let mut texts = Vec::new();
    let mut wanted = Vec::new();
    for records in &conversation {
        wanted.extend(secrets(records));
        texts.push(both(records));
        for key in records.loaded_keys() {
            let Some(record) = records.read(key).unwrap() else {
                continue;
            };
            texts.push(match &record.0 {
                Body::Account(content) => both(content),
                Body::PreKeys(content) => both(content),
                Body::PreKey(content) => both(content),
                Body::SignedPreKey(content) => both(content),
                Body::Device(content) => both(content),
                Body::DeviceList(content) => both(content),
                Body::Trust(content) => both(content),
                Body::Session(content) => both(content),
                Body::OldChains(content) => both(content),
                Body::ArchivedSessions(content) => both(content),
                Body::SkippedKeys(content) => both(content),
                Body::SkippedKey(content) => both(content),
                Body::SeenMessages(content) => both(content),
            });
        }
    }
    let [mut alice, mut bob] = conversation;
    let mut rng = SystemRng::new();
    let text = Secret::random(&mut rng);
    let message = send(
        &mut bob,
        &mut alice,
        Version::Omemo2,
        text.bytes(),
        &mut rng,
    );
    let outcome = receive(&mut alice, &message, &mut rng);
    wanted.push(middle(text.bytes()));
    texts.push(both(&(&message, &outcome, &text)));
    texts.push(both(&alice.take_changes()));
    texts.push(both(&crate::identity_secret(&alice).unwrap()));
    let all = texts.concat();
    assert!(wanted.len() > 400 && all.len() > 10_000);
    for secret in wanted {
        let bytes = crate::testing::unhex(&secret);
        // Eight bytes of it: fewer stand somewhere in the numbers and public keys by chance.
        assert!(!all.contains(&secret[..16]), "hexadecimal");
        let list: Vec<_> = bytes[..8].iter().map(u8::to_string).collect();
        assert!(!all.contains(&list.join(", ")), "a list");
    }
    // The list would be seen, were it there.
    assert!(both(&[1, 2, 3]).contains("1, 2, 3"));
}

fn both(value: &impl core::fmt::Debug) -> String {
    // The long form with its white space taken together, so that lists look the same in both.
    let long = format!("{value:#?}");
    let long: Vec<_> = long.split_whitespace().collect();
    format!("{value:?} {}", long.join(" "))
}

/// Alice and Bob after some messages, one of which never arrived, over both versions.
fn conversation() -> [Records; 2] {
    let mut rng = SystemRng::new();
    let [mut alice, mut bob] = ["alice@a.example", "bob@b.example"].map(|jid| {
        let mut records = Records::new();
        let jid = BareJid::new(jid).unwrap();
        records.apply(crate::install(&jid, &[], NOW, &mut rng).changes);
        records
    });
    for version in Version::ALL {
        let bobs = crate::own_address(&bob).unwrap();
        let bundle = crate::bundle(&bob, version).unwrap();
        let verified = bundle.into_unverified(bobs).verify().unwrap();
        let effects = loop {
            match crate::initiate(&alice, &verified, NOW, &mut rng) {
                Err(InitiateError::Step(StepError::Missing(keys))) => load(&mut alice, keys),
                done => break done.unwrap(),
            }
        };
        take(&mut alice, effects);
        let _lost = send(&mut alice, &mut bob, version, b"lost", &mut rng);
        let first = send(&mut alice, &mut bob, version, b"first", &mut rng);
        let _ = receive(&mut bob, &first, &mut rng);
        let answer = send(&mut bob, &mut alice, version, b"answer", &mut rng);
        let _ = receive(&mut alice, &answer, &mut rng);
        let second = send(&mut alice, &mut bob, version, b"second", &mut rng);
        let _ = receive(&mut bob, &second, &mut rng);
    }
    [alice, bob]
}

fn load(records: &mut Records, keys: Vec<RecordKey>) {
    for key in keys {
        records.insert_loaded(key, None);
    }
}

fn take(records: &mut Records, effects: Effects) {
    records.apply(effects.changes);
}

fn send(
    from: &mut Records,
    to: &mut Records,
    version: Version,
    text: &[u8],
    rng: &mut SystemRng,
) -> EncryptedMessage {
    let to = crate::own_address(to).unwrap();
    let device = crate::permit(TrustPolicy::default(), from, &to).unwrap();
    let sent = crate::encrypt(from, version, text, &[device], rng).unwrap();
    from.apply(sent.changes);
    sent.message
}

fn receive(records: &mut Records, message: &EncryptedMessage, rng: &mut SystemRng) -> Outcome {
    let context = ReceiveContext {
        catch_up: false,
        may_evict: true,
        now: NOW,
    };
    let received = loop {
        match crate::receive(records, message, context, rng) {
            Err(StepError::Missing(keys)) => load(records, keys),
            done => break done.unwrap(),
        }
    };
    assert!(matches!(received.outcome, Outcome::Decrypted { .. }));
    records.apply(received.changes);
    received.outcome
}

fn rows_of(mut records: Records) -> Vec<(RecordKey, zeroize::Zeroizing<Vec<u8>>)> {
    records
        .take_changes()
        .into_iter()
        .filter_map(|(key, record)| Some((key, record?.encode())))
        .collect()
}

/// The secret bytes of all sessions, of the keys that were kept for lost messages, and of the identity.
fn secrets(records: &Records) -> Vec<String> {
    let step = Step::new(records);
    let mut wanted = vec![middle(
        step.account().unwrap().identity.pair().private().bytes(),
    )];
    for key in records.loaded_keys() {
        match key.kind() {
            RecordKind::Session => {
                let Some(session) = step.read::<Session>(key).unwrap() else {
                    continue;
                };
                if let DoubleRatchet::Sending(sending) = &session.ratchet {
                    let (root, sender) = sending.parts();
                    wanted.push(middle(root.bytes()));
                    wanted.push(middle(sender.key().bytes()));
                }
                if let Some(chain) = session.ratchet.receiver() {
                    wanted.push(middle(chain.key().bytes()));
                }
            }
            RecordKind::SkippedKey => {
                if let Some(skipped) = step.read::<SkippedKey>(key).unwrap() {
                    wanted.push(middle(skipped.key.bytes()));
                }
            }
            RecordKind::PreKey => {
                if let Some(record) = step.read::<crate::record::PreKeyRecord>(key).unwrap() {
                    wanted.push(middle(record.pair.pair().private().bytes()));
                }
            }
            _ => {}
        }
    }
    wanted
}
