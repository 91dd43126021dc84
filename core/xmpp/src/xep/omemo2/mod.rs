//! XEP-0384 0.9: `urn:xmpp:omemo:2`, as it stands on the wire. Bytes and numbers only: what they mean, and whether
//! they are any good, is the engine's business.

use core::fmt;

use eft_types::{BareJid, DeviceId};

use super::text::{decode_base64, encode_base64, is_true, parse_u32};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Id of the only item of the device list node (§4.3).
pub const DEVICES_ITEM: &str = "current";

/// The list of an account's devices.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceList {
    /// Devices in order, each once. May be empty.
    pub devices: Vec<ListedDevice>,
}

/// A device on the list. Label and signature are kept as they were written: whoever publishes the list again must carry those
/// of other devices along unchanged, and cannot sign them anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// Its id.
    pub id: DeviceId,
    /// Name that its user gave it. Unverified.
    pub label: Option<String>,
    /// Base64 of the signature over the label.
    pub label_signature: Option<String>,
}

impl ListedDevice {
    /// Decoded [`Self::label_signature`].
    #[must_use]
    pub fn label_signature_bytes(&self) -> Option<Vec<u8>> {
        decode_base64(self.label_signature.as_deref()?)
    }
}

/// What was read, and how many entries could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What could be read.
    pub value: T,
    /// Entries that were left out: no number, id 0, no base64, duplicates.
    pub rubbish_count: usize,
}

impl DeviceList {
    /// `<devices/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let devices = self.devices.iter().map(|device| {
            element("device", ns::OMEMO_2)
                .with_attr("id", device.id.to_string())
                .with_attr_if("label", device.label.as_deref())
                .with_attr_if("labelsig", device.label_signature.as_deref())
        });
        element("devices", ns::OMEMO_2).with_children(devices)
    }

    /// Reads `<devices/>`; `None` if it is something else.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Parsed<Self>> {
        if !element.is("devices", ns::OMEMO_2) {
            return None;
        }
        let mut devices: Vec<ListedDevice> = Vec::new();
        let mut rubbish_count = 0;
        for child in element.children() {
            let id = child
                .attr("id")
                .and_then(|id| id.trim().parse::<DeviceId>().ok());
            match id.filter(|_| child.is("device", ns::OMEMO_2)) {
                Some(id) if devices.iter().all(|device| device.id != id) => {
                    devices.push(ListedDevice {
                        id,
                        label: child.attr("label").map(str::to_owned),
                        label_signature: child.attr("labelsig").map(str::to_owned),
                    })
                }
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
    /// Id of the signed prekey.
    pub signed_pre_key_id: u32,
    /// X25519, raw.
    pub signed_pre_key: Vec<u8>,
    /// Ed25519 signature over it.
    pub signed_pre_key_signature: Vec<u8>,
    /// Ed25519 form of the identity key.
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

/// Why a bundle or message cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Another element.
    #[error("not the element expected")]
    WrongElement,
    /// A part without which the rest is useless.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// That part cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
}

impl Bundle {
    /// `<bundle/>`; the item's id is the device id.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let key = |name, bytes: &[u8]| element(name, ns::OMEMO_2).with_text(encode_base64(bytes));
        let pre_keys = self
            .pre_keys
            .iter()
            .map(|(id, bytes)| key("pk", bytes).with_attr("id", id.to_string()));
        element("bundle", ns::OMEMO_2)
            .with_child(
                key("spk", &self.signed_pre_key)
                    .with_attr("id", self.signed_pre_key_id.to_string()),
            )
            .with_child(key("spks", &self.signed_pre_key_signature))
            .with_child(key("ik", &self.identity_key))
            .with_child(element("prekeys", ns::OMEMO_2).with_children(pre_keys))
    }

    /// Reads `<bundle/>`, its parts in any order. Unreadable prekeys are left out.
    ///
    /// # Errors
    /// [`WireError`] if another part is missing or unreadable.
    pub fn parse(bundle: &Element) -> Result<Parsed<Self>, WireError> {
        if !bundle.is("bundle", ns::OMEMO_2) {
            return Err(WireError::WrongElement);
        }
        let child = |name| {
            bundle
                .get_child(name, ns::OMEMO_2)
                .ok_or(WireError::Missing(name))
        };
        let bytes = |name| decode_base64(&child(name)?.text()).ok_or(WireError::Unreadable(name));
        let mut pre_keys: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut rubbish_count = 0;
        for pk in child("prekeys")?.children() {
            let id = pk
                .attr("id")
                .and_then(parse_u32)
                .filter(|_| pk.is("pk", ns::OMEMO_2));
            match id.zip(decode_base64(&pk.text())) {
                Some((id, key)) if seen.insert(id) => pre_keys.push((id, key)),
                _ => rubbish_count += 1,
            }
        }
        let value = Self {
            signed_pre_key_id: child("spk")?
                .attr("id")
                .and_then(parse_u32)
                .ok_or(WireError::Unreadable("spk id"))?,
            signed_pre_key: bytes("spk")?,
            signed_pre_key_signature: bytes("spks")?,
            identity_key: bytes("ik")?,
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
    /// Keys by account, in order.
    pub recipients: Vec<Recipient>,
    /// Ciphertext of the envelope; `None` in an empty message.
    pub payload: Option<Vec<u8>>,
}

/// Keys for the devices of one account.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The account.
    pub jid: BareJid,
    /// Keys in order.
    pub keys: Vec<EncryptedKey>,
}

/// Message key, encrypted for one device.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedKey {
    /// Device it is for. Raw: 0 has been seen.
    pub device: u32,
    /// The sender says that it is a key exchange. Deployed peers leave this out on repeats: look at the first byte.
    pub is_key_exchange: bool,
    /// The message of the ratchet.
    pub data: Vec<u8>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted")
            .field("sender_device", &self.sender_device)
            .field("recipient_count", &self.recipients.len())
            .field("payload_bytes", &self.payload.as_ref().map(Vec::len))
            .finish()
    }
}

impl Encrypted {
    /// `<encrypted/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let recipients = self.recipients.iter().map(|recipient| {
            let keys = recipient.keys.iter().map(|key| {
                element("key", ns::OMEMO_2)
                    .with_attr("rid", key.device.to_string())
                    .with_attr_if("kex", key.is_key_exchange.then_some("true"))
                    .with_text(encode_base64(&key.data))
            });
            element("keys", ns::OMEMO_2)
                .with_attr("jid", recipient.jid.as_str())
                .with_children(keys)
        });
        let payload = self
            .payload
            .as_ref()
            .map(|payload| element("payload", ns::OMEMO_2).with_text(encode_base64(payload)));
        element("encrypted", ns::OMEMO_2)
            .with_child(
                element("header", ns::OMEMO_2)
                    .with_attr("sid", self.sender_device.to_string())
                    .with_children(recipients),
            )
            .with_child_if(payload)
    }

    /// The element of a message, if it has one.
    #[must_use]
    pub fn find(message: &Element) -> Option<&Element> {
        message.get_child("encrypted", ns::OMEMO_2)
    }

    /// Reads `<encrypted/>`. Unreadable keys and accounts are left out.
    ///
    /// # Errors
    /// [`WireError`] if the header, its `sid`, or a payload that is there cannot be read.
    pub fn parse(encrypted: &Element) -> Result<Parsed<Self>, WireError> {
        if !encrypted.is("encrypted", ns::OMEMO_2) {
            return Err(WireError::WrongElement);
        }
        let header = encrypted
            .get_child("header", ns::OMEMO_2)
            .ok_or(WireError::Missing("header"))?;
        let sender_device = header
            .attr("sid")
            .and_then(parse_u32)
            .ok_or(WireError::Unreadable("sid"))?;
        let payload = match encrypted.get_child("payload", ns::OMEMO_2) {
            None => None,
            Some(payload) => {
                Some(decode_base64(&payload.text()).ok_or(WireError::Unreadable("payload"))?)
            }
        };
        let mut recipients: Vec<Recipient> = Vec::new();
        let mut rubbish_count = 0;
        for keys in header.children() {
            let jid = keys.attr("jid").and_then(|jid| BareJid::new(jid).ok());
            let Some(jid) = jid.filter(|_| keys.is("keys", ns::OMEMO_2)) else {
                rubbish_count += 1;
                continue;
            };
            let before = rubbish_count;
            let mut read = Vec::new();
            for key in keys.children() {
                let device = key
                    .attr("rid")
                    .and_then(parse_u32)
                    .filter(|_| key.is("key", ns::OMEMO_2));
                match device.zip(decode_base64(&key.text())) {
                    Some((device, data)) => read.push(EncryptedKey {
                        device,
                        is_key_exchange: is_true(key.attr("kex")),
                        data,
                    }),
                    None => rubbish_count += 1,
                }
            }
            debug_assert!(rubbish_count >= before);
            recipients.push(Recipient { jid, keys: read });
        }
        Ok(Parsed {
            value: Self {
                sender_device,
                recipients,
                payload,
            },
            rubbish_count,
        })
    }

    /// Keys for a device. Accounts are compared as addresses, not as text. More than one where a sender
    /// repeats itself: try each.
    pub fn keys_for<'a>(
        &'a self,
        jid: &'a BareJid,
        device: DeviceId,
    ) -> impl Iterator<Item = &'a EncryptedKey> {
        self.recipients
            .iter()
            .filter(move |recipient| recipient.jid == *jid)
            .flat_map(|recipient| &recipient.keys)
            .filter(move |key| key.device == device.as_u32())
    }
}

/// The peer wants no more encryption in this conversation (§5.9). Only meaningful inside the encrypted content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Reason for the user.
    pub reason: Option<String>,
}

impl OptOut {
    /// `<opt-out/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let reason = self
            .reason
            .as_ref()
            .map(|reason| element("reason", ns::OMEMO_2).with_text(reason));
        element("opt-out", ns::OMEMO_2).with_child_if(reason)
    }

    /// Reads it from the content of an envelope.
    #[must_use]
    pub fn find<'a>(content: impl IntoIterator<Item = &'a Element>) -> Option<Self> {
        let opt_out = content
            .into_iter()
            .find(|child| child.is("opt-out", ns::OMEMO_2))?;
        Some(Self {
            reason: opt_out
                .get_child("reason", ns::OMEMO_2)
                .map(Element::text)
                .filter(|reason| !reason.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests;
