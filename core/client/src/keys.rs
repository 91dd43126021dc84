//! Where the key of an account's database is kept, and the generation beside it.

use std::sync::Arc;

use eft_store::{SecretName, SecretStore};

/// A secret store and the name of an account's secrets in it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) secrets: Arc<dyn SecretStore>,
    pub(crate) name: SecretName,
}
