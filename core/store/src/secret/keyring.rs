//! Secrets in the platform's keychain.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::{SecretError, SecretName, SecretStore};

/// Keeps secrets in the keychain of a desktop: Keychain Services on macOS, Credential Manager on
/// Windows, the Secret Service (GNOME Keyring, KWallet; by D-Bus, without OpenSSL) elsewhere.
/// Phones bring their own [`SecretStore`].
#[derive(Clone, Debug)]
pub struct KeyringSecretStore {
    service: String,
}

impl KeyringSecretStore {
    /// Keeps secrets under a service name, best the application's reverse domain name: it is
    /// what the user sees in the keychain.
    #[must_use]
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
        }
    }

    fn entry(&self, name: &SecretName) -> Result<Entry, SecretError> {
        Entry::new(&self.service, name.as_str()).map_err(|error| cause(&error))
    }
}

impl SecretStore for KeyringSecretStore {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        self.entry(name)?
            .get_secret()
            .map(Zeroizing::new)
            .map_err(|error| cause(&error))
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        self.entry(name)?
            .set_secret(secret)
            .map_err(|error| cause(&error))
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(cause(&error)),
        }
    }
}

/// Sorts by what a caller can do. Text of the keychain is left out: some errors carry the secret.
fn cause(error: &Error) -> SecretError {
    let unavailable = |detail: &str| SecretError::Unavailable {
        detail: detail.to_owned(),
    };
    match error {
        Error::NoEntry => SecretError::Lost,
        Error::NoStorageAccess(_) => SecretError::Locked,
        Error::PlatformFailure(_) => unavailable("the platform's key store failed"),
        Error::NoDefaultStore => unavailable("there is no key store on this machine"),
        Error::Ambiguous(_) => unavailable("several secrets have this name"),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            unavailable("what the key store holds cannot be read")
        }
        _ => unavailable("the key store refused the request"),
    }
}
