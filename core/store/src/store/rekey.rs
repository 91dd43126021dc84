//! Changing the key of a database.

use std::path::Path;

use super::Store;
use super::open::{load_key, open_writer};
use super::settings::Settings;
use crate::cipher_provider::enter;
use crate::connection::{Role, change_key, connect};
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::options::StoreOptions;
use crate::secret::{SecretError, SecretName, SecretStore};

/// Why a key was not changed. Except where said, the old key is still the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// Another process, or another store of this one, has the database open.
    #[error("the database is open elsewhere")]
    InUse,
    /// The secret store did not take the new key. If it failed at the last step, the new key is the
    /// key, kept under another name, and [`Store::open_with_secret`] finds it.
    #[error("the new key could not be kept")]
    SecretStore(#[source] SecretError),
    /// It is not this store's turn to write, or it is suspended, or the disk failed.
    #[error("the database could not be written")]
    Store(#[from] StoreError),
    /// The database could not be opened again. The store is suspended.
    #[error("the database could not be opened again")]
    Open(#[source] OpenError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

impl Store {
    /// Gives the database a new key and salt: every page is written anew, so this takes time and up to
    /// twice the space. Whatever instant the process dies at, [`Store::open_with_secret`] opens the
    /// database: the new key waits beside the old one in `secrets` until the database has it.
    ///
    /// Other calls on this store answer [`StoreError::Suspended`] meanwhile. A lease is kept, if the change
    /// is shorter than the wait of others: its term is renewed all the time.
    ///
    /// # Errors
    /// [`RekeyError`], by cause.
    pub fn rekey(&self, secrets: &dyn SecretStore, name: &SecretName) -> Result<(), RekeyError> {
        let _inside = enter().map_err(StoreError::from)?;
        self.writer.check_fence(&self.lease_file)?;
        let Settings { path, options, .. } = &*self.settings;
        let old = self.settings.key();
        let new = StoreKey::generate().map_err(|_| RekeyError::NoRandomness)?;
        secrets
            .store(&name.of_next_key(), &new.to_secret())
            .map_err(RekeyError::SecretStore)?;
        self.readers.suspend();
        let changed = self
            .writer
            .pause()
            .map_err(RekeyError::Store)
            .and_then(|()| write_anew(path, &old, &new, options).map_err(refused));
        let key = match &changed {
            Ok(()) => new,
            Err(_) => old,
        };
        let opened = open_writer(path, &key, options).map_err(RekeyError::Open)?;
        let secret = key.to_secret();
        self.settings.set_key(key);
        self.writer.resume(opened.connection);
        self.readers.resume();
        changed?;
        secrets
            .store(name, &secret)
            .and_then(|()| secrets.delete(&name.of_next_key()))
            .map_err(RekeyError::SecretStore)
    }

    /// Opens a database whose key was being changed when the process died, and finishes the change.
    pub(super) fn open_rekeyed(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        let next = match load_key(secrets, &name.of_next_key()) {
            Ok(key) => key,
            Err(OpenError::KeyUnavailable(SecretError::Lost)) => return Err(OpenError::WrongKey),
            Err(error) => return Err(error),
        };
        let store = Self::open(path, &next, options)?;
        secrets
            .store(name, &next.to_secret())
            .and_then(|()| secrets.delete(&name.of_next_key()))
            .map_err(OpenError::KeyUnavailable)?;
        Ok(store)
    }
}

fn write_anew(
    path: &Path,
    old: &StoreKey,
    new: &StoreKey,
    options: &StoreOptions,
) -> Result<(), OpenError> {
    let connection = connect(path, old, options, Role::Writer)?;
    change_key(&connection, new)?;
    connection.close().map_err(|(_, error)| error.into())
}

fn refused(error: OpenError) -> RekeyError {
    match error {
        OpenError::Busy => RekeyError::InUse,
        OpenError::DiskFull => RekeyError::Store(StoreError::DiskFull),
        OpenError::Io { detail } => RekeyError::Store(StoreError::Io { detail }),
        other => RekeyError::Open(other),
    }
}
