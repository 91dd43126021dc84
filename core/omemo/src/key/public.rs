//! Public Curve25519 keys.

use core::fmt;

use crate::crypto::field::is_field_element;
use curve25519_dalek::montgomery::MontgomeryPoint;
use serde::{Deserialize, Serialize};

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyError {
    /// Neither 32 bytes nor, in the legacy encoding, 33.
    #[error("a key of {found} bytes")]
    WrongLength {
        /// Bytes received.
        found: usize,
    },
    /// The legacy encoding starts with 0x05.
    #[error("not a Curve25519 key: type byte {found:#04x}")]
    WrongType {
        /// Type byte received.
        found: u8,
    },
    /// No point of the Edwards curve.
    #[error("not a point of the curve")]
    NotAPoint,
    /// A coordinate not below 2²⁵⁵−19. RFC 7748 would reduce it; but then one key would have several forms, some
    /// of which no MAC covers, and nobody writes any but the reduced one.
    #[error("not encoded canonically")]
    NotCanonical,
    /// A point of small order: a Diffie-Hellman with it is the same for every private key.
    #[error("a point of small order")]
    SmallOrder,
}

/// A public Curve25519 key in Montgomery form: the 32 bytes of RFC 7748 §5, exactly as received and
/// not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::WrongLength`], [`KeyError::NotCanonical`], [`KeyError::SmallOrder`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = <[u8; 32]>::try_from(bytes)
            .map_err(|_| KeyError::WrongLength { found: bytes.len() })?;
        if !is_field_element(&bytes) {
            return Err(KeyError::NotCanonical);
        }
        // Eight times a point of small order is the identity, on the curve and on its twist.
        let eightfold = MontgomeryPoint(bytes).mul_bits_be([true, false, false, false].into_iter());
        if eightfold.to_bytes() == [0; 32] {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(bytes))
    }

    /// For keys that are known to be good: ours, and records.
    pub(crate) const fn trusted(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of RFC 7748 §5.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…)")
    }
}
