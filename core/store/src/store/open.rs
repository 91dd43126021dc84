//! Opening a database that exists.

use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::cipher_provider::enter;
use crate::connection::{PAGE_BYTES, Role, connect};
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::migrate;
use crate::options::StoreOptions;
use crate::read;
use crate::secret::{SecretError, SecretName, SecretStore};

use super::Store;
use super::reader::Readers;
use super::writer::Writer;

impl Store {
    /// Opens the database at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], by cause. The file is left as it is, whatever is wrong with it.
    pub fn open(path: &Path, key: &StoreKey, options: &StoreOptions) -> Result<Self, OpenError> {
        must_exist(path)?;
        let _inside = enter()?;
        let mut writer = connect(path, key, options, Role::Writer)?;
        migrate::checked_version(&writer)?;
        log_ahead(&writer)?;
        migrate::migrate(&mut writer)?;
        let own = read::own_jid(&writer).map_err(unreadable_account)?;
        Ok(Self {
            path: path.to_owned(),
            own,
            readers: Readers::new(path.to_owned(), key.duplicate(), options.clone()),
            writer: Writer::new(writer),
        })
    }

    /// Opens the database at `path` with the key that `secrets` keeps under `name`.
    ///
    /// # Errors
    /// [`OpenError::KeyUnavailable`] if the key cannot be had, for whatever reason; otherwise as
    /// [`Store::open`].
    pub fn open_with_secret(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        must_exist(path)?;
        Self::open(path, &load_key(secrets, name)?, options)
    }
}

pub(super) fn load_key(
    secrets: &dyn SecretStore,
    name: &SecretName,
) -> Result<StoreKey, OpenError> {
    let secret = secrets.load(name).map_err(OpenError::KeyUnavailable)?;
    StoreKey::from_secret(&secret)
        .map_err(|error| OpenError::KeyUnavailable(SecretError::Corrupt(error)))
}

/// Refuses what SQLite would take for a new database: nothing, and an empty file.
fn must_exist(path: &Path) -> Result<(), OpenError> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(OpenError::Io {
            detail: "not a file".into(),
        }),
        Ok(metadata) if metadata.len() < PAGE_BYTES as u64 => Err(OpenError::Corrupt {
            detail: "shorter than a page",
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(OpenError::NotFound {
            path: path.to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Sets the write-ahead log. It is the file's own mode since it was created; this makes sure of it,
/// because readers, durability and the kill-safety of a batch all rest on it.
fn log_ahead(writer: &Connection) -> Result<(), OpenError> {
    let mode: String =
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(OpenError::Io {
        detail: "the file system has no shared memory, which the write-ahead log needs".into(),
    })
}

fn unreadable_account(error: StoreError) -> OpenError {
    match error {
        StoreError::Busy => OpenError::Busy,
        StoreError::Io { detail } => OpenError::Io { detail },
        _ => OpenError::Corrupt {
            detail: "the account's row is missing or damaged",
        },
    }
}
