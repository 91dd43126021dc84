//! The connection that writes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use eft_types::BareJid;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::batch::{Batch, Durability};
use crate::commit;
use crate::committed::Committed;
use crate::error::StoreError;

/// The one connection of this process that writes, used by one thread at a time.
pub(super) struct Writer(Mutex<State>);

struct State {
    connection: Connection,
    /// What `PRAGMA synchronous` stands at.
    synchronous: Option<Durability>,
    /// There are deferred commits that no sync has covered.
    unsynced: bool,
}

impl Writer {
    pub(super) const fn new(connection: Connection) -> Self {
        Self(Mutex::new(State {
            connection,
            synchronous: None,
            unsynced: false,
        }))
    }

    pub(super) fn commit(
        &self,
        own: &BareJid,
        batch: &Batch,
        durability: Durability,
    ) -> Result<Committed, StoreError> {
        self.lock().transaction(durability, |transaction| {
            commit::apply(transaction, own, batch)
        })
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        if !state.unsynced {
            return Ok(());
        }
        // With `synchronous=FULL` a commit syncs the log, and the deferred commits stand before it in
        // the same file. SQLite has no sync without a commit, so this writes one row as it is.
        state.transaction(Durability::Full, |transaction| {
            transaction.execute("UPDATE account SET generation = generation", [])?;
            Ok(())
        })
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The answer's first column says whether somebody else was in the way. That is no failure:
        // whoever closes last empties the log.
        state
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        state
            .connection
            .close()
            .map_err(|(_, error)| StoreError::from(error))
    }

    /// A panic while the lock was held rolled its transaction back, so the state is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Runs `work` in a transaction that is committed if it succeeds, else rolled back.
    fn transaction<T>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.set_synchronous(durability)?;
        // Immediate: waiting for another process's lock happens here, before anything is written.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        self.unsynced = match durability {
            Durability::Full => false,
            Durability::Deferred => true,
        };
        Ok(done)
    }

    fn set_synchronous(&mut self, durability: Durability) -> Result<(), StoreError> {
        if self.synchronous != Some(durability) {
            let level = match durability {
                Durability::Full => "FULL",
                Durability::Deferred => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.synchronous = Some(durability);
        }
        Ok(())
    }
}
