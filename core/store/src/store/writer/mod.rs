//! The one writer of this process: who is asked before it writes, and for how long it is open.

mod reading;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use eft_types::{BareJid, Timestamp};
use rusqlite::{Connection, Transaction};

use super::fence::Fence;
use super::settings::Settings;
use crate::batch::{Batch, Durability};
use crate::cipher_provider::enter;
use crate::commit;
use crate::committed::Committed;
use crate::connection::Role;
use crate::error::StoreError;
use crate::lease::LeaseFile;
use crate::model::{Intake, IntakeId};
pub(super) use reading::ForeignVersion;
pub use reading::{WriteMark, WriterReads};
use state::State;

/// The one connection of this process that writes, used by one thread at a time.
pub(super) struct Writer {
    settings: Arc<Settings>,
    place: Mutex<Place>,
    /// The thread whose reads take place here, see [`reading`].
    reads_of: Mutex<Option<ThreadId>>,
}

struct Place {
    /// `None` while the store is suspended.
    state: Option<State>,
    /// How often the connection was opened.
    openings: u64,
    /// How often it was lent to somebody who may write.
    uses: u64,
    fence: Fence,
}

impl Writer {
    pub(super) const fn new(
        settings: Arc<Settings>,
        connection: Connection,
        generation: u64,
    ) -> Self {
        Self {
            settings,
            place: Mutex::new(Place {
                state: Some(State::new(connection, 0)),
                openings: 0,
                uses: 0,
                fence: Fence::Open(generation),
            }),
            reads_of: Mutex::new(None),
        }
    }

    pub(super) fn commit(
        &self,
        own: &BareJid,
        lease_file: &LeaseFile,
        batch: &Batch,
        durability: Durability,
    ) -> Result<Committed, StoreError> {
        self.write(lease_file, durability, |transaction| {
            commit::apply(transaction, own, batch)
        })
    }

    pub(super) fn sync(&self, lease_file: &LeaseFile) -> Result<(), StoreError> {
        let _inside = enter()?;
        self.with(|state, fence| {
            if state.unsynced {
                state.transaction(Durability::Full, |transaction| {
                    fence.check(transaction, lease_file)
                })?;
            }
            Ok(())
        })
    }

    /// Written by any process, so no fence is asked.
    pub(super) fn append_intake(
        &self,
        intake: &Intake,
        queued: Timestamp,
    ) -> Result<IntakeId, StoreError> {
        let _inside = enter()?;
        self.with(|state, _| {
            state.transaction(Durability::Full, |transaction| {
                commit::append_intake(transaction, intake, queued)
            })
        })
    }

    /// A write of the holder of the lease, as in [`Writer::commit`].
    pub(super) fn write<T>(
        &self,
        lease_file: &LeaseFile,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _inside = enter()?;
        self.with(|state, fence| {
            state.transaction(durability, |transaction| {
                fence.check(transaction, lease_file)?;
                work(transaction)
            })
        })
    }

    /// A number that is another one after somebody else wrote: another process, or another store of this one.
    pub(super) fn foreign_version(&self) -> Result<ForeignVersion, StoreError> {
        Ok(self.mark()?.foreign)
    }

    /// Works with the connection, alone.
    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut State, &mut Fence) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut place = self.lock();
        place.uses += 1;
        place.renew_connection(&self.settings)?;
        let Place { state, fence, .. } = &mut *place;
        let state = state.as_mut().ok_or(StoreError::Suspended)?;
        state.end_reading()?;
        work(state, fence)
    }

    /// Gives the lease back, empties the log and closes the connection. It is closed also if that fails.
    pub(super) fn suspend(&self) -> Result<(), StoreError> {
        let inside = enter()?;
        let mut place = self.lock();
        if let Fence::Lease(holding) = &place.fence {
            holding.release();
        }
        // If that fails, the old one still closes.
        let _ = place.renew_connection(&self.settings);
        match place.state.take() {
            Some(state) => state.close(&inside),
            None => Ok(()),
        }
    }

    /// Closes the connection, until [`Writer::resume`], and keeps the lease.
    pub(super) fn pause(&self) -> Result<(), StoreError> {
        let inside = enter()?;
        match self.lock().state.take() {
            Some(state) => state.close(&inside),
            None => Err(StoreError::Suspended),
        }
    }

    /// An error if it is not this store's turn to write.
    pub(super) fn check_fence(&self, lease_file: &LeaseFile) -> Result<(), StoreError> {
        self.write(lease_file, Durability::Full, |_| Ok(()))
    }

    /// Writes through another connection. What was remembered under a lease stays lost.
    pub(super) fn resume(&self, connection: Connection) {
        self.lock().open(connection);
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.lock().state.is_none()
    }

    /// A panic while the lock was held rolled its transaction back, so the state is sound.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Another connection in the place of one that SQLCipher put out of service.
    fn renew_connection(&mut self, settings: &Settings) -> Result<(), StoreError> {
        if self.state.as_ref().is_some_and(|state| state.spoilt) {
            // The old one closes after this: it is not the last, and leaves the log alone.
            self.open(settings.connect(Role::Writer)?);
        }
        Ok(())
    }

    fn open(&mut self, connection: Connection) {
        self.openings += 1;
        self.state = Some(State::new(connection, self.openings));
    }
}
