//! Secrets in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{SecretError, SecretName, SecretStore};

/// Keeps secrets in memory, for tests: they are gone with the value, and every database with them.
#[derive(Default)]
pub struct MemorySecretStore {
    secrets: Mutex<BTreeMap<SecretName, Zeroizing<Vec<u8>>>>,
}

impl MemorySecretStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl SecretStore for MemorySecretStore {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.get(name).cloned().ok_or(SecretError::Lost)
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.clone(), Zeroizing::new(secret.to_vec()));
        Ok(())
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.remove(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::behaves_like_a_secret_store;

    #[test]
    fn memory_behaves_like_a_secret_store() {
        behaves_like_a_secret_store(&MemorySecretStore::new());
    }
}
