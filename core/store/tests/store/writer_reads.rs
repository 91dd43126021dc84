//! Reads by the connection that writes, and whether what was read still holds.

use eft_store::{Batch, Durability, Store, StoreError, TimelineWatch};

use crate::support::*;

/// The same database, as another process has it.
fn another(home: &Home) -> Store {
    Store::open(&home.path(), &key(), &options()).unwrap()
}

fn insert(store: &Store, text: &str) {
    let mut batch = Batch::new();
    batch.insert_message(live(text));
    store.commit(&batch, Durability::Full).unwrap();
}

#[test]
fn what_is_read_by_the_writer_is_of_one_state_until_this_store_writes() {
    let home = Home::new();
    let other = another(&home);
    let reads = home.store.read_with_writer();
    assert!(home.texts(&juliet()).is_empty());
    insert(&other, "one");
    assert!(home.texts(&juliet()).is_empty());
    insert(&home.store, "two");
    assert_eq!(home.texts(&juliet()), ["one", "two"]);
    insert(&other, "three");
    assert_eq!(home.texts(&juliet()), ["one", "two"]);
    drop(reads);
    assert_eq!(home.texts(&juliet()), ["one", "two", "three"]);
    let _reads = home.store.read_with_writer();
    assert_eq!(home.texts(&juliet()), ["one", "two", "three"]);
}

#[test]
fn one_thread_at_a_time_reads_by_the_writer_and_others_read_what_is_newest() {
    let home = Home::new();
    let other = another(&home);
    let reads = home.store.read_with_writer();
    // Another one in the same thread changes nothing, and ends nothing.
    drop(home.store.read_with_writer());
    assert!(home.texts(&juliet()).is_empty());
    insert(&other, "one");
    assert!(home.texts(&juliet()).is_empty());
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            let _reads = home.store.read_with_writer();
            home.texts(&juliet())
        });
        assert_eq!(elsewhere.join().unwrap(), ["one"]);
    });
    assert!(home.texts(&juliet()).is_empty(), "still the same state");
    drop(reads);
}

#[test]
fn reads_by_the_writer_keep_nobody_from_writing_and_nothing_open() {
    let home = Home::new();
    let reads = home.store.read_with_writer();
    assert!(home.texts(&juliet()).is_empty());
    std::thread::scope(|scope| {
        scope.spawn(|| insert(&home.store, "one"));
    });
    assert_eq!(home.texts(&juliet()), ["one"]);
    home.store.suspend().unwrap();
    assert!(matches!(
        home.store.message_by_archive_id(&archived_as("1")),
        Err(StoreError::Suspended)
    ));
    home.store.resume().unwrap();
    assert_eq!(home.texts(&juliet()), ["one"]);
    drop(reads);
}

#[test]
fn the_mark_is_another_one_after_anybody_wrote_and_else_the_same() {
    let home = Home::new();
    let other = another(&home);
    let mark = || home.store.write_mark().unwrap();
    let mut before = mark();
    let mut is_another = || {
        let now = mark();
        std::mem::replace(&mut before, now) != now
    };
    assert!(!is_another());
    assert_eq!(home.texts(&juliet()), [""; 0]);
    let mut watch = TimelineWatch::new(juliet(), 10);
    home.store.refresh(&mut watch).unwrap();
    assert!(!is_another(), "reading changes nothing");
    insert(&home.store, "one");
    assert!(is_another(), "this store wrote");
    insert(&other, "two");
    assert!(is_another(), "another store wrote");
    let reads = home.store.read_with_writer();
    assert_eq!(home.texts(&juliet()), ["one", "two"]);
    insert(&other, "three");
    assert!(is_another(), "also when an older state is being read");
    drop(reads);
    home.store.suspend().unwrap();
    home.store.resume().unwrap();
    assert!(is_another(), "nobody knows what happened meanwhile");
}
