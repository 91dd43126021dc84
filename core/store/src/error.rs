//! What can go wrong, by cause. No variant carries key material or message content.

use std::path::PathBuf;

use eft_types::MessageId;

use crate::model::OutboxId;
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
    /// The archive gave this id to another message.
    #[error("the archive's id of message {} belongs to another message", .0.as_row())]
    ArchiveIdTaken(MessageId),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A fault of this crate.
    #[error("bug in the store: {detail}")]
    Bug {
        /// What SQLite said.
        detail: String,
    },
}
