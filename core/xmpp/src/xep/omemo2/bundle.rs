//! Public keys of a device (XEP-0384 §4.4).

use core::fmt;
use std::collections::HashSet;

use super::{Parsed, WireError};
use crate::xep::text::{decode_base64, encode_base64, parse_u32};
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

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
        let mut seen = HashSet::new();
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
