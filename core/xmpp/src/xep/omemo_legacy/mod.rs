//! XEP-0384 0.3: `eu.siacs.conversations.axolotl`, as it stands on the wire. Bytes and numbers
//! only.

use core::fmt;

use eft_types::DeviceId;

use super::omemo2::{Parsed, WireError};
use super::text::{decode_base64, encode_base64, is_true, parse_u32, text_of};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

const NS: &str = ns::OMEMO_LEGACY;

/// Id of the item of the device list node and of each bundle node. Other clients' items may have
/// others.
pub const ITEM: &str = "current";

/// Node of a device's bundle.
#[must_use]
pub fn bundle_node(device: DeviceId) -> String {
    format!("{}{device}", ns::OMEMO_LEGACY_BUNDLE_PREFIX)
}

/// The device whose bundle a node holds.
#[must_use]
pub fn device_of_bundle_node(node: &str) -> Option<DeviceId> {
    node.strip_prefix(ns::OMEMO_LEGACY_BUNDLE_PREFIX)?
        .parse()
        .ok()
}

/// The list of an account's devices.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceList {
    /// Devices in order, each once.
    pub devices: Vec<DeviceId>,
}

impl DeviceList {
    /// `<list/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let devices = self
            .devices
            .iter()
            .map(|device| element("device", NS).with_attr("id", device.to_string()));
        element("list", NS).with_children(devices)
    }

    /// Reads `<list/>`; `None` if it is something else.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Parsed<Self>> {
        if !element.is("list", NS) {
            return None;
        }
        let mut devices = Vec::new();
        let mut rubbish_count = 0;
        for child in element.children() {
            let id = child
                .attr("id")
                .and_then(|id| id.trim().parse::<DeviceId>().ok());
            match id.filter(|_| child.is("device", NS)) {
                Some(id) if !devices.contains(&id) => devices.push(id),
                _ => rubbish_count += 1,
            }
        }
        Some(Parsed {
            value: Self { devices },
            rubbish_count,
        })
    }
}

/// Public keys of a device. Lengths are not checked here.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Id of the signed prekey. 0 has been seen.
    pub signed_pre_key_id: u32,
    /// With its type byte 0x05.
    pub signed_pre_key: Vec<u8>,
    /// XEdDSA signature over it.
    pub signed_pre_key_signature: Vec<u8>,
    /// With its type byte 0x05.
    pub identity_key: Vec<u8>,
    /// One-time prekeys by id, each id once.
    pub pre_keys: Vec<(u32, Vec<u8>)>,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("signed_pre_key_id", &self.signed_pre_key_id)
            .field("pre_key_count", &self.pre_keys.len())
            .finish_non_exhaustive()
    }
}

impl Bundle {
    /// `<bundle/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let key = |name, bytes: &[u8]| element(name, NS).with_text(encode_base64(bytes));
        let pre_keys = self
            .pre_keys
            .iter()
            .map(|(id, bytes)| key("preKeyPublic", bytes).with_attr("preKeyId", id.to_string()));
        element("bundle", NS)
            .with_child(
                key("signedPreKeyPublic", &self.signed_pre_key)
                    .with_attr("signedPreKeyId", self.signed_pre_key_id.to_string()),
            )
            .with_child(key("signedPreKeySignature", &self.signed_pre_key_signature))
            .with_child(key("identityKey", &self.identity_key))
            .with_child(element("prekeys", NS).with_children(pre_keys))
    }

    /// Reads `<bundle/>`, its parts in any order. Unreadable prekeys are left out.
    ///
    /// # Errors
    /// [`WireError`] if another part is missing or unreadable.
    pub fn parse(bundle: &Element) -> Result<Parsed<Self>, WireError> {
        if !bundle.is("bundle", NS) {
            return Err(WireError::WrongElement);
        }
        let child = |name| bundle.get_child(name, NS).ok_or(WireError::Missing(name));
        let bytes = |name| decode_base64(&child(name)?.text()).ok_or(WireError::Unreadable(name));
        let mut pre_keys = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut rubbish_count = 0;
        for key in child("prekeys")?.children() {
            let id = key
                .attr("preKeyId")
                .and_then(parse_u32)
                .filter(|_| key.is("preKeyPublic", NS));
            match id.zip(decode_base64(&key.text())) {
                Some((id, key)) if seen.insert(id) => pre_keys.push((id, key)),
                _ => rubbish_count += 1,
            }
        }
        let value = Self {
            signed_pre_key_id: child("signedPreKeyPublic")?
                .attr("signedPreKeyId")
                .and_then(parse_u32)
                .ok_or(WireError::Unreadable("signedPreKeyId"))?,
            signed_pre_key: bytes("signedPreKeyPublic")?,
            signed_pre_key_signature: bytes("signedPreKeySignature")?,
            identity_key: bytes("identityKey")?,
            pre_keys,
        };
        Ok(Parsed {
            value,
            rubbish_count,
        })
    }
}

/// An encrypted message.
#[derive(Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// Device that sent it. Raw: 0 has been seen.
    pub sender_device: u32,
    /// Keys in order. They name no account: ids of different accounts may collide.
    pub keys: Vec<EncryptedKey>,
    /// Nonce of the payload; 12 bytes, from some peers 16. Some leave it out of a message without
    /// payload.
    pub iv: Option<Vec<u8>>,
    /// Ciphertext of the body; `None` in a key transport.
    pub payload: Option<Vec<u8>>,
}

/// Message key, encrypted for one device.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedKey {
    /// Device it is for. Raw: 0 has been seen.
    pub device: u32,
    /// The sender says that it is a `PreKeySignalMessage`.
    pub is_pre_key: bool,
    /// The message of the ratchet.
    pub data: Vec<u8>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted")
            .field("sender_device", &self.sender_device)
            .field("key_count", &self.keys.len())
            .field("payload_bytes", &self.payload.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

impl Encrypted {
    /// `<encrypted/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let text = |name, bytes: &Vec<u8>| element(name, NS).with_text(encode_base64(bytes));
        let keys = self.keys.iter().map(|key| {
            element("key", NS)
                .with_attr("rid", key.device.to_string())
                .with_attr_if("prekey", key.is_pre_key.then_some("true"))
                .with_text(encode_base64(&key.data))
        });
        element("encrypted", NS)
            .with_child(
                element("header", NS)
                    .with_attr("sid", self.sender_device.to_string())
                    .with_children(keys)
                    .with_child_if(self.iv.as_ref().map(|iv| text("iv", iv))),
            )
            .with_child_if(
                self.payload
                    .as_ref()
                    .map(|payload| text("payload", payload)),
            )
    }

    /// The element of a message, if it has one.
    #[must_use]
    pub fn find(message: &Element) -> Option<&Element> {
        message.get_child("encrypted", NS)
    }

    /// Reads `<encrypted/>`, the header's children in any order. Unreadable keys are left out.
    ///
    /// # Errors
    /// [`WireError`] if the header, its `sid`, an `<iv/>` or `<payload/>` that is there cannot be
    /// read, or a payload has no `<iv/>`.
    pub fn parse(encrypted: &Element) -> Result<Parsed<Self>, WireError> {
        Self::parse_where(encrypted, |_| true)
    }

    /// The same, with the keys of no other devices than these: most are for others.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_where(
        encrypted: &Element,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Result<Parsed<Self>, WireError> {
        if !encrypted.is("encrypted", NS) {
            return Err(WireError::WrongElement);
        }
        let header = encrypted
            .get_child("header", NS)
            .ok_or(WireError::Missing("header"))?;
        let sender_device = header
            .attr("sid")
            .and_then(parse_u32)
            .ok_or(WireError::Unreadable("sid"))?;
        let optional = |parent: &Element, name| match parent.get_child(name, NS) {
            None => Ok(None),
            Some(child) => decode_base64(&text_of(child))
                .map(Some)
                .ok_or(WireError::Unreadable(name)),
        };
        let iv = optional(header, "iv")?;
        let payload = optional(encrypted, "payload")?;
        if payload.is_some() && iv.is_none() {
            return Err(WireError::Missing("iv"));
        }
        let mut keys = Vec::new();
        let mut rubbish_count = 0;
        for key in header.children().filter(|child| !child.is("iv", NS)) {
            let device = key
                .attr("rid")
                .and_then(parse_u32)
                .filter(|_| key.is("key", NS));
            if device.is_some_and(|device| !is_wanted(device)) {
                continue;
            }
            match device.zip(decode_base64(&text_of(key))) {
                Some((device, data)) => keys.push(EncryptedKey {
                    device,
                    is_pre_key: is_true(key.attr("prekey")),
                    data,
                }),
                None => rubbish_count += 1,
            }
        }
        Ok(Parsed {
            value: Self {
                sender_device,
                keys,
                iv,
                payload,
            },
            rubbish_count,
        })
    }

    /// Keys with a device's id, which may be another account's device of the same number: try each.
    pub fn keys_for(&self, device: DeviceId) -> impl Iterator<Item = &EncryptedKey> {
        self.keys
            .iter()
            .filter(move |key| key.device == device.as_u32())
    }
}

#[cfg(test)]
mod tests;
