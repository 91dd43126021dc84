//! Reads by the connection that writes, for the one thread that goes on to write.
//!
//! Whoever computes what to write next from what is there would otherwise read every page twice, once for each of two
//! connections, and decrypt it twice; and what another connection remembers of the pages is worth nothing after each commit.
//! The transaction of such reads stays open from one to the next, and ends with the next write or with [`WriterReads`].

use std::marker::PhantomData;
use std::sync::{MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use rusqlite::Connection;

use super::Writer;
use crate::cipher_provider::enter;
use crate::error::StoreError;

/// While it lives, this thread reads by the connection that writes, see
/// [`Store::read_with_writer`](crate::Store::read_with_writer).
#[must_use = "it has an effect only while it lives"]
pub struct WriterReads<'s> {
    /// `None`: another one was there first.
    writer: Option<&'s Writer>,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

/// See [`Writer::foreign_version`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct ForeignVersion {
    opening: u64,
    count: i64,
}

/// Another one after anybody wrote, be it this store or another, see [`Store::write_mark`](crate::Store::write_mark).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteMark {
    uses: u64,
    pub(super) foreign: ForeignVersion,
}

impl Writer {
    pub(in crate::store) fn lend(&self) -> WriterReads<'_> {
        let mut reads_of = self.reads_of();
        let is_free = reads_of.is_none();
        if is_free {
            *reads_of = Some(thread::current().id());
        }
        WriterReads {
            writer: is_free.then_some(self),
            _thread: PhantomData,
        }
    }

    pub(in crate::store) fn is_lent_here(&self) -> bool {
        *self.reads_of() == Some(thread::current().id())
    }

    pub(in crate::store) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _inside = enter()?;
        let mut place = self.lock();
        place.renew_connection(&self.settings)?;
        let state = place.state.as_mut().ok_or(StoreError::Suspended)?;
        state.read(work)
    }

    pub(in crate::store) fn mark(&self) -> Result<WriteMark, StoreError> {
        let _inside = enter()?;
        let mut place = self.lock();
        place.renew_connection(&self.settings)?;
        let uses = place.uses;
        let state = place.state.as_mut().ok_or(StoreError::Suspended)?;
        // An older state would not know.
        state.end_reading()?;
        // SQLite's own count of the commits that this connection did not make.
        let count = state
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        let opening = state.opening;
        Ok(WriteMark {
            uses,
            foreign: ForeignVersion { opening, count },
        })
    }

    fn end_reading(&self) -> Result<(), StoreError> {
        let _inside = enter()?;
        match self.lock().state.as_mut() {
            Some(state) => state.end_reading(),
            None => Ok(()),
        }
    }

    fn reads_of(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.reads_of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WriterReads<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer {
            *writer.reads_of() = None;
            // If that fails, the next to come tries again, or gets another connection.
            let _ = writer.end_reading();
        }
    }
}
