//! OMEMO elements: the wire's words (`eft_xmpp::xep`) and the engine's (`eft_omemo`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_omemo::{
    Bundle, DeviceLabel, DeviceList, EncryptedKey, EncryptedMessage, ListedDevice,
    UnverifiedBundle, Version,
};
use eft_store::MessageEncryption;
use eft_types::{BareJid, DeviceAddress, DeviceId};
use eft_xmpp::xep::{omemo_legacy, omemo2};
use eft_xmpp::{Element, ns};

/// How the store names a version.
pub(crate) const fn encryption(version: Version) -> MessageEncryption {
    match version {
        Version::Omemo2 => MessageEncryption::Omemo2,
        Version::Legacy => MessageEncryption::Legacy,
    }
}

/// The PEP node of device lists.
pub(crate) const fn devices_node(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => ns::OMEMO_2_DEVICES,
        Version::Legacy => ns::OMEMO_LEGACY_DEVICES,
    }
}

/// The PEP node and item of a device's bundle: one node for all in omemo:2, one each in legacy.
pub(crate) fn bundle_item(version: Version, device: DeviceId) -> (String, String) {
    match version {
        Version::Omemo2 => (ns::OMEMO_2_BUNDLES.to_owned(), device.to_string()),
        Version::Legacy => (
            omemo_legacy::bundle_node(device),
            omemo_legacy::ITEM.to_owned(),
        ),
    }
}

/// Item id of a device list.
pub(crate) const fn devices_item(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => omemo2::DEVICES_ITEM,
        Version::Legacy => omemo_legacy::ITEM,
    }
}

/// An `<encrypted/>` of a stanza.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) version: Version,
    /// Whether it has the part that would hold content.
    pub(crate) has_payload: bool,
    /// With the keys for this device. The error is a sentence for a log.
    pub(crate) message: Result<EncryptedMessage, String>,
}

impl Part {
    fn new(version: Version, element: &Element, message: Result<EncryptedMessage, String>) -> Self {
        Self {
            version,
            has_payload: element.has_child("payload", element_ns(version)),
            message,
        }
    }

    /// Bytes that it keeps in memory, about.
    pub(crate) fn weight_bytes(&self) -> usize {
        let Ok(message) = &self.message else {
            return size_of::<Self>();
        };
        let keys = message
            .keys
            .iter()
            .map(|key| size_of::<EncryptedKey>() + key.data.len());
        size_of::<Self>() + message.payload.as_ref().map_or(0, Vec::len) + keys.sum::<usize>()
    }
}

const fn element_ns(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => ns::OMEMO_2,
        Version::Legacy => ns::OMEMO_LEGACY,
    }
}

/// Every `<encrypted/>` of a stanza, omemo:2 first.
pub(crate) fn parse(stanza: &Element, sender: &BareJid, own: &DeviceAddress) -> Vec<Part> {
    let is_ours = |device| device == own.device.as_u32();
    let mut found = Vec::new();
    if let Some(element) = omemo2::Encrypted::find(stanza) {
        let message = omemo2::Encrypted::parse_where(element, is_ours)
            .map_err(|error| error.to_string())
            .and_then(|parsed| omemo2_message(parsed.value, sender, own));
        found.push(Part::new(Version::Omemo2, element, message));
    }
    if let Some(element) = omemo_legacy::Encrypted::find(stanza) {
        let message = omemo_legacy::Encrypted::parse_where(element, is_ours)
            .map_err(|error| error.to_string())
            .and_then(|parsed| legacy_message(parsed.value, sender, own));
        found.push(Part::new(Version::Legacy, element, message));
    }
    found
}

/// The same, and takes the elements out: as a tree they are many times as large.
pub(crate) fn take(stanza: &mut Element, sender: &BareJid, own: &DeviceAddress) -> Vec<Part> {
    let parts = parse(stanza, sender, own);
    for part in &parts {
        stanza.remove_child("encrypted", element_ns(part.version));
    }
    parts
}

fn omemo2_message(
    wire: omemo2::Encrypted,
    sender: &BareJid,
    own: &DeviceAddress,
) -> Result<EncryptedMessage, String> {
    let keys = wire
        .keys_for(&own.jid, own.device)
        .map(|key| EncryptedKey {
            jid: Some(own.jid.clone()),
            rid: own.device,
            kex: key.is_key_exchange,
            data: key.data.clone(),
        })
        .collect();
    Ok(EncryptedMessage {
        version: Version::Omemo2,
        sender: sender.clone(),
        sid: device_id(wire.sender_device)?,
        keys,
        iv: None,
        payload: wire.payload,
    })
}

fn legacy_message(
    wire: omemo_legacy::Encrypted,
    sender: &BareJid,
    own: &DeviceAddress,
) -> Result<EncryptedMessage, String> {
    let keys = wire
        .keys_for(own.device)
        .map(|key| EncryptedKey {
            jid: None,
            rid: own.device,
            kex: key.is_pre_key,
            data: key.data.clone(),
        })
        .collect();
    Ok(EncryptedMessage {
        version: Version::Legacy,
        sender: sender.clone(),
        sid: device_id(wire.sender_device)?,
        keys,
        iv: wire.iv,
        payload: wire.payload,
    })
}

fn device_id(number: u32) -> Result<DeviceId, String> {
    DeviceId::new(number).map_err(|error| format!("sid: {error}"))
}

/// The element of a message that the engine encrypted.
pub(crate) fn to_element(message: &EncryptedMessage) -> Element {
    match message.version {
        Version::Omemo2 => omemo2::Encrypted {
            sender_device: message.sid.as_u32(),
            recipients: recipients(&message.keys),
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

/// Keys under their accounts, in the order in which the accounts first occur.
fn recipients(keys: &[EncryptedKey]) -> Vec<omemo2::Recipient> {
    let mut recipients: Vec<omemo2::Recipient> = Vec::new();
    for key in keys {
        let wire = omemo2::EncryptedKey {
            device: key.rid.as_u32(),
            is_key_exchange: key.kex,
            data: key.data.clone(),
        };
        let Some(jid) = &key.jid else {
            // The engine names the account of every key that it makes for omemo:2.
            continue;
        };
        match recipients
            .iter_mut()
            .find(|recipient| recipient.jid == *jid)
        {
            Some(recipient) => recipient.keys.push(wire),
            None => recipients.push(omemo2::Recipient {
                jid: jid.clone(),
                keys: vec![wire],
            }),
        }
    }
    recipients
}

/// A device list as published; `None` for an element that is none.
pub(crate) fn device_list(version: Version, payload: &Element) -> Option<DeviceList> {
    match version {
        Version::Omemo2 => {
            let list = omemo2::DeviceList::parse(payload)?.value;
            Some(DeviceList::new(list.devices.into_iter().map(|device| {
                let signature = device.label_signature_bytes();
                ListedDevice {
                    id: device.id,
                    label: device
                        .label
                        .zip(signature)
                        .and_then(|(text, signature)| DeviceLabel::new(text, signature)),
                }
            })))
        }
        Version::Legacy => {
            let list = omemo_legacy::DeviceList::parse(payload)?.value;
            Some(DeviceList::of_ids(list.devices))
        }
    }
}

/// A device list for publishing.
pub(crate) fn device_list_element(version: Version, list: &DeviceList) -> Element {
    match version {
        Version::Omemo2 => omemo2::DeviceList {
            devices: list
                .devices()
                .iter()
                .map(|device| {
                    let label = device.label.as_ref().map(DeviceLabel::to_wire);
                    omemo2::ListedDevice {
                        id: device.id,
                        label: label.map(|(text, _)| text.to_owned()),
                        label_signature: label.map(|(_, signature)| BASE64.encode(signature)),
                    }
                })
                .collect(),
        }
        .to_element(),
        Version::Legacy => omemo_legacy::DeviceList {
            devices: list.ids().collect(),
        }
        .to_element(),
    }
}

/// A bundle as fetched. The error is a sentence for a log.
pub(crate) fn bundle(
    version: Version,
    address: &DeviceAddress,
    payload: &Element,
) -> Result<UnverifiedBundle, String> {
    match version {
        Version::Omemo2 => {
            let wire = omemo2::Bundle::parse(payload)
                .map_err(|error| error.to_string())?
                .value;
            Ok(UnverifiedBundle {
                version,
                address: address.clone(),
                identity_key: wire.identity_key,
                signed_pre_key_id: wire.signed_pre_key_id,
                signed_pre_key: wire.signed_pre_key,
                signature: wire.signed_pre_key_signature,
                pre_keys: wire.pre_keys,
            })
        }
        Version::Legacy => {
            let wire = omemo_legacy::Bundle::parse(payload)
                .map_err(|error| error.to_string())?
                .value;
            Ok(UnverifiedBundle {
                version,
                address: address.clone(),
                identity_key: wire.identity_key,
                signed_pre_key_id: wire.signed_pre_key_id,
                signed_pre_key: wire.signed_pre_key,
                signature: wire.signed_pre_key_signature,
                pre_keys: wire.pre_keys,
            })
        }
    }
}

/// Our bundle for publishing.
pub(crate) fn bundle_element(bundle: Bundle) -> Element {
    match bundle.version {
        Version::Omemo2 => omemo2::Bundle {
            signed_pre_key_id: bundle.signed_pre_key_id,
            signed_pre_key: bundle.signed_pre_key,
            signed_pre_key_signature: bundle.signature,
            identity_key: bundle.identity_key,
            pre_keys: bundle.pre_keys,
        }
        .to_element(),
        Version::Legacy => omemo_legacy::Bundle {
            signed_pre_key_id: bundle.signed_pre_key_id,
            signed_pre_key: bundle.signed_pre_key,
            signed_pre_key_signature: bundle.signature,
            identity_key: bundle.identity_key,
            pre_keys: bundle.pre_keys,
        }
        .to_element(),
    }
}
