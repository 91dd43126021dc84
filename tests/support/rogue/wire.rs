//! What the rogue's keys and lists look like on the wire, and what it finds there.

use eft_omemo::{Bundle, EncryptedKey, EncryptedMessage};
use eft_types::{BareJid, DeviceId};
use eft_xmpp::xep::{omemo_legacy, omemo2};
use eft_xmpp::{Element, ns};

use super::RogueError;
use crate::bot::Version;

/// Node and item of an account's device list.
pub(super) fn list_item(version: Version) -> (&'static str, &'static str) {
    match version {
        Version::Omemo2 => (ns::OMEMO_2_DEVICES, omemo2::DEVICES_ITEM),
        Version::Legacy => (ns::OMEMO_LEGACY_DEVICES, omemo_legacy::ITEM),
    }
}

/// A device list.
pub(super) fn list(version: Version, devices: &[DeviceId]) -> Element {
    match version {
        Version::Omemo2 => omemo2::DeviceList {
            devices: devices
                .iter()
                .map(|id| omemo2::ListedDevice {
                    id: *id,
                    label: None,
                    label_signature: None,
                })
                .collect(),
        }
        .to_element(),
        Version::Legacy => omemo_legacy::DeviceList {
            devices: devices.to_vec(),
        }
        .to_element(),
    }
}

/// Node and item of a device's bundle.
pub(super) fn bundle_item(version: Version, device: DeviceId) -> (String, String) {
    match version {
        Version::Omemo2 => (ns::OMEMO_2_BUNDLES.to_owned(), device.to_string()),
        Version::Legacy => (
            omemo_legacy::bundle_node(device),
            omemo_legacy::ITEM.to_owned(),
        ),
    }
}

/// A bundle.
pub(super) fn bundle(version: Version, keys: Bundle) -> Element {
    match version {
        Version::Omemo2 => omemo2::Bundle {
            signed_pre_key_id: keys.signed_pre_key_id,
            signed_pre_key: keys.signed_pre_key,
            signed_pre_key_signature: keys.signature,
            identity_key: keys.identity_key,
            pre_keys: keys.pre_keys,
        }
        .to_element(),
        Version::Legacy => omemo_legacy::Bundle {
            signed_pre_key_id: keys.signed_pre_key_id,
            signed_pre_key: keys.signed_pre_key,
            signed_pre_key_signature: keys.signature,
            identity_key: keys.identity_key,
            pre_keys: keys.pre_keys,
        }
        .to_element(),
    }
}

/// The encrypted elements of a stanza with all of their keys.
pub(super) fn encrypted_elements(
    stanza: &Element,
    sender: &BareJid,
) -> Result<Vec<(Version, EncryptedMessage)>, RogueError> {
    let mut found = Vec::new();
    if let Some(element) = omemo2::Encrypted::find(stanza) {
        let wire = omemo2::Encrypted::parse(element)?.value;
        let mut keys = Vec::new();
        for recipient in wire.recipients {
            for key in recipient.keys {
                keys.push(EncryptedKey {
                    jid: Some(recipient.jid.clone()),
                    rid: DeviceId::new(key.device)?,
                    kex: key.is_key_exchange,
                    data: key.data,
                });
            }
        }
        let message = EncryptedMessage {
            version: eft_omemo::Version::Omemo2,
            sender: sender.clone(),
            sid: DeviceId::new(wire.sender_device)?,
            keys,
            iv: None,
            payload: wire.payload,
        };
        found.push((Version::Omemo2, message));
    }
    if let Some(element) = omemo_legacy::Encrypted::find(stanza) {
        let wire = omemo_legacy::Encrypted::parse(element)?.value;
        let mut keys = Vec::new();
        for key in wire.keys {
            keys.push(EncryptedKey {
                jid: None,
                rid: DeviceId::new(key.device)?,
                kex: key.is_pre_key,
                data: key.data,
            });
        }
        let message = EncryptedMessage {
            version: eft_omemo::Version::Legacy,
            sender: sender.clone(),
            sid: DeviceId::new(wire.sender_device)?,
            keys,
            iv: wire.iv,
            payload: wire.payload,
        };
        found.push((Version::Legacy, message));
    }
    Ok(found)
}
