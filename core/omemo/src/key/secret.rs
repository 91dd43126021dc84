//! Bytes that must not be printed and do not outlive their use.

use core::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 secret bytes: zeroized on drop, compared in constant time, silent in `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(Box<[u8; 32]>);

impl Secret {
    /// Takes bytes over. The caller zeroizes its own copy.
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        // Not `Box::new(*bytes)`, which may make the array on the stack first and leave it there.
        let mut boxed = Box::new([0; 32]);
        boxed.copy_from_slice(bytes);
        Self(boxed)
    }

    /// Draws random bytes.
    pub(crate) fn random(rng: &mut impl rand_core::CryptoRng) -> Self {
        let mut bytes = Box::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(32, InPlace)
    }
}

/// Reads byte by byte to where the secret stays: an array that is returned leaves copies on the stack.
struct InPlace;

impl<'de> Visitor<'de> for InPlace {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Secret, A::Error> {
        let mut secret = Secret(Box::new([0; 32]));
        for (index, byte) in secret.0.iter_mut().enumerate() {
            *byte = bytes
                .next_element()?
                .ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        Ok(secret)
    }
}
