//! What can go wrong, by cause. No variant carries key material or message content.

use std::path::PathBuf;

use eft_types::MessageId;
use rusqlite::ErrorCode;
use rusqlite::types::{FromSqlError, Type};

use crate::cipher_provider::Exiting;
use crate::model::{IntakeId, OutboxId};
use crate::secret::SecretError;

/// Why a database could not be opened or created. Nothing is ever wiped or overwritten because of
/// one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no database at this path.
    #[error("no database at {}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a database at this path already, so none is created.
    #[error("a database exists at {}", path.display())]
    AlreadyExists {
        /// Where it stands.
        path: PathBuf,
    },
    /// The file is a whole database of ours, under another key or salt.
    #[error("the key does not belong to this database")]
    WrongKey,
    /// The file is damaged, or was never a database of ours. If the damage covers every page, it
    /// cannot be told from [`OpenError::WrongKey`], which is then what is reported.
    #[error("the database is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: &'static str,
    },
    /// A newer version of this software wrote the database.
    #[error("the database has schema {found}, this version knows up to {known}")]
    NewerSchema {
        /// Version of the file.
        found: u32,
        /// Newest version known here.
        known: u32,
    },
    /// Another connection holds the lock, for longer than
    /// [`StoreOptions::busy_timeout`](crate::StoreOptions::busy_timeout).
    #[error("the database is locked by another process")]
    Busy,
    /// The key could not be had. The database may be fine.
    #[error("the key is not available")]
    KeyUnavailable(#[source] SecretError),
    /// The operating system refused to read or write the file.
    #[error("the file could not be read or written: {detail}")]
    Io {
        /// What SQLite or the operating system said.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// This program was linked with an SQLite that does not encrypt with our provider.
    #[error("this build has no encryption: SQLCipher with the Eft provider is not linked in")]
    NotEncrypted,
    /// A fault of this crate.
    #[error("bug in the store: {detail}")]
    Bug {
        /// What SQLite said.
        detail: String,
    },
}

/// Why reading or committing failed. After a failed commit nothing of the batch is in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another connection holds the write lock, for longer than
    /// [`StoreOptions::busy_timeout`](crate::StoreOptions::busy_timeout). Try again.
    #[error("the database is locked by another process")]
    Busy,
    /// The disk is full. Try again when there is room.
    #[error("the disk is full")]
    DiskFull,
    /// The operating system refused to read or write.
    #[error("the file could not be read or written: {detail}")]
    Io {
        /// What SQLite said.
        detail: String,
    },
    /// A page, a row or a record cannot be what was written.
    #[error("the database is damaged: {detail}")]
    Damaged {
        /// What was found: a table and column, a kind of record. Never content.
        detail: String,
    },
    /// The batch names a message that does not exist.
    #[error("no message {}", .0.as_row())]
    NoSuchMessage(MessageId),
    /// The batch names an outbox entry that does not exist.
    #[error("no outbox entry {0}")]
    NoSuchOutboxEntry(OutboxId),
    /// The batch would give a fixed outbox entry other bytes.
    #[error("outbox entry {0} has its bytes already")]
    OutboxEntryFixed(OutboxId),
    /// The batch refers to a message of another batch.
    #[error("the batch refers to a message that is not in it")]
    ForeignReference,
    /// Another process holds the lease, and this store never had it. Ratchets and stream are the holder's
    /// to write; leave it what is to be done by
    /// [`Store::append_intake`](crate::Store::append_intake).
    #[error("another process holds the lease")]
    NotHolder,
    /// The lease was lost, or given back, or taken by somebody since this store was opened. What the
    /// caller remembers of ratchets and stream may be old: forget it, and take the lease again.
    #[error("the lease was lost")]
    LeaseLost,
    /// The intake holds as much as it may, see
    /// [`MAX_INTAKE_ROWS`](crate::limits::MAX_INTAKE_ROWS).
    #[error("the intake is full")]
    IntakeFull,
    /// The batch takes an intake entry that is not there: another one took it.
    #[error("no intake entry {0}")]
    NoSuchIntakeEntry(IntakeId),
    /// [`Store::suspend`](crate::Store::suspend) was called: nothing works until
    /// [`Store::resume`](crate::Store::resume).
    #[error("the store is suspended")]
    Suspended,
    /// The store was closed, or the process is exiting.
    #[error("the store is closed")]
    Closed,
    /// A fault of this crate.
    #[error("bug in the store: {detail}")]
    Bug {
        /// What SQLite said.
        detail: String,
    },
}

impl From<Exiting> for OpenError {
    fn from(_: Exiting) -> Self {
        Self::Io {
            detail: "the process is exiting".into(),
        }
    }
}

impl From<Exiting> for StoreError {
    fn from(_: Exiting) -> Self {
        Self::Closed
    }
}

/// What a failure of SQLite means to a caller.
enum Failure {
    Busy,
    /// Only a suspension interrupts.
    Interrupted,
    DiskFull,
    Io(String),
    Damaged(String),
    Bug(String),
}

/// Sorts a failure. Only SQLite's own texts are kept, which name tables and columns but no values.
fn sort(error: &rusqlite::Error) -> Failure {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return match error {
            rusqlite::Error::FromSqlConversionFailure(column, found, _)
            | rusqlite::Error::InvalidColumnType(column, _, found) => {
                Failure::Damaged(format!("column {column} holds {}", type_name(*found)))
            }
            rusqlite::Error::IntegralValueOutOfRange(column, _) => {
                Failure::Damaged(format!("column {column} is out of range"))
            }
            rusqlite::Error::Utf8Error(..) => Failure::Damaged("text is not UTF-8".into()),
            other => Failure::Bug(other.to_string()),
        };
    };
    let text = || format!("{code}");
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Failure::Busy,
        ErrorCode::DiskFull => Failure::DiskFull,
        ErrorCode::OperationInterrupted => Failure::Interrupted,
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OutOfMemory => Failure::Io(text()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Failure::Damaged(text()),
        _ => Failure::Bug(match message {
            Some(message) => format!("{code}: {message}"),
            None => text(),
        }),
    }
}

const fn type_name(found: Type) -> &'static str {
    match found {
        Type::Null => "nothing",
        Type::Integer => "a number",
        Type::Real => "a fraction",
        Type::Text => "text",
        Type::Blob => "bytes",
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match sort(&error) {
            Failure::Busy => Self::Busy,
            Failure::Interrupted => Self::Suspended,
            Failure::DiskFull => Self::DiskFull,
            Failure::Io(detail) => Self::Io { detail },
            Failure::Damaged(detail) => Self::Damaged { detail },
            Failure::Bug(detail) => Self::Bug { detail },
        }
    }
}

impl From<FromSqlError> for StoreError {
    fn from(error: FromSqlError) -> Self {
        Self::Damaged {
            detail: error.to_string(),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match sort(&error) {
            Failure::Busy | Failure::Interrupted => Self::Busy,
            Failure::DiskFull => Self::DiskFull,
            Failure::Io(detail) => Self::Io { detail },
            Failure::Damaged(_) => Self::Corrupt {
                detail: "SQLite cannot read it",
            },
            Failure::Bug(detail) => Self::Bug { detail },
        }
    }
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io {
                detail: kind.to_string(),
            },
        }
    }
}
