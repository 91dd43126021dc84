//! `RK`: the key that every turn of the ratchet mixes a Diffie-Hellman into.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ChainKey;
use crate::crypto::kdf::hkdf;
use crate::crypto::stack::{HASH, overwritten};
use crate::key::Secret;
use crate::profile::Labels;

/// A root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootKey(Secret);

impl RootKey {
    /// The shared secret of X3DH is the first one.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(Secret::new(secret))
    }

    /// `KDF_RK(rk, dh)`: `HKDF(salt = rk, ikm = dh, info, 64)`; the first 32 bytes are the new root key,
    /// the last 32 a chain key.
    pub(crate) fn turn(&self, labels: &Labels, dh: &[u8; 32]) -> (Self, ChainKey) {
        overwritten::<HASH, _>(|| {
            let derived: Zeroizing<[u8; 64]> = hkdf(self.0.bytes(), dh, labels.root);
            let (root, chain) = derived.split_at(32);
            (
                Self::new(root.try_into().unwrap_or(&[0; 32])),
                ChainKey::new(chain.try_into().unwrap_or(&[0; 32])),
            )
        })
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}
