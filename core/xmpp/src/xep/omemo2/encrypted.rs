//! An encrypted message (XEP-0384 §4.5).

use core::fmt;

use eft_types::{BareJid, DeviceId};

use super::{Parsed, WireError};
use crate::xep::text::{decode_base64, encode_base64, is_true, parse_u32, text_of};
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

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
    /// The sender says that it is a key exchange. Deployed peers leave this out on repeats: look at
    /// the first byte.
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
                Some(decode_base64(&text_of(payload)).ok_or(WireError::Unreadable("payload"))?)
            }
        };
        let mut recipients: Vec<Recipient> = Vec::new();
        let mut rubbish_count = 0;
        for keys in header.children() {
            let jid = keys.attr("jid").and_then(|jid| address::bare_jid(jid).ok());
            let Some(jid) = jid.filter(|_| keys.is("keys", ns::OMEMO_2)) else {
                rubbish_count += 1;
                continue;
            };
            let mut read = Vec::new();
            for key in keys.children() {
                let device = key
                    .attr("rid")
                    .and_then(parse_u32)
                    .filter(|_| key.is("key", ns::OMEMO_2));
                if device.is_some_and(|device| !is_wanted(device)) {
                    continue;
                }
                match device.zip(decode_base64(&text_of(key))) {
                    Some((device, data)) => read.push(EncryptedKey {
                        device,
                        is_key_exchange: is_true(key.attr("kex")),
                        data,
                    }),
                    None => rubbish_count += 1,
                }
            }
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

    /// Keys for a device. Accounts are compared as addresses, not as text. More than one where a
    /// sender repeats itself: try each.
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
