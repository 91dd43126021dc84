//! `mk`: the key of one message.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::split_80;
use crate::crypto::kdf::{ZERO_SALT, hkdf};
use crate::crypto::{cbc, mac};
use crate::key::Secret;
use crate::profile::{Header, Profile};
use crate::wire::RatchetMessage;

/// A message key. Used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageKey(Secret);

/// Why a message does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageError {
    /// The MAC is wrong.
    BadMac,
    /// The MAC is right, the padding is not: the sender is broken.
    Padding,
}

impl MessageKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// `HKDF(0 * 32, mk, info, 80)` = encryption key (32) || authentication key (32) || IV (16).
    pub(crate) fn derive(&self, profile: &dyn Profile) -> Zeroizing<[u8; 80]> {
        hkdf(&ZERO_SALT, self.0.bytes(), profile.labels().message)
    }

    /// Encrypts key material: AES-256-CBC, then `HMAC(authentication key, AD || message)`, truncated.
    pub(crate) fn seal(
        &self,
        profile: &dyn Profile,
        associated_data: &[u8],
        header: &Header,
        key_material: &[u8],
    ) -> Vec<u8> {
        let keys = self.derive(profile);
        let (encryption, authentication, iv) = split_80(&keys);
        let ciphertext = cbc::encrypt(encryption, iv, key_material);
        let authenticated = profile.encode_message(header, &ciphertext);
        let mac = mac::hmac(authentication, &[associated_data, &authenticated]);
        let mac = mac.get(..profile.mac_length()).unwrap_or(mac.as_slice());
        profile.seal_message(&authenticated, mac)
    }

    /// Checks the MAC over the bytes received, then decrypts.
    pub(crate) fn open(
        &self,
        profile: &dyn Profile,
        associated_data: &[u8],
        message: &RatchetMessage,
    ) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        let keys = self.derive(profile);
        let (encryption, authentication, iv) = split_80(&keys);
        // The parser let only MACs of this profile's length through.
        let pieces = [associated_data, message.authenticated.as_slice()];
        if message.mac.len() != profile.mac_length()
            || !mac::verify_truncated(authentication, &pieces, &message.mac)
        {
            return Err(MessageError::BadMac);
        }
        cbc::decrypt(encryption, iv, &message.ciphertext).ok_or(MessageError::Padding)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}
