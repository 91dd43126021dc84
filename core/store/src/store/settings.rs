//! What opens another connection.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::connection::{Role, connect};
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::lease::LeaseError;
use crate::options::StoreOptions;

/// Shared by the connection that writes and those that read.
pub(super) struct Settings {
    pub(super) path: PathBuf,
    pub(super) options: StoreOptions,
    key: Mutex<StoreKey>,
}

impl Settings {
    pub(super) const fn new(path: PathBuf, key: StoreKey, options: StoreOptions) -> Self {
        Self {
            path,
            options,
            key: Mutex::new(key),
        }
    }

    pub(super) fn key(&self) -> StoreKey {
        self.key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .duplicate()
    }

    /// The database has another key now. To be called while nobody has it open.
    pub(super) fn set_key(&self, key: StoreKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Another connection to a database that was open a moment ago.
    pub(super) fn connect(&self, role: Role) -> Result<Connection, StoreError> {
        connect(&self.path, &self.key(), &self.options, role).map_err(reopening)
    }
}

/// So what opening says is about the file.
fn reopening(error: OpenError) -> StoreError {
    match error {
        OpenError::Busy => StoreError::Busy,
        OpenError::DiskFull => StoreError::DiskFull,
        OpenError::Io { detail } => StoreError::Io { detail },
        OpenError::Corrupt { detail } => StoreError::Damaged {
            detail: detail.into(),
        },
        other => StoreError::Bug {
            detail: other.to_string(),
        },
    }
}

/// Whether a connection can be used further after an error.
///
/// SQLCipher puts a connection out of service for good when one page could not be read or written, and answers
/// zeros from then on, which look like damage. So after a failure that may be the disk's, the next
/// work gets another connection: a moment's trouble is no damage, and damage is found again.
pub(super) trait Verdict {
    fn spoils_the_connection(&self) -> bool;
}

impl Verdict for StoreError {
    fn spoils_the_connection(&self) -> bool {
        matches!(
            self,
            Self::Io { .. } | Self::DiskFull | Self::Damaged { .. } | Self::Bug { .. }
        )
    }
}

impl Verdict for LeaseError {
    fn spoils_the_connection(&self) -> bool {
        matches!(self, Self::Store(error) if error.spoils_the_connection())
    }
}
