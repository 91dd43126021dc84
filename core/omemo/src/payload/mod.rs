//! The content cipher: encrypted once per message, its key then once per device.

pub(crate) mod legacy;
pub(crate) mod omemo2;

use zeroize::Zeroizing;

use crate::Malformed;

/// Content encrypted for any number of devices.
pub(crate) struct SealedPayload {
    /// What each device's session encrypts.
    pub(crate) key_material: Zeroizing<Vec<u8>>,
    /// Content of `<payload/>`.
    pub(crate) ciphertext: Vec<u8>,
    /// Content of `<iv/>`, legacy only.
    pub(crate) iv: Option<Vec<u8>>,
}

/// Why key material and payload do not make content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The payload is not the one that the key material belongs to.
    NotAuthentic,
    /// Lengths or padding that nobody should send.
    Malformed(Malformed),
}

#[cfg(test)]
mod tests;
