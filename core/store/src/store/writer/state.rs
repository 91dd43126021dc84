//! The connection that writes, and its transactions.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::batch::Durability;
use crate::cipher_provider::{Held, Inside};
use crate::error::StoreError;
use crate::store::settings::Verdict;

/// How long a suspension waits for the readers of other processes before it leaves the log as it is.
const LAST_WAIT: Duration = Duration::from_millis(50);

/// An open connection that writes.
pub(in crate::store) struct State {
    pub(super) connection: Held,
    /// What `PRAGMA synchronous` stands at.
    pub(super) synchronous: Option<Durability>,
    /// There may be deferred commits that no sync has covered: ours, or at first those of the process
    /// that had the database before.
    pub(super) unsynced: bool,
    /// Which connection it is: another one counts from another start.
    pub(super) opening: u64,
    /// It is of no more use, see [`Verdict`].
    pub(super) spoilt: bool,
    /// A transaction that only reads is open, see [`State::read`].
    is_reading: bool,
}

impl State {
    pub(super) const fn new(connection: Connection, opening: u64) -> Self {
        Self {
            connection: Held::new(connection),
            synchronous: None,
            unsynced: true,
            opening,
            spoilt: false,
            is_reading: false,
        }
    }

    /// Reads what was last committed. What is read next, until [`State::end_reading`], is of the same state.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = self.begin_reading().and_then(|()| work(&self.connection));
        self.spoilt = found.as_ref().is_err_and(Verdict::spoils_the_connection);
        found
    }

    fn begin_reading(&mut self) -> Result<(), StoreError> {
        if !self.is_reading {
            self.connection.prepare_cached("BEGIN")?.execute([])?;
            self.is_reading = true;
        }
        Ok(())
    }

    /// Lets go of the state that was read.
    pub(super) fn end_reading(&mut self) -> Result<(), StoreError> {
        if !core::mem::take(&mut self.is_reading) {
            return Ok(());
        }
        let ended = self
            .connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        // Nobody could write by a connection that goes on reading.
        self.spoilt |= ended.is_err();
        Ok(ended.map(drop)?)
    }

    pub(super) fn close(mut self, inside: &Inside) -> Result<(), StoreError> {
        // The log cannot be emptied while somebody reads it. If this fails, neither can that.
        let _ = self.end_reading();
        // The answer's first column says whether somebody else was in the way. That is no failure:
        // whoever closes last empties the log.
        let emptied = self.connection.busy_timeout(LAST_WAIT).and_then(|()| {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        });
        let closed = self.connection.close(inside);
        emptied.and(closed).map_err(StoreError::from)
    }

    /// Runs `work` in a transaction that is committed if it succeeds, else rolled back.
    pub(in crate::store) fn transaction<
        T,
        E: From<rusqlite::Error> + From<StoreError> + Verdict,
    >(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let done = self.attempt(durability, work);
        self.spoilt = done.as_ref().is_err_and(Verdict::spoils_the_connection);
        done
    }

    fn attempt<T, E: From<rusqlite::Error> + From<StoreError>>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.set_synchronous(durability)?;
        // Immediate: waiting for another process's lock happens here, before anything is written.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        if durability == Durability::Full && self.unsynced {
            // With `synchronous=FULL` a commit syncs the log, and the deferred commits stand before it in
            // the same file. But a commit that changes nothing (a mark that is set already, or a row
            // written as it was) syncs nothing either, so this one changes something.
            transaction.execute("UPDATE account SET sync_count = sync_count + 1", [])?;
        }
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
