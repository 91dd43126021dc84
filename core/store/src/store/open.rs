//! Opening a database that exists.

use std::io;
use std::path::Path;
use std::sync::Arc;

use eft_types::BareJid;
use rusqlite::Connection;

use crate::cipher_provider::enter;
use crate::connection::{PAGE_BYTES, Role, connect};
use crate::error::{OpenError, StoreError};
use crate::files::{LEASE_SUFFIX, with_suffix};
use crate::key::StoreKey;
use crate::lease::LeaseFile;
use crate::migrate;
use crate::options::StoreOptions;
use crate::read;
use crate::secret::{SecretError, SecretName, SecretStore};

use super::Store;
use super::reader::Readers;
use super::rebuild::finish_rebuild;
use super::settings::Settings;
use super::writer::Writer;

impl Store {
    /// Opens the database at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], by cause. The file is left as it is, whatever is wrong with it.
    pub fn open(path: &Path, key: &StoreKey, options: &StoreOptions) -> Result<Self, OpenError> {
        let _inside = enter()?;
        let opened = open_writer(path, key, options)?;
        let settings = Settings::new(path.to_owned(), key.duplicate(), options.clone());
        let settings = Arc::new(settings);
        Ok(Self {
            own: opened.own,
            readers: Readers::new(Arc::clone(&settings)),
            writer: Writer::new(Arc::clone(&settings), opened.connection, opened.generation),
            settings,
            lease_file: LeaseFile::new(with_suffix(path, LEASE_SUFFIX)),
        })
    }

    /// Opens the database at `path` with the key that `secrets` keeps under `name`.
    ///
    /// # Errors
    /// [`OpenError::KeyUnavailable`] if the key cannot be had, for whatever reason; otherwise as
    /// [`Store::open`]. A change of the key that was interrupted is finished.
    pub fn open_with_secret(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
        options: &StoreOptions,
    ) -> Result<Self, OpenError> {
        must_exist(path)?;
        match Self::open(path, &load_key(secrets, name)?, options) {
            Err(OpenError::WrongKey) => Self::open_rekeyed(path, secrets, name, options),
            other => other,
        }
    }
}

/// A database that was opened for writing, and what it says of itself.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) own: BareJid,
    pub(super) generation: u64,
}

/// Opens a database and brings its schema up to date; to be called by one who is inside.
pub(super) fn open_writer(
    path: &Path,
    key: &StoreKey,
    options: &StoreOptions,
) -> Result<Opened, OpenError> {
    must_exist(path)?;
    let mut connection = connect(path, key, options, Role::Writer)?;
    migrate::checked_version(&connection)?;
    log_ahead(&connection)?;
    migrate::migrate(&mut connection)?;
    Ok(Opened {
        own: read::own_jid(&connection).map_err(unreadable_account)?,
        generation: read::newest_generation(&connection).map_err(unreadable_account)?,
        connection,
    })
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
    finish_rebuild(path)?;
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
