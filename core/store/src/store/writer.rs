//! The connection that writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eft_types::{BareJid, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fence::Fence;
use super::settings::{Settings, Verdict};
use crate::batch::{Batch, Durability};
use crate::cipher_provider::{Held, Inside, enter};
use crate::commit;
use crate::committed::Committed;
use crate::connection::Role;
use crate::error::StoreError;
use crate::lease::LeaseFile;
use crate::model::{Intake, IntakeId};

/// How long a suspension waits for the readers of other processes before it leaves the log as it is.
const LAST_WAIT: Duration = Duration::from_millis(50);

/// The one connection of this process that writes, used by one thread at a time.
pub(super) struct Writer {
    settings: Arc<Settings>,
    place: Mutex<Place>,
}

/// See [`Writer::foreign_version`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignVersion {
    opening: u64,
    count: i64,
}

struct Place {
    /// `None` while the store is suspended.
    state: Option<State>,
    /// How often the connection was opened.
    openings: u64,
    fence: Fence,
}

pub(super) struct State {
    connection: Held,
    /// What `PRAGMA synchronous` stands at.
    synchronous: Option<Durability>,
    /// There may be deferred commits that no sync has covered: ours, or at first those of the process
    /// that had the database before.
    unsynced: bool,
    /// Which connection it is: another one counts from another start.
    opening: u64,
    /// It is of no more use, see [`Verdict`].
    spoilt: bool,
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
                fence: Fence::Open(generation),
            }),
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
        let _inside = enter()?;
        self.with(|state, _| {
            // SQLite's own count of the commits that this connection did not make.
            let count = state
                .connection
                .pragma_query_value(None, "data_version", |row| row.get(0))?;
            Ok(ForeignVersion {
                opening: state.opening,
                count,
            })
        })
    }

    /// Works with the connection, alone.
    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut State, &mut Fence) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut place = self.lock();
        place.renew_connection(&self.settings)?;
        let Place { state, fence, .. } = &mut *place;
        let state = state.as_mut().ok_or(StoreError::Suspended)?;
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

impl State {
    const fn new(connection: Connection, opening: u64) -> Self {
        Self {
            connection: Held::new(connection),
            synchronous: None,
            unsynced: true,
            opening,
            spoilt: false,
        }
    }

    fn close(self, inside: &Inside) -> Result<(), StoreError> {
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
    pub(super) fn transaction<T, E: From<rusqlite::Error> + From<StoreError> + Verdict>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationEncryption, ConversationRef};
    use crate::{Store, StoreKey, StoreOptions};

    fn own() -> BareJid {
        BareJid::new("romeo@montague.example").unwrap()
    }

    fn writer(folder: &std::path::Path) -> Writer {
        let path = folder.join("romeo.db");
        let key = StoreKey::from_parts([1; 32], [2; 16]);
        let options = StoreOptions::app();
        Store::create(&path, &key, &own(), &options).unwrap();
        let settings = Arc::new(Settings::new(path, key, options));
        let connection = settings.connect(Role::Writer).unwrap();
        Writer::new(settings, connection, 0)
    }

    /// Of a lease that nobody takes.
    fn no_lease() -> LeaseFile {
        LeaseFile::new("nowhere/lease".into())
    }

    /// A batch that changes something.
    fn batch(number: i64) -> Batch {
        let mut batch = Batch::new();
        batch.set_encryption(
            ConversationRef::direct(BareJid::new(&format!("peer{number}@x.example")).unwrap()),
            ConversationEncryption::Required,
            eft_types::Timestamp::from_millis(1),
        );
        batch
    }

    /// What SQLite itself says: 1 is NORMAL, 2 is FULL.
    fn synchronous(writer: &Writer) -> u32 {
        let place = writer.lock();
        let state = place.state.as_ref().unwrap();
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        state
            .connection
            .pragma_query_value(None, "synchronous", read)
            .unwrap()
    }

    /// Pages in the log that commits wrote.
    fn log_pages(folder: &std::path::Path) -> u64 {
        // https://sqlite.org/fileformat2.html#the_write_ahead_log
        let length = folder.join("romeo.db-wal").metadata().unwrap().len();
        length.saturating_sub(32) / (24 + 4096)
    }

    #[test]
    fn each_commit_is_as_durable_as_asked_whatever_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        for (number, (durability, level)) in (0..).zip([
            (Durability::Full, 2),
            (Durability::Deferred, 1),
            (Durability::Deferred, 1),
            (Durability::Full, 2),
            (Durability::Deferred, 1),
        ]) {
            writer
                .commit(&own(), &no_lease(), &batch(number), durability)
                .unwrap();
            assert_eq!(synchronous(&writer), level);
        }
    }

    #[test]
    fn a_sync_writes_to_the_log_if_and_only_if_something_may_be_unsynced() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let pages_of = |work: &dyn Fn()| {
            let before = log_pages(folder.path());
            work();
            log_pages(folder.path()) - before
        };
        let sync = || writer.sync(&no_lease()).unwrap();
        assert_eq!(pages_of(&sync), 1, "what another process left");
        assert_eq!(pages_of(&sync), 0, "once is enough");
        writer
            .commit(&own(), &no_lease(), &batch(1), Durability::Full)
            .unwrap();
        assert_eq!(pages_of(&sync), 0, "it is durable");
        writer
            .commit(&own(), &no_lease(), &batch(2), Durability::Deferred)
            .unwrap();
        assert_eq!(pages_of(&sync), 1);
        assert_eq!(synchronous(&writer), 2);
        assert_eq!(pages_of(&sync), 0);
    }

    #[test]
    fn a_full_commit_that_changes_nothing_still_syncs_the_deferred_ones_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        writer.sync(&no_lease()).unwrap();
        writer
            .commit(&own(), &no_lease(), &batch(1), Durability::Deferred)
            .unwrap();
        let before = log_pages(folder.path());
        writer
            .commit(&own(), &no_lease(), &batch(1), Durability::Full)
            .unwrap();
        assert_eq!(log_pages(folder.path()) - before, 1);
        writer
            .commit(&own(), &no_lease(), &Batch::new(), Durability::Full)
            .unwrap();
        assert_eq!(
            log_pages(folder.path()) - before,
            1,
            "nothing was left to sync"
        );
    }

    #[test]
    fn a_failed_commit_is_not_taken_for_a_durable_one() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        writer
            .commit(&own(), &no_lease(), &batch(1), Durability::Deferred)
            .unwrap();
        let mut failing = batch(2);
        failing.mark_read(own(), eft_types::MessageId::from_row(9));
        assert!(
            writer
                .commit(&own(), &no_lease(), &failing, Durability::Full)
                .is_err()
        );
        assert!(writer.lock().state.as_ref().unwrap().unsynced);
        writer.sync(&no_lease()).unwrap();
        assert!(!writer.lock().state.as_ref().unwrap().unsynced);
    }

    #[test]
    fn a_full_disk_is_told_and_takes_nothing_of_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let limit_pages = |limit: u32| {
            let place = writer.lock();
            let state = place.state.as_ref().unwrap();
            let pages: u32 = state
                .connection
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .unwrap();
            state
                .connection
                .query_row(
                    &format!("PRAGMA max_page_count = {}", pages + limit),
                    [],
                    |_| Ok(()),
                )
                .unwrap();
        };
        let rows = || {
            let place = writer.lock();
            let state = place.state.as_ref().unwrap();
            state
                .connection
                .query_row("SELECT count(*) FROM conversation", [], |row| {
                    row.get::<_, u32>(0)
                })
                .unwrap()
        };
        let mut large = Batch::new();
        for number in 0..2000 {
            large.conversations.extend(batch(number).conversations);
        }
        limit_pages(3);
        let error = writer
            .commit(&own(), &no_lease(), &large, Durability::Full)
            .unwrap_err();
        assert!(matches!(error, StoreError::DiskFull), "{error:?}");
        assert_eq!(rows(), 0);
        limit_pages(1000);
        writer
            .commit(&own(), &no_lease(), &large, Durability::Full)
            .unwrap();
        assert_eq!(rows(), 2000);
    }
}
