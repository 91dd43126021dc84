//! Stores that earlier releases wrote. The bytes of a record are a promise to every later release: these files
//! never change, a new record version gets a new file beside them.

use std::fmt::Write as _;

use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::testing::{Device, connect, hex, seeded, unhex};
use crate::{EncryptedKey, EncryptedMessage, Outcome, Record, RecordKey, RecordKind, Version};

const FIRST_RELEASE: &str = include_str!("../../../tests/stores/0.1.0.txt");

/// Bob's device after some history with Alice, and messages of hers under way to him. One line per row, then one
/// per message: fields with spaces between, bytes in hexadecimal.
fn write() -> String {
    let mut text = String::new();
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let (to_bob, to_alice) = (bob.address.clone(), alice.address.clone());
        let mut under_way = Vec::new();
        let mut send = |alice: &mut Device, bob: &mut Device, text: &str, arrives: bool| {
            let message = alice.send(&to_bob, version, text);
            if arrives {
                bob.read(&message);
            } else {
                under_way.push((message, text.to_owned()));
            }
        };
        send(
            &mut alice,
            &mut bob,
            "skipped in a session that was replaced",
            false,
        );
        send(&mut alice, &mut bob, "x", true);
        let bundle = bob.bundle(version);
        alice.initiate(&bundle).unwrap();
        send(&mut alice, &mut bob, "x", true);
        send(&mut alice, &mut bob, "skipped", false);
        send(&mut alice, &mut bob, "x", true);
        let answer = bob.send(&to_alice, version, "x");
        alice.read(&answer);
        send(&mut alice, &mut bob, "x", true);
        let answer = bob.send(&to_alice, version, "x");
        alice.read(&answer);
        send(&mut alice, &mut bob, "in the next chain", false);
        for ((kind, name), bytes) in bob.snapshot() {
            // The account and the trust in it are the same for both; of 200 prekeys two will do.
            let second = version == Version::Omemo2 && kind == RecordKind::Account;
            let surplus = kind == RecordKind::PreKey && name[4] != 50;
            if !second && !surplus {
                let (name, bytes) = (hex(&name), hex(&bytes));
                writeln!(text, "row {version:?} {} {name} {bytes}", kind.as_u8()).unwrap();
            }
        }
        for (message, plaintext) in under_way {
            let (data, payload) = (hex(&message.keys[0].data), hex(&message.payload.unwrap()));
            let (sid, iv) = (message.sid, hex(&message.iv.unwrap_or_default()));
            writeln!(
                text,
                "message {version:?} {sid} {data} {payload} {iv} {plaintext}"
            )
            .unwrap();
        }
    }
    text
}

/// `cargo test -p eft-omemo -- --ignored --nocapture write_the_store_of_this_release`
#[test]
#[ignore = "prints a store, for the next release's file"]
fn write_the_store_of_this_release() {
    print!("{}", write());
}

fn version(word: &str) -> Version {
    Version::ALL
        .into_iter()
        .find(|version| format!("{version:?}") == word)
        .unwrap()
}

#[test]
fn a_store_of_the_first_release_opens_reads_and_answers() {
    let jid = BareJid::new("bob@b.example").unwrap();
    let placeholder = DeviceAddress::new(jid, DeviceId::new(1).unwrap());
    let mut stores = Version::ALL.map(|_| Device::empty(placeholder.clone(), seeded(3)));
    let (mut rows, mut messages) = (0, 0);
    for line in FIRST_RELEASE.lines() {
        let mut words = line.splitn(3, ' ');
        let (what, version) = (words.next().unwrap(), version(words.next().unwrap()));
        let rest = words.next().unwrap();
        if what == "row" {
            let fields: Vec<_> = rest.split(' ').collect();
            let kind = RecordKind::from_u8(fields[0].parse().unwrap()).unwrap();
            let key = RecordKey::from_bytes(kind, &unhex(fields[1])).unwrap();
            let record = Record::decode(kind, &unhex(fields[2])).unwrap();
            let mut changes = crate::Changes::new();
            changes.put(key, record);
            for (store, of) in stores.iter_mut().zip(Version::ALL) {
                if of == version || kind == RecordKind::Account {
                    store.commit(changes.clone());
                }
            }
            rows += 1;
            continue;
        }
        let index = Version::ALL
            .iter()
            .position(|known| *known == version)
            .unwrap();
        let bob = &mut stores[index];
        bob.restart();
        bob.address = bob.run(crate::own_address).unwrap();
        let fields: Vec<_> = rest.splitn(5, ' ').collect();
        let message = EncryptedMessage {
            version,
            sender: BareJid::new("alice@a.example").unwrap(),
            sid: fields[0].parse().unwrap(),
            keys: vec![EncryptedKey {
                jid: Some(bob.address.jid.clone()),
                rid: bob.address.device,
                kex: false,
                data: unhex(fields[1]),
            }],
            iv: (!fields[3].is_empty()).then(|| unhex(fields[3])),
            payload: Some(unhex(fields[2])),
        };
        assert_eq!(bob.read(&message), fields[4]);
        assert_eq!(bob.receive(&message), Outcome::Duplicate);
        let alice = DeviceAddress::new(message.sender, message.sid);
        assert_eq!(bob.send(&alice, version, "answer").keys.len(), 1);
        messages += 1;
    }
    assert!(rows > 20, "{rows}");
    assert_eq!(messages, 6);
}
