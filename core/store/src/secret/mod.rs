//! Where keys are kept: small named secrets outside the database.

mod file;
pub(crate) mod generation;
#[cfg(feature = "keyring")]
mod keyring;
mod memory;
mod name;

#[cfg(feature = "keyring")]
pub use self::keyring::KeyringSecretStore;
pub use file::FileSecretStore;
pub use memory::MemorySecretStore;
pub use name::{SecretName, SecretNameError};

use zeroize::Zeroizing;

use crate::key::StoreKeyError;

/// Keeps small secrets (a few hundred bytes) under a name, outside the database: the platform's
/// keychain, or something that stands for it.
///
/// Synchronous, and called from a thread that may block; taking a lease calls it with the database
/// locked, so it must not call back into a [`Store`](crate::Store). Implementations answer truthfully about
/// *why* there is no secret: a host that mixes up "locked" and "lost" makes users throw away
/// their history.
pub trait SecretStore: Send + Sync {
    /// Reads a secret.
    ///
    /// # Errors
    /// [`SecretError::Lost`] if there is none under this name, else the other causes.
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError>;

    /// Writes a secret, replacing an older one. On return it is durable.
    ///
    /// # Errors
    /// [`SecretError`]; an older secret is then still there.
    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError>;

    /// Deletes a secret. One that does not exist is no error.
    ///
    /// # Errors
    /// [`SecretError`]; the secret may then still be there.
    fn delete(&self, name: &SecretName) -> Result<(), SecretError>;
}

/// Why a secret could not be had or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is there but cannot be read now: the device was not unlocked since it started, the
    /// keyring is locked. Try again later; touch nothing.
    #[error("the key store is locked")]
    Locked,
    /// There is none: never stored, deleted, or not moved along by a backup.
    #[error("there is no such secret")]
    Lost,
    /// There is one, and it is not what was stored.
    #[error("the secret is damaged: {0}")]
    Corrupt(StoreKeyError),
    /// The user or the system refused.
    #[error("access was denied")]
    Denied,
    /// There is no key store here, or it does not answer.
    #[error("the key store does not work: {detail}")]
    Unavailable {
        /// What it said. Never a secret.
        detail: String,
    },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    /// What every implementation must do.
    pub(crate) fn behaves_like_a_secret_store(secrets: &dyn SecretStore) {
        let (a, b) = (name("a"), name("b"));
        assert_eq!(secrets.load(&a), Err(SecretError::Lost));
        assert_eq!(secrets.delete(&a), Ok(()));
        secrets.store(&a, b"first").unwrap();
        assert_eq!(secrets.load(&b), Err(SecretError::Lost));
        secrets.store(&b, b"").unwrap();
        secrets.store(&a, b"second, longer than the first").unwrap();
        assert_eq!(
            secrets.load(&a).unwrap().as_slice(),
            b"second, longer than the first"
        );
        assert_eq!(secrets.load(&b).unwrap().as_slice(), b"");
        secrets.delete(&a).unwrap();
        assert_eq!(secrets.load(&a), Err(SecretError::Lost));
        assert_eq!(secrets.load(&b).unwrap().as_slice(), b"");
    }
}
