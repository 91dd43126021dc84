//! Two devices in the middle of a conversation, made once: every kind of record exists, and so do messages for
//! every way through the engine. Inputs that damage something genuine take it from here, so that they stay good
//! when the engine draws its randomness differently.

use std::sync::OnceLock;

use eft_omemo::{EncryptedMessage, RecordKind, Version};
use eft_types::DeviceAddress;

use crate::device::{Device, NOW};

/// The only content that the fixture sends.
pub(crate) const TEXT: &[u8] = b"<envelope xmlns='urn:xmpp:sce:1'><content/></envelope>";

/// Bob's device in the middle of a conversation with Alice's.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) bob: Device,
    pub(crate) alice: DeviceAddress,
    /// Genuine messages of Alice that Bob has not received yet, and one that he has.
    pub(crate) messages: Vec<EncryptedMessage>,
    /// A bundle of Alice in each version.
    pub(crate) bundles: Vec<eft_omemo::Bundle>,
}

impl Fixture {
    /// The fixture, made once.
    pub(crate) fn get() -> &'static Self {
        static MADE: OnceLock<Fixture> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let mut alice = Device::install("alice@a.example", 1);
        let mut bob = Device::install("bob@b.example", 2);
        let mut messages = Vec::new();
        for version in Version::ALL {
            connect(&mut alice, &mut bob, version);
            converse(&mut alice, &mut bob, version, &mut messages);
        }
        let list = eft_omemo::DeviceList::of_ids([alice.address.device]);
        for version in Version::ALL {
            let effects = bob
                .run(|records, _| {
                    let jid = &alice.address.jid;
                    eft_omemo::device_list_received(records, jid, version, &list, NOW)
                })
                .unwrap();
            bob.commit(effects.changes);
        }
        let bundles = Version::ALL
            .map(|version| alice.bundle(version).unwrap())
            .to_vec();
        bob.restart();
        for kind in RecordKind::ALL {
            let found = bob.store.keys().any(|(found, _)| *found == kind);
            assert!(found, "the fixture lacks a {kind:?}");
        }
        Self {
            bob,
            alice: alice.address,
            messages,
            bundles,
        }
    }
}

/// Makes a session from `from` to `to`, with a prekey that nobody has used.
fn connect(from: &mut Device, to: &mut Device, version: Version) {
    let bundle = to.bundle(version).unwrap();
    let bundle = bundle.into_unverified(to.address.clone());
    from.initiate(&bundle.verify().unwrap()).unwrap();
}

fn converse(
    alice: &mut Device,
    bob: &mut Device,
    version: Version,
    kept: &mut Vec<EncryptedMessage>,
) {
    fn post(from: &mut Device, to: &Device, version: Version) -> EncryptedMessage {
        let to = [to.address.clone()];
        from.send(&to, version, Some(TEXT)).unwrap()
    }
    fn read(device: &mut Device, message: &EncryptedMessage) {
        let received = device.try_receive(message, true).unwrap();
        assert!(matches!(
            received.outcome,
            eft_omemo::Outcome::Decrypted { .. }
        ));
        device.commit(received.changes);
    }
    // A session that will be archived, with chains that were left and keys that were passed over.
    for _ in 0..2 {
        let late = post(alice, bob, version);
        let first = post(alice, bob, version);
        read(bob, &first);
        kept.push(late);
        let answer = post(bob, alice, version);
        read(alice, &answer);
    }
    let archived = post(alice, bob, version);
    // Another in its place.
    connect(alice, bob, version);
    let exchange = post(alice, bob, version);
    read(bob, &exchange);
    for _ in 0..2 {
        let answer = post(bob, alice, version);
        read(alice, &answer);
        let late = post(alice, bob, version);
        let next = post(alice, bob, version);
        read(bob, &next);
        kept.push(late);
    }
    let next = post(alice, bob, version);
    let empty = alice
        .send(std::slice::from_ref(&bob.address), version, None)
        .unwrap();
    // What passes those two over.
    let ahead = post(alice, bob, version);
    // A third that Bob does not know of yet, and what he has seen already.
    connect(alice, bob, version);
    let unknown = post(alice, bob, version);
    kept.extend([archived, next, empty, unknown, exchange, ahead]);
}
