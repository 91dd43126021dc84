//! The connection that writes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use eft_types::BareJid;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::batch::{Batch, Durability};
use crate::cipher_provider::{Held, enter};
use crate::commit;
use crate::committed::Committed;
use crate::error::StoreError;

/// The one connection of this process that writes, used by one thread at a time.
pub(super) struct Writer(Mutex<State>);

struct State {
    connection: Held,
    /// What `PRAGMA synchronous` stands at.
    synchronous: Option<Durability>,
    /// There may be deferred commits that no sync has covered: ours, or at first those of the process
    /// that had the database before.
    unsynced: bool,
}

impl Writer {
    pub(super) const fn new(connection: Connection) -> Self {
        Self(Mutex::new(State {
            connection: Held::new(connection),
            synchronous: None,
            unsynced: true,
        }))
    }

    pub(super) fn commit(
        &self,
        own: &BareJid,
        batch: &Batch,
        durability: Durability,
    ) -> Result<Committed, StoreError> {
        let _inside = enter()?;
        self.lock().transaction(durability, |transaction| {
            commit::apply(transaction, own, batch)
        })
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let _inside = enter()?;
        let mut state = self.lock();
        if state.unsynced {
            state.transaction(Durability::Full, |_| Ok(()))?;
        }
        Ok(())
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        let inside = enter()?;
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The answer's first column says whether somebody else was in the way. That is no failure:
        // whoever closes last empties the log.
        state
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        state.connection.close(&inside).map_err(StoreError::from)
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
    use crate::connection::{Role, connect};
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
        Writer::new(connect(&path, &key, &options, Role::Writer).unwrap())
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
        let state = writer.lock();
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
            writer.commit(&own(), &batch(number), durability).unwrap();
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
        let sync = || writer.sync().unwrap();
        assert_eq!(pages_of(&sync), 1, "what another process left");
        assert_eq!(pages_of(&sync), 0, "once is enough");
        writer.commit(&own(), &batch(1), Durability::Full).unwrap();
        assert_eq!(pages_of(&sync), 0, "it is durable");
        writer
            .commit(&own(), &batch(2), Durability::Deferred)
            .unwrap();
        assert_eq!(pages_of(&sync), 1);
        assert_eq!(synchronous(&writer), 2);
        assert_eq!(pages_of(&sync), 0);
    }

    #[test]
    fn a_full_commit_that_changes_nothing_still_syncs_the_deferred_ones_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        writer.sync().unwrap();
        writer
            .commit(&own(), &batch(1), Durability::Deferred)
            .unwrap();
        let before = log_pages(folder.path());
        writer.commit(&own(), &batch(1), Durability::Full).unwrap();
        assert_eq!(log_pages(folder.path()) - before, 1);
        writer
            .commit(&own(), &Batch::new(), Durability::Full)
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
            .commit(&own(), &batch(1), Durability::Deferred)
            .unwrap();
        let mut failing = batch(2);
        failing.mark_read(own(), eft_types::MessageId::from_row(9));
        assert!(writer.commit(&own(), &failing, Durability::Full).is_err());
        assert!(writer.lock().unsynced);
        writer.sync().unwrap();
        assert!(!writer.lock().unsynced);
    }

    #[test]
    fn a_full_disk_is_told_and_takes_nothing_of_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let limit_pages = |limit: u32| {
            let state = writer.lock();
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
            let state = writer.lock();
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
        let error = writer.commit(&own(), &large, Durability::Full).unwrap_err();
        assert!(matches!(error, StoreError::DiskFull), "{error:?}");
        assert_eq!(rows(), 0);
        limit_pages(1000);
        writer.commit(&own(), &large, Durability::Full).unwrap();
        assert_eq!(rows(), 2000);
    }
}
