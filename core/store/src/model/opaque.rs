//! Bytes that the store keeps and never reads.

use core::fmt;

/// Bytes whose meaning belongs to the caller: a stanza, a ciphertext, an encoded payload.
///
/// They may hold message content, so `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Opaque(Vec<u8>);

impl Opaque {
    /// Wraps bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl From<Vec<u8>> for Opaque {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}
