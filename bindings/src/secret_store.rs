//! The platform's keychain, implemented by the host.

use std::fmt;
use std::sync::Arc;

use ::eft::{SecretError, SecretName, StoreKeyError};
use zeroize::Zeroizing;

/// Small secrets under a name: the Android Keystore or the iOS Keychain behind it. Calls are
/// synchronous and come from threads of Eft, never from the main thread.
#[uniffi::export(with_foreign)]
pub trait SecretStore: Send + Sync {
    /// The secret under this name; `None` if there never was one.
    ///
    /// # Errors
    /// `Locked` until the user unlocks the device, `Lost` when the platform dropped its key,
    /// `Corrupt` when what is there cannot be unwrapped.
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, SecretStoreError>;

    /// Keeps a secret, replacing an older one. Durable when it returns.
    ///
    /// # Errors
    /// As [`SecretStore::load`].
    fn store(&self, name: String, secret: Vec<u8>) -> Result<(), SecretStoreError>;

    /// Removes a secret. Removing what is not there is no error.
    ///
    /// # Errors
    /// As [`SecretStore::load`].
    fn delete(&self, name: String) -> Result<(), SecretStoreError>;
}

/// Why the keychain gave nothing.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum SecretStoreError {
    /// The device was not unlocked yet. Try again later.
    #[error("locked: {reason}")]
    Locked {
        /// The platform's words.
        reason: String,
    },
    /// The platform no longer has its key.
    #[error("lost: {reason}")]
    Lost {
        /// The platform's words.
        reason: String,
    },
    /// What is kept cannot be unwrapped.
    #[error("corrupt: {reason}")]
    Corrupt {
        /// The platform's words.
        reason: String,
    },
    /// Anything else, an exception of the host's code included.
    #[error("failed: {reason}")]
    Failed {
        /// The platform's words.
        reason: String,
    },
}

/// Without this an unexpected exception in the host's code would end the call in a panic.
impl From<uniffi::UnexpectedUniFFICallbackError> for SecretStoreError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed {
            reason: error.reason,
        }
    }
}

/// Presents the host's keychain to the core.
pub(crate) struct HostSecretStore(pub(crate) Arc<dyn SecretStore>);

impl fmt::Debug for HostSecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostSecretStore")
    }
}

impl ::eft::SecretStore for HostSecretStore {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        match self.0.load(name.to_string()) {
            Ok(Some(secret)) => Ok(Zeroizing::new(secret)),
            Ok(None) => Err(SecretError::Lost),
            Err(error) => Err(error.into()),
        }
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        Ok(self.0.store(name.to_string(), secret.to_vec())?)
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        Ok(self.0.delete(name.to_string())?)
    }
}

impl From<SecretStoreError> for SecretError {
    fn from(error: SecretStoreError) -> Self {
        match error {
            SecretStoreError::Locked { .. } => Self::Locked,
            SecretStoreError::Lost { .. } => Self::Lost,
            SecretStoreError::Corrupt { .. } => Self::Corrupt(StoreKeyError::Damaged),
            SecretStoreError::Failed { reason } => Self::Unavailable { detail: reason },
        }
    }
}
