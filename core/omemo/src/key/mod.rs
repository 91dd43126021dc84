//! Keys, one type per role: a swap does not compile.

mod fingerprint;
mod identity;
mod identity_secret;
mod pair;
mod public;
mod secret;

pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{IdentityKey, IdentityKeyPair};
pub use identity_secret::{IdentitySecret, IdentitySecretError};
pub(crate) use pair::{
    EphemeralKeyPair, KeyPair, NonContributory, PreKeyPair, RatchetKeyPair, SignedPreKeyPair,
};
pub use public::{KeyError, PublicKey};
pub(crate) use secret::Secret;

#[cfg(test)]
mod tests;
