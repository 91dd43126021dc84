//! Creating and destroying a database.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use eft_types::BareJid;
use rusqlite::{Connection, params};

use super::Store;
use super::open::load_key;
use super::rebuild::is_rebuilt;
use crate::cipher_provider::enter;
use crate::connection::{Role, connect};
use crate::error::OpenError;
use crate::files::{LEASE_SUFFIX, sync_folder, with_suffix};
use crate::key::StoreKey;
use crate::migrate;
use crate::options::StoreOptions;
use crate::secret::{SecretError, SecretName, SecretStore, generation};

impl Store {
    /// Creates the database of an account at `path` and opens it.
    ///
    /// It is made under another name and then renamed: at `path` there is nothing or all of it,
    /// also after a crash. One process at a time may create.
    ///
    /// # Errors
    /// [`OpenError::AlreadyExists`] if there is anything at `path`; otherwise [`OpenError`], by cause.
    pub fn create(
        path: &Path,
        key: &StoreKey,
        own: &BareJid,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        Self::create_at(path, key, own, options, 0)
    }

    /// As [`Store::create`], beginning with a generation.
    fn create_at(
        path: &Path,
        key: &StoreKey,
        own: &BareJid,
        options: &StoreOptions,
        generation: u64,
    ) -> Result<Self, OpenError> {
        must_not_exist(path)?;
        let _inside = enter()?;
        let unfinished = with_suffix(path, ".new");
        // Of a creation that was interrupted. Nothing was ever committed to it by a caller.
        remove_database(&unfinished)?;
        create_private_file(&unfinished)?;
        build(&unfinished, key, own, options, generation, |_| Ok(()))?;
        fs::rename(&unfinished, path)?;
        if let Some(folder) = path.parent() {
            sync_folder(folder)?;
        }
        Self::open(path, key, options)
    }

    /// Creates the database with a new key, which is first given to `secrets` under `name`. If a
    /// key is there already (a creation that was interrupted, or an app that was removed and came
    /// back), it is used; and the generation that is there is the new database's first, so that
    /// copies of an earlier database stay older than it.
    ///
    /// # Errors
    /// [`OpenError::KeyUnavailable`] if the key cannot be kept, or if what is kept under `name` is
    /// unreadable: it may be the key of another database and is not replaced. Otherwise as
    /// [`Store::create`].
    pub fn create_with_secret(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
        own: &BareJid,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        must_not_exist(path)?;
        let key = match load_key(secrets, name) {
            Err(OpenError::KeyUnavailable(SecretError::Lost)) => {
                let key = StoreKey::generate().map_err(|error| OpenError::Io {
                    detail: error.to_string(),
                })?;
                secrets
                    .store(name, &key.to_secret())
                    .map_err(OpenError::KeyUnavailable)?;
                key
            }
            other => other?,
        };
        let first = generation::load(secrets, name).map_err(OpenError::KeyUnavailable)?;
        Self::create_at(path, &key, own, options, first.unwrap_or(0))
    }

    /// Deletes an account's key and then its database. Once the key is gone nobody can read the
    /// file, or a copy of it, any more. To be called with the store closed.
    ///
    /// # Errors
    /// [`OpenError::KeyUnavailable`] if the key could not be deleted: then the file is still there.
    /// [`OpenError::Io`] if the file could not be deleted after that. What does not exist is no error.
    pub fn destroy(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
    ) -> Result<(), OpenError> {
        for secret in [name, &name.of_next_key(), &name.of_generation()] {
            secrets.delete(secret).map_err(OpenError::KeyUnavailable)?;
        }
        remove_database(path)?;
        remove_database(&with_suffix(path, ".new"))?;
        Ok(())
    }
}

/// Fills an empty file, and lets `fill` add to it. The log is switched on last: until then everything is in the one file that
/// gets renamed.
pub(super) fn build<T>(
    path: &Path,
    key: &StoreKey,
    own: &BareJid,
    options: &StoreOptions,
    generation: u64,
    fill: impl FnOnce(&Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let mut connection = connect(path, key, options, Role::Writer)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    migrate::migrate(&mut connection)?;
    connection.execute(
        "INSERT INTO account (id, jid, generation, pending_generation) VALUES (1, ?1, ?2, ?2)",
        params![own.as_str(), generation.cast_signed()],
    )?;
    let transaction = connection.transaction()?;
    let filled = fill(&transaction)?;
    transaction.commit()?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(filled)
}

fn must_not_exist(path: &Path) -> Result<(), OpenError> {
    if is_rebuilt(path) {
        return Err(OpenError::AlreadyExists {
            path: path.to_owned(),
        });
    }
    match path.symlink_metadata() {
        Ok(_) => Err(OpenError::AlreadyExists {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// SQLite gives its log and its shared memory the mode of the database.
pub(super) fn create_private_file(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Removes a database with the files that SQLite keeps beside it.
pub(super) fn remove_database(path: &Path) -> Result<(), OpenError> {
    for suffix in ["", "-wal", "-shm", "-journal", LEASE_SUFFIX] {
        match fs::remove_file(with_suffix(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
