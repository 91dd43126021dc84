//! Where the database keys are kept.

use eft::{FileSecretStore, KeyringSecretStore, SecretStore};

use crate::Failure;
use crate::args::SecretsAt;

/// Opens the chosen secret store.
pub(crate) fn open(at: &SecretsAt) -> Result<Box<dyn SecretStore>, Failure> {
    match at {
        SecretsAt::Keyring => Ok(Box::new(KeyringSecretStore::new("eft"))),
        SecretsAt::File(path) => Ok(Box::new(FileSecretStore::new(path)?)),
    }
}
