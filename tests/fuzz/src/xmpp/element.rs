//! OMEMO's elements of both versions: encrypted messages, bundles, device lists, opt-outs.

use std::collections::HashSet;

use eft_omemo::Version;
use eft_xmpp::Element;
use eft_xmpp::xep::{omemo_legacy, omemo2};

use crate::fixture::Fixture;

/// What is read can be written and read again, without rubbish the second time.
pub(crate) fn run(data: &[u8]) {
    for element in super::stanzas(data) {
        omemo_2(&element);
        legacy(&element);
    }
}

fn omemo_2(element: &Element) {
    if let Some(read) = omemo2::DeviceList::parse(element) {
        assert_unique(read.value.devices.iter().map(|device| device.id));
        for device in &read.value.devices {
            let _ = device.label_signature_bytes();
        }
        let again = omemo2::DeviceList::parse(&read.value.to_element()).unwrap();
        assert_eq!((again.value, again.rubbish_count), (read.value, 0));
    }
    if let Ok(read) = omemo2::Bundle::parse(element) {
        assert_unique(read.value.pre_keys.iter().map(|(id, _)| *id));
        let again = omemo2::Bundle::parse(&read.value.to_element()).unwrap();
        assert!(again.value == read.value && again.rubbish_count == 0);
    }
    if let Ok(read) = omemo2::Encrypted::parse(element) {
        let again = omemo2::Encrypted::parse(&read.value.to_element()).unwrap();
        assert!(again.value == read.value && again.rubbish_count == 0);
    }
    if let Some(read) = omemo2::OptOut::find([element]) {
        assert!(omemo2::OptOut::find([&read.to_element()]) == Some(read));
    }
}

fn legacy(element: &Element) {
    if let Some(read) = omemo_legacy::DeviceList::parse(element) {
        assert_unique(read.value.devices.iter().copied());
        let again = omemo_legacy::DeviceList::parse(&read.value.to_element()).unwrap();
        assert_eq!((again.value, again.rubbish_count), (read.value, 0));
    }
    if let Ok(read) = omemo_legacy::Bundle::parse(element) {
        assert_unique(read.value.pre_keys.iter().map(|(id, _)| *id));
        let again = omemo_legacy::Bundle::parse(&read.value.to_element()).unwrap();
        assert!(again.value == read.value && again.rubbish_count == 0);
    }
    if let Ok(read) = omemo_legacy::Encrypted::parse(element) {
        assert!(read.value.payload.is_none() || read.value.iv.is_some());
        let again = omemo_legacy::Encrypted::parse(&read.value.to_element()).unwrap();
        assert!(again.value == read.value && again.rubbish_count == 0);
    }
}

fn assert_unique<T: Eq + std::hash::Hash>(ids: impl Iterator<Item = T>) {
    let mut seen = HashSet::new();
    assert!(
        ids.into_iter().all(|id| seen.insert(id)),
        "an id stands twice"
    );
}

/// The fixture's messages and bundles as elements, and lists.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let fixture = Fixture::get();
    let encrypted = fixture.messages.iter().map(encrypted);
    let bundles = fixture.bundles.iter().map(bundle);
    let mut seeds: Vec<Vec<u8>> = encrypted
        .chain(bundles)
        .map(|element| {
            eft_xmpp::xml::encode_element(&element)
                .unwrap()
                .into_bytes()
        })
        .collect();
    seeds.extend(
        [
            "<devices xmlns='urn:xmpp:omemo:2'><device id='1'/><device id='4294967295' label='phone' labelsig='AAAA'/>\
             <device id='0'/><device id='1'/></devices>",
            "<list xmlns='eu.siacs.conversations.axolotl'><device id='12'/><device id=' 13 '/><device/></list>",
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='0'><keys jid='A@b.example'><key rid='1' kex='1'>AA</key>\
             <key rid='x'>AA</key></keys><keys/></header></encrypted>",
            "<opt-out xmlns='urn:xmpp:omemo:2'><reason>I have lost my keys</reason></opt-out>",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}

fn encrypted(message: &eft_omemo::EncryptedMessage) -> Element {
    match message.version {
        Version::Omemo2 => omemo2::Encrypted {
            sender_device: message.sid.as_u32(),
            recipients: message
                .keys
                .iter()
                .map(|key| omemo2::Recipient {
                    jid: key.jid.clone().unwrap(),
                    keys: vec![omemo2::EncryptedKey {
                        device: key.rid.as_u32(),
                        is_key_exchange: key.kex,
                        data: key.data.clone(),
                    }],
                })
                .collect(),
            payload: message.payload.clone(),
        }
        .to_element(),
        Version::Legacy => omemo_legacy::Encrypted {
            sender_device: message.sid.as_u32(),
            keys: message
                .keys
                .iter()
                .map(|key| omemo_legacy::EncryptedKey {
                    device: key.rid.as_u32(),
                    is_pre_key: key.kex,
                    data: key.data.clone(),
                })
                .collect(),
            iv: message.iv.clone(),
            payload: message.payload.clone(),
        }
        .to_element(),
    }
}

/// With few of its prekeys: they are all alike.
fn bundle(bundle: &eft_omemo::Bundle) -> Element {
    let pre_keys = bundle.pre_keys.iter().take(2).cloned().collect();
    match bundle.version {
        Version::Omemo2 => omemo2::Bundle {
            signed_pre_key_id: bundle.signed_pre_key_id,
            signed_pre_key: bundle.signed_pre_key.clone(),
            signed_pre_key_signature: bundle.signature.clone(),
            identity_key: bundle.identity_key.clone(),
            pre_keys,
        }
        .to_element(),
        Version::Legacy => omemo_legacy::Bundle {
            signed_pre_key_id: bundle.signed_pre_key_id,
            signed_pre_key: bundle.signed_pre_key.clone(),
            signed_pre_key_signature: bundle.signature.clone(),
            identity_key: bundle.identity_key.clone(),
            pre_keys,
        }
        .to_element(),
    }
}
