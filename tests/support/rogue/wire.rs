//! What a device's keys, lists and messages look like on the wire, and what it finds there.

use eft_omemo::{Bundle, EncryptedKey, EncryptedMessage, UnverifiedBundle};
use eft_types::{BareJid, DeviceAddress, DeviceId};
use eft_xmpp::xep::{omemo_legacy, omemo2};
use eft_xmpp::{Element, ns};

use super::RogueError;
use crate::bot::Version;

/// Node and item of an account's device list.
#[must_use]
pub fn list_item(version: Version) -> (&'static str, &'static str) {
    match version {
        Version::Omemo2 => (ns::OMEMO_2_DEVICES, omemo2::DEVICES_ITEM),
        Version::Legacy => (ns::OMEMO_LEGACY_DEVICES, omemo_legacy::ITEM),
    }
}

/// A device list.
#[must_use]
pub fn list(version: Version, devices: &[DeviceId]) -> Element {
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
#[must_use]
pub fn bundle_item(version: Version, device: DeviceId) -> (String, String) {
    match version {
        Version::Omemo2 => (ns::OMEMO_2_BUNDLES.to_owned(), device.to_string()),
        Version::Legacy => (
            omemo_legacy::bundle_node(device),
            omemo_legacy::ITEM.to_owned(),
        ),
    }
}

/// A bundle.
#[must_use]
pub fn bundle(version: Version, keys: Bundle) -> Element {
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

/// A bundle as it was published.
///
/// # Errors
/// When it is none.
pub fn published_bundle(
    version: Version,
    address: DeviceAddress,
    element: &Element,
) -> Result<UnverifiedBundle, RogueError> {
    Ok(match version {
        Version::Omemo2 => {
            let keys = omemo2::Bundle::parse(element)?.value;
            UnverifiedBundle {
                version: version.into(),
                address,
                identity_key: keys.identity_key,
                signed_pre_key_id: keys.signed_pre_key_id,
                signed_pre_key: keys.signed_pre_key,
                signature: keys.signed_pre_key_signature,
                pre_keys: keys.pre_keys,
            }
        }
        Version::Legacy => {
            let keys = omemo_legacy::Bundle::parse(element)?.value;
            UnverifiedBundle {
                version: version.into(),
                address,
                identity_key: keys.identity_key,
                signed_pre_key_id: keys.signed_pre_key_id,
                signed_pre_key: keys.signed_pre_key,
                signature: keys.signed_pre_key_signature,
                pre_keys: keys.pre_keys,
            }
        }
    })
}

/// The element of an encrypted message. Keys without an account are those of `to`.
#[must_use]
pub fn encrypted(message: &EncryptedMessage, to: &BareJid) -> Element {
    match message.version {
        eft_omemo::Version::Omemo2 => {
            let mut recipients: Vec<omemo2::Recipient> = Vec::new();
            for key in &message.keys {
                let jid = key.jid.as_ref().unwrap_or(to);
                let wire = omemo2::EncryptedKey {
                    device: key.rid.as_u32(),
                    is_key_exchange: key.kex,
                    data: key.data.clone(),
                };
                match recipients.iter_mut().find(|known| known.jid == *jid) {
                    Some(known) => known.keys.push(wire),
                    None => recipients.push(omemo2::Recipient {
                        jid: jid.clone(),
                        keys: vec![wire],
                    }),
                }
            }
            omemo2::Encrypted {
                sender_device: message.sid.as_u32(),
                recipients,
                payload: message.payload.clone(),
            }
            .to_element()
        }
        eft_omemo::Version::Legacy => omemo_legacy::Encrypted {
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

/// The encrypted elements of a stanza with all of their keys.
///
/// # Errors
/// When one cannot be read.
pub fn encrypted_elements(
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
