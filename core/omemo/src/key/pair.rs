//! Curve25519 key pairs, one type per role.

use core::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{PublicKey, Secret};
use crate::crypto::stack::{CURVE, overwritten};

/// A private key and its public half.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    private: Secret,
    public: PublicKey,
}

/// A Diffie-Hellman gave zero: the peer's key has small order and contributes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Diffie-Hellman gave zero")]
pub(crate) struct NonContributory;

impl KeyPair {
    pub(crate) fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
        Self::from_secret(Secret::random(rng))
    }

    pub(crate) fn from_secret(private: Secret) -> Self {
        let public =
            overwritten::<CURVE, _>(|| MontgomeryPoint::mul_base_clamped(*private.bytes()));
        Self {
            public: PublicKey::trusted(public.to_bytes()),
            private,
        }
    }

    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) const fn private(&self) -> &Secret {
        &self.private
    }

    /// `X25519(ours, theirs)`, RFC 7748 §5, with the check of §6.1.
    pub(crate) fn agree(&self, theirs: &PublicKey) -> Result<Zeroizing<[u8; 32]>, NonContributory> {
        let theirs = MontgomeryPoint(*theirs.as_bytes());
        let mut shared = Zeroizing::new([0; 32]);
        overwritten::<CURVE, _>(|| {
            *shared = theirs.mul_clamped(*self.private.bytes()).to_bytes();
        });
        if subtle::ConstantTimeEq::ct_eq(shared.as_slice(), [0; 32].as_slice()).into() {
            return Err(NonContributory);
        }
        Ok(shared)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({:?})", self.public)
    }
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) struct $name(KeyPair);

        impl $name {
            pub(crate) fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
                Self(KeyPair::generate(rng))
            }

            #[cfg(test)]
            pub(crate) fn from_private(private: &[u8; 32]) -> Self {
                Self(KeyPair::from_secret(Secret::new(private)))
            }

            pub(crate) const fn public(&self) -> PublicKey {
                self.0.public()
            }

            pub(crate) const fn pair(&self) -> &KeyPair {
                &self.0
            }
        }
    };
}

role! {
    /// `RP`: ours for one turn of the Double Ratchet.
    RatchetKeyPair
}
role! {
    /// `EK`: ours for one key exchange.
    EphemeralKeyPair
}
role! {
    /// `OPK`: published by us, for one key exchange by someone else.
    PreKeyPair
}
role! {
    /// `SPK`: published and signed by us, for all key exchanges of a week.
    SignedPreKeyPair
}

impl From<SignedPreKeyPair> for RatchetKeyPair {
    /// The responder's first ratchet key is its signed prekey (XEP-0384 §4.3).
    fn from(signed_pre_key: SignedPreKeyPair) -> Self {
        Self(signed_pre_key.0)
    }
}
