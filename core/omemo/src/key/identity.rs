//! Long-term keys.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, KeyError, KeyPair, PublicKey, Secret};
use crate::crypto::stack::{CURVE, overwritten};
use crate::crypto::xeddsa;

/// Our long-term key: one Curve25519 scalar for both OMEMO versions.
///
/// The Ed25519 form that omemo:2 publishes is computed with its sign bit forced to 0 (XEdDSA). So the
/// legacy key, the omemo:2 key and the fingerprint are the same point for everyone who looks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKeyPair {
    pair: KeyPair,
    ed25519: [u8; 32],
}

impl IdentityKeyPair {
    /// Draws a new key.
    pub fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
        Self::from_pair(KeyPair::generate(rng))
    }

    /// From the 32 bytes of a Curve25519 private key; clamped on use.
    #[must_use]
    pub fn from_private(private: &[u8; 32]) -> Self {
        Self::from_pair(KeyPair::from_secret(Secret::new(private)))
    }

    pub(super) fn from_pair(pair: KeyPair) -> Self {
        let ed25519 = overwritten::<CURVE, _>(|| xeddsa::ed25519_public(pair.private().bytes()));
        Self { pair, ed25519 }
    }

    /// The public half, in both forms.
    #[must_use]
    pub const fn public(&self) -> IdentityKey {
        IdentityKey {
            curve25519: self.pair.public(),
            ed25519: Some(self.ed25519),
        }
    }

    /// `Sig(IK, message)` (XEdDSA §2.6) with fresh randomness: a plain Ed25519 signature under the key's
    /// Ed25519 form, and what legacy OMEMO verifies with the Curve25519 form. The engine signs prekeys with
    /// it; a caller may sign the label of its device (XEP-0384 §5.3.1).
    pub fn sign(&self, message: &[u8], rng: &mut impl rand_core::CryptoRng) -> [u8; 64] {
        let mut z = zeroize::Zeroizing::new([0; 64]);
        rng.fill_bytes(z.as_mut_slice());
        overwritten::<CURVE, _>(|| xeddsa::sign(self.pair.private().bytes(), message, &z))
    }

    pub(crate) const fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl fmt::Debug for IdentityKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKeyPair({:?})", self.pair.public())
    }
}

/// The long-term public key of a device.
///
/// omemo:2 publishes the Ed25519 form. Its 32 bytes are kept as received, sign bit included, because they
/// are authenticated as they are; the Montgomery form, for Diffie-Hellman, fingerprint and trust, is
/// computed from them. Legacy knows the Montgomery form only.
///
/// Source: XEP-0384 §4.2 for the Ed25519 form; RFC 7748 §5 for the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdentityKey {
    curve25519: PublicKey,
    ed25519: Option<[u8; 32]>,
}

impl IdentityKey {
    /// Reads the 32 bytes of the Ed25519 form (omemo:2).
    ///
    /// # Errors
    /// [`KeyError::WrongLength`], [`KeyError::NotCanonical`], [`KeyError::NotAPoint`],
    /// [`KeyError::SmallOrder`].
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let ed25519 = <[u8; 32]>::try_from(bytes)
            .map_err(|_| KeyError::WrongLength { found: bytes.len() })?;
        if !xeddsa::is_canonical(&ed25519) {
            return Err(KeyError::NotCanonical);
        }
        let montgomery = xeddsa::montgomery(&ed25519).ok_or(KeyError::NotAPoint)?;
        Ok(Self {
            curve25519: PublicKey::parse(&montgomery)?,
            ed25519: Some(ed25519),
        })
    }

    /// Reads the 32 bytes of the Montgomery form (legacy, without its type byte).
    ///
    /// # Errors
    /// [`KeyError::WrongLength`], [`KeyError::NotCanonical`], [`KeyError::SmallOrder`].
    pub fn from_curve25519(bytes: &[u8]) -> Result<Self, KeyError> {
        Ok(Self {
            curve25519: PublicKey::parse(bytes)?,
            ed25519: None,
        })
    }

    /// The Montgomery form.
    #[must_use]
    pub const fn curve25519(&self) -> &PublicKey {
        &self.curve25519
    }

    /// The Ed25519 form as it was received, if it was.
    #[must_use]
    pub const fn ed25519(&self) -> Option<&[u8; 32]> {
        self.ed25519.as_ref()
    }

    /// What a human compares, and what trust is bound to.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(*self.curve25519.as_bytes())
    }

    /// Whether both may be one key: the same point, and no two different Ed25519 forms.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.curve25519 == other.curve25519
            && match (self.ed25519, other.ed25519) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            }
    }

    /// Whether `signature` is a signature by this key over `message`, in the form of omemo:2 if the
    /// Ed25519 form is known, else in that of legacy.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.ed25519 {
            Some(ed25519) => xeddsa::verify(ed25519, message, signature),
            None => xeddsa::verify_montgomery(self.curve25519.as_bytes(), message, signature),
        }
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({:?})", self.fingerprint())
    }
}
