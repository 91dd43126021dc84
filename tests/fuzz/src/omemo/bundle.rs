//! Bundles.

use eft_omemo::{InitiateError, UnverifiedBundle, Version, has_session};
use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::device::Device;
use crate::fixture::Fixture;
use crate::input::{Input, Seed};

/// Most prekeys of an input.
const PRE_KEYS: u8 = 8;

/// A bundle is verified or refused; with a verified one there is a session that encrypts, whatever its prekeys are.
pub(crate) fn run(data: &[u8]) {
    let fixture = Fixture::get();
    let input = &mut Input::new(data);
    let flags = input.byte();
    let version = if flags & 1 == 1 {
        Version::Omemo2
    } else {
        Version::Legacy
    };
    let stranger = DeviceAddress::new(
        BareJid::new("mallory@m.example").unwrap(),
        DeviceId::new(1).unwrap(),
    );
    let address = match flags & 6 {
        0 => stranger,
        2 => fixture.bob.address.clone(),
        _ => fixture.alice.clone(),
    };
    let unverified = UnverifiedBundle {
        version,
        address: address.clone(),
        signed_pre_key_id: input.u32(),
        identity_key: input.block().to_vec(),
        signed_pre_key: input.block().to_vec(),
        signature: input.block().to_vec(),
        pre_keys: (0..input.byte() % PRE_KEYS)
            .map(|_| (input.u32(), input.block().to_vec()))
            .collect(),
    };
    let Ok(bundle) = unverified.verify() else {
        return;
    };
    let mut bob: Device = fixture.bob.clone();
    let before = bob.store.clone();
    match bob.initiate(&bundle) {
        Ok(()) => {
            assert!(
                bob.run(|records, _| has_session(records, &address, version))
                    .unwrap()
            );
            bob.send(&[address], version, Some(b"text")).unwrap();
        }
        Err(InitiateError::Step(error)) => panic!("the store is whole, and yet: {error}"),
        Err(_) => assert!(bob.store == before, "a failed step changes something"),
    }
}

/// The fixture's bundles with a few of their prekeys.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for bundle in &Fixture::get().bundles {
        let version = u8::from(bundle.version == Version::Omemo2);
        for (flags, count) in [
            (version, 3),
            (version | 2, 1),
            (version | 4, 0),
            (version, 1),
        ] {
            let mut seed = Seed::new()
                .byte(flags)
                .u32(bundle.signed_pre_key_id)
                .block(&bundle.identity_key)
                .block(&bundle.signed_pre_key)
                .block(&bundle.signature)
                .byte(count);
            for (id, key) in bundle.pre_keys.iter().take(usize::from(count)) {
                seed = seed.u32(*id).block(key);
            }
            seeds.push(seed.into_bytes());
        }
    }
    seeds
}
