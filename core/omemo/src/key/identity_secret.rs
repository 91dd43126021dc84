//! The private half of an identity key on its way out of an installation, or into one.

use core::fmt;

use super::{Fingerprint, IdentityKeyPair, KeyPair, Secret};

/// The 32 bytes of a Curve25519 private identity key, for an export of the account and for the import that follows.
/// Zeroized on drop, compared in constant time, silent in `Debug`.
///
/// Whoever has these bytes is this device for all its peers. They belong into an encrypted file, and in there only if
/// the user says that the device which they come from is gone.
///
/// Source: RFC 7748 §5 for the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentitySecret(Secret);

/// Why bytes are no private key. It tells nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentitySecretError {
    /// Not 32 bytes.
    #[error("{found} bytes instead of 32")]
    WrongLength {
        /// The length in bytes.
        found: usize,
    },
    /// Nothing but zeros in the bits that make the scalar: the scalar is the smallest that there is, and known to
    /// everybody. No other bytes make a key of small order, because clamping fixes the rest (RFC 7748 §5).
    #[error("the scalar is zero but for the bits that are the same in all")]
    AllZero,
}

impl IdentitySecret {
    /// Reads the bytes of a private key, clamped or not. The caller zeroizes its own copy.
    ///
    /// # Errors
    /// [`IdentitySecretError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentitySecretError> {
        let bytes = <&[u8; 32]>::try_from(bytes)
            .map_err(|_| IdentitySecretError::WrongLength { found: bytes.len() })?;
        let [first, between @ .., last] = bytes;
        // What clamping leaves of the ends.
        let ends = (first & 0b1111_1000) | (last & 0b0011_1111);
        if between.iter().fold(ends, |any, byte| any | byte) == 0 {
            return Err(IdentitySecretError::AllZero);
        }
        Ok(Self(Secret::new(bytes)))
    }

    /// The bytes, as they were made or read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }

    /// The fingerprint of the key that they make.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let public = KeyPair::from_secret(self.0.clone()).public();
        Fingerprint::from_bytes(*public.as_bytes())
    }

    pub(crate) fn of(identity: &IdentityKeyPair) -> Self {
        Self(identity.pair().private().clone())
    }

    pub(crate) fn into_key_pair(self) -> IdentityKeyPair {
        IdentityKeyPair::from_pair(KeyPair::from_secret(self.0))
    }
}

impl fmt::Debug for IdentitySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentitySecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn what_comes_out_goes_in_and_is_the_same_key() {
        let identity = IdentityKeyPair::generate(&mut seeded(1));
        let out = IdentitySecret::of(&identity);
        let read = IdentitySecret::from_bytes(out.as_bytes()).unwrap();
        assert_eq!(read, out);
        assert_eq!(read.fingerprint(), identity.public().fingerprint());
        assert_eq!(read.into_key_pair(), identity);
    }

    #[test]
    fn other_lengths_are_refused() {
        for found in [0, 1, 31, 33, 64] {
            assert_eq!(
                IdentitySecret::from_bytes(&vec![7; found]),
                Err(IdentitySecretError::WrongLength { found })
            );
        }
    }

    #[test]
    fn the_key_that_everybody_knows_is_refused_in_each_of_its_forms_and_no_other() {
        for (first, last) in [(0, 0), (7, 0), (0, 0xC0), (7, 0xC0), (1, 0x40)] {
            let mut bytes = [0; 32];
            (bytes[0], bytes[31]) = (first, last);
            assert_eq!(
                IdentitySecret::from_bytes(&bytes),
                Err(IdentitySecretError::AllZero)
            );
        }
        // Every bit that clamping leaves makes another key.
        for bit in 3..254 {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            assert!(IdentitySecret::from_bytes(&bytes).is_ok(), "{bit}");
        }
    }
}
