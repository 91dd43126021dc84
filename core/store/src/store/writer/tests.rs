//! Durability of commits, and a full disk.

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
