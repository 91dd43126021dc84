//! Key exchanges and messages of both versions, as they come off the wire.

use std::sync::{Mutex, PoisonError};

use eft_omemo::{EncryptedKey, EncryptedMessage, Outcome, Version, needs};
use eft_types::{DeviceAddress, DeviceId};

use crate::device::Device;
use crate::fixture::{Fixture, TEXT};
use crate::input::{Input, Seed};

/// Inputs with this first byte damage a genuine message; all others bring their own bytes.
const GENUINE: u8 = 1;

/// Receiving borrows the records and this target never commits, so one device serves all inputs.
static BOB: Mutex<Option<Device>> = Mutex::new(None);

/// Whatever arrives, the engine answers with an outcome; what is refused changes nothing, and what is accepted is
/// what its sender has written.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let fixture = Fixture::get();
    let mut bob = BOB.lock().unwrap_or_else(PoisonError::into_inner);
    let bob = bob.get_or_insert_with(|| fixture.bob.clone());
    let message = if input.byte() == GENUINE {
        damaged(&mut input, fixture)
    } else {
        invented(&mut input, fixture)
    };
    let circumstances = input.byte();
    bob.catch_up = circumstances & 1 == 1;
    let position = message.chain_position(&bob.address);
    let needed = needs(&message, &bob.address);
    assert!(
        needed.len() < 100,
        "one message needs {} records",
        needed.len()
    );
    let received = bob.try_receive(&message, circumstances & 2 == 2).unwrap();
    bob.forget_loaded();
    match received.outcome {
        Outcome::Decrypted {
            plaintext, device, ..
        } => {
            assert_eq!(plaintext.as_bytes(), TEXT, "nobody has written this");
            assert_genuine_sender(&device, fixture, &message, &bob.address);
        }
        Outcome::Empty { device } => {
            assert_genuine_sender(&device, fixture, &message, &bob.address);
        }
        Outcome::NotForThisDevice | Outcome::FromThisDevice => {}
        // What has no place in a chain can only be malformed, and the other way round.
        Outcome::Malformed(_) => {}
        _ => assert!(matches!(position, Ok(Some(_)))),
    }
}

/// A key exchange names its sender's identity key but not its address: it may come under any name.
fn assert_genuine_sender(
    device: &DeviceAddress,
    fixture: &Fixture,
    message: &EncryptedMessage,
    own: &DeviceAddress,
) {
    let exchange = matches!(message.chain_position(own), Ok(Some(at)) if at.key_exchange);
    assert!(
        exchange || *device == fixture.alice,
        "a message of a session is accepted from somebody else"
    );
}

fn damaged(input: &mut Input<'_>, fixture: &Fixture) -> EncryptedMessage {
    let at = input.place(fixture.messages.len()).unwrap_or_default();
    let mut message = fixture.messages[at].clone();
    let flags = input.byte();
    if flags & 1 == 1 {
        message.version = other(message.version);
    }
    if flags & 2 == 2 {
        message.sid = device_id(input.u32());
    }
    if flags & 4 == 4 {
        message.payload = None;
    }
    if flags & 8 == 8 {
        message.iv = None;
    }
    for key in &mut message.keys {
        key.data = input.changed(&key.data);
        key.kex ^= flags & 16 == 16;
    }
    message.payload = message.payload.map(|payload| input.changed(&payload));
    message.iv = message.iv.map(|iv| input.changed(&iv));
    message
}

fn invented(input: &mut Input<'_>, fixture: &Fixture) -> EncryptedMessage {
    let flags = input.byte();
    let own = &fixture.bob.address;
    let sender = if flags & 2 == 2 {
        own.clone()
    } else {
        fixture.alice.clone()
    };
    let keys = (0..=input.byte() % 3)
        .map(|_| EncryptedKey {
            jid: Some(own.jid.clone()),
            rid: own.device,
            kex: flags & 4 == 4,
            data: input.block().to_vec(),
        })
        .collect();
    EncryptedMessage {
        version: if flags & 1 == 1 {
            Version::Omemo2
        } else {
            Version::Legacy
        },
        sender: sender.jid,
        sid: if flags & 8 == 8 {
            device_id(input.u32())
        } else {
            sender.device
        },
        keys,
        iv: (flags & 16 == 16).then(|| input.block().to_vec()),
        payload: (flags & 32 == 32).then(|| input.block().to_vec()),
    }
}

const fn other(version: Version) -> Version {
    match version {
        Version::Legacy => Version::Omemo2,
        Version::Omemo2 => Version::Legacy,
    }
}

fn device_id(number: u32) -> DeviceId {
    DeviceId::new(number.max(1)).unwrap()
}

/// Each genuine message to be damaged, and some as bytes.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let fixture = Fixture::get();
    let mut seeds = Vec::new();
    for (at, message) in (0_u8..).zip(&fixture.messages) {
        let genuine = Seed::new().byte(GENUINE).byte(0).byte(at);
        if usize::from(at + 1).is_multiple_of(fixture.messages.len() / 2) {
            // The last of each version passes others over: its key is right, its payload is not.
            let same_key = genuine.clone().byte(0).byte(0);
            let one_byte = same_key.byte(1).byte(0).byte(0).byte(0).byte(1);
            seeds.push(one_byte.into_bytes());
        }
        seeds.push(genuine.into_bytes());
        if at % 6 != 0 {
            continue;
        }
        let key = &message.keys[0];
        let flag = |set, flag| if set { flag } else { 0 };
        let flags = flag(message.version == Version::Omemo2, 1)
            | flag(key.kex, 4)
            | flag(message.iv.is_some(), 16)
            | flag(message.payload.is_some(), 32);
        let mut seed = Seed::new().byte(0).byte(flags).byte(0).block(&key.data);
        for part in [&message.iv, &message.payload].into_iter().flatten() {
            seed = seed.block(part);
        }
        seeds.push(seed.into_bytes());
    }
    seeds
}
