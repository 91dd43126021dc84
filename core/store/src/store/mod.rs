//! The store: one database, one account.

mod create;
mod fence;
mod history;
mod lease;
mod open;
mod reader;
mod reads;
mod rebuild;
mod rekey;
mod settings;
mod suspend;
mod transfer;
mod watch;
mod writer;

use core::fmt;
use std::path::Path;
use std::sync::Arc;

use eft_types::{BareJid, Timestamp};

use crate::batch::{Batch, Durability};
use crate::committed::Committed;
use crate::error::StoreError;
use crate::lease::LeaseFile;
use crate::model::{Intake, IntakeId};
pub use rebuild::Rebuilt;
pub use rekey::RekeyError;
pub use watch::{TimelineChange, TimelineWatch};
pub use writer::{WriteMark, WriterReads};

use reader::Readers;
use settings::Settings;
use writer::Writer;

/// The database of one account. Share it behind an `Arc`: every method takes `&self` and may block
/// for the disk or for another process, so none belongs on a thread that must not wait.
///
/// One connection writes, a few others read what was last committed, also while a commit runs.
pub struct Store {
    settings: Arc<Settings>,
    own: BareJid,
    // Closed in this order: the last connection to close is the one that may write the log back.
    readers: Readers,
    writer: Writer,
    lease_file: LeaseFile,
}

impl Store {
    /// Writes a batch in one transaction. What the answer says has happened, and only now may any
    /// of it be spoken (law 1).
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is in the database. [`StoreError::LeaseLost`] and
    /// [`StoreError::NotHolder`] if it is not this store's turn to write (law 6).
    pub fn commit(&self, batch: &Batch, durability: Durability) -> Result<Committed, StoreError> {
        self.writer
            .commit(&self.own, &self.lease_file, batch, durability)
    }

    /// Makes every [`Deferred`](Durability::Deferred) commit so far durable, with one sync of the
    /// log. Does nothing if there is none.
    ///
    /// # Errors
    /// [`StoreError`]; then the deferred commits are as safe as they were.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.writer.sync(&self.lease_file)
    }

    /// Until the answer is dropped, what this thread reads comes by the connection that writes: for a thread that goes on
    /// to write what it computes from it, and finds the pages where its last commit left them. What is read is one
    /// state of the database, until somebody writes through this store. One thread at a time has this; for another, which asks meanwhile,
    /// nothing changes.
    pub fn read_with_writer(&self) -> WriterReads<'_> {
        self.writer.lend()
    }

    /// Two that are equal say that nobody wrote to the database in between: whoever remembers what it read, or wrote
    /// itself before it asked, remembers what is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write_mark(&self) -> Result<WriteMark, StoreError> {
        self.writer.mark()
    }

    /// Reads, by whichever connection is this thread's.
    fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.writer.is_lent_here() {
            true => self.writer.read(work),
            false => self.readers.read(work),
        }
    }

    /// Leaves something for the holder of the lease: any process may, also without it. Durable on
    /// return.
    ///
    /// # Errors
    /// [`StoreError::IntakeFull`], else [`StoreError`] by cause.
    pub fn append_intake(&self, intake: &Intake, now: Timestamp) -> Result<IntakeId, StoreError> {
        self.writer.append_intake(intake, now)
    }

    /// The account's own address, fixed when the database was created.
    #[must_use]
    pub const fn own_jid(&self) -> &BareJid {
        &self.own
    }

    /// Where the database stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.settings.path
    }

    /// Closes the database: the log is written back into it and emptied, so that old versions of
    /// deleted keys are gone from the disk. A lease is given back. Dropping the store closes it too, without an answer.
    ///
    /// # Errors
    /// [`StoreError`] if the log could not be written back. Nothing is lost: the next one to open
    /// the database does it.
    pub fn close(self) -> Result<(), StoreError> {
        self.close_everything()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.settings.path)
            .finish_non_exhaustive()
    }
}
