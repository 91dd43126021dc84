//! `CK`: the key that gives one message key after the other.

use serde::{Deserialize, Serialize};

use super::MessageKey;
use crate::crypto::mac::hmac;
use crate::crypto::stack::{HASH, overwritten};
use crate::key::Secret;

/// A chain key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainKey(Secret);

impl ChainKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// `KDF_CK(ck)`: the message key is `HMAC(ck, 0x01)`, the next chain key `HMAC(ck, 0x02)`.
    pub(crate) fn advance(&self) -> (Self, MessageKey) {
        let message_key =
            overwritten::<HASH, _>(|| MessageKey::new(&hmac(self.0.bytes(), &[&[0x01]])));
        (self.next(), message_key)
    }

    /// The next chain key alone, for a message whose own key is not wanted yet.
    pub(crate) fn next(&self) -> Self {
        overwritten::<HASH, _>(|| Self(Secret::new(&hmac(self.0.bytes(), &[&[0x02]]))))
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}
