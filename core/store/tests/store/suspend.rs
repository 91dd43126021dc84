//! After `suspend()` nothing is held that a system could hold against a sleeping app.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eft_store::{Batch, Durability, LeaseError, Store, StoreError};

use crate::processes::{create, name, open, secrets};
use crate::support::*;

/// Descriptors of this process that lead into a folder.
fn descriptors(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let inside = links.filter(|link| link.starts_with(folder));
    inside.map(|link| link.display().to_string()).collect()
}

/// Locks of this process on files of a folder, as lines of `/proc/locks`.
fn locks(folder: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut inodes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        inodes.push(entry.unwrap().metadata().unwrap().ino());
    }
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let ours = locks.lines().filter(|line| {
        inodes
            .iter()
            .any(|inode| line.contains(&format!(":{inode} ")))
    });
    ours.map(str::to_owned).collect()
}

/// Mapped files of a folder.
fn mapped(folder: &Path) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let folder = folder.display().to_string();
    maps.lines().filter(|line| line.contains(&folder)).count()
}

fn message(text: &str) -> Batch {
    let mut batch = Batch::new();
    batch.insert_message(live(text));
    batch
}

fn is_suspended<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Suspended))
}

#[test]
fn a_suspended_store_holds_no_lock_no_descriptor_and_no_memory_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    let keys = secrets(folder);
    let lease = store.take_lease(&keys, &name(), Duration::ZERO).unwrap();
    store.commit(&message("before"), Durability::Full).unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 1);
    // The looking itself works.
    assert!(descriptors(folder).len() >= 4, "{:?}", descriptors(folder));
    assert!(!locks(folder).is_empty());
    assert!(mapped(folder) > 0);

    let begun = Instant::now();
    store.suspend().unwrap();
    let took = begun.elapsed();
    assert_eq!(descriptors(folder), [""; 0]);
    assert_eq!(locks(folder), [""; 0]);
    assert_eq!(mapped(folder), 0);
    println!(
        "S5 locks=0 descriptors=0 mappings=0 suspend_ms={}",
        took.as_millis()
    );

    assert!(is_suspended(
        store.commit(&message("x"), Durability::Deferred)
    ));
    assert!(is_suspended(store.sync()));
    assert!(is_suspended(store.timeline(&juliet(), None, 10)));
    assert!(is_suspended(store.generation()));
    assert!(matches!(
        store.take_lease(&keys, &name(), Duration::ZERO),
        Err(LeaseError::Store(StoreError::Suspended))
    ));
    assert!(matches!(lease.check(), Err(LeaseError::Lost)));
    store.suspend().unwrap();
    // Also what still runs of the lease opens nothing again.
    std::thread::sleep(Duration::from_millis(600));
    assert!(matches!(lease.check(), Err(LeaseError::Lost)));
    assert_eq!(descriptors(folder), [""; 0]);

    store.resume().unwrap();
    store.resume().unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 1);
    assert!(matches!(
        store.commit(&message("x"), Durability::Full),
        Err(StoreError::LeaseLost)
    ));
    let again = store.take_lease(&keys, &name(), Duration::ZERO).unwrap();
    assert_eq!(again.generation().as_u64(), 2);
    store.commit(&message("after"), Durability::Full).unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 2);
}

#[test]
fn what_another_process_wrote_meanwhile_is_there_after_resuming() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (app, extension) = (create(folder), open(folder));
    app.suspend().unwrap();
    let keys = secrets(folder);
    let lease = extension.take_lease(&keys, &name(), Duration::ZERO);
    extension
        .commit(&message("meanwhile"), Durability::Full)
        .unwrap();
    drop(lease);
    app.resume().unwrap();
    assert_eq!(app.timeline(&juliet(), None, 10).unwrap().len(), 1);
    // It never had the lease; but somebody had it since it looked last.
    assert!(matches!(
        app.commit(&message("x"), Durability::Full),
        Err(StoreError::LeaseLost)
    ));
}

#[test]
fn a_store_that_cannot_resume_stays_suspended_and_resumes_later() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    store.suspend().unwrap();
    let (path, away) = (Home::path_in(folder), folder.join("away"));
    std::fs::rename(&path, &away).unwrap();
    assert!(store.resume().is_err());
    assert!(is_suspended(store.generation()));
    std::fs::rename(&away, &path).unwrap();
    store.resume().unwrap();
    store.generation().unwrap();
}

#[test]
fn suspending_under_working_threads_ends_their_work_and_loses_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = Arc::new(create(folder));
    let filled = Duration::from_millis(150);
    for number in 0..3 {
        let write = Arc::clone(&store);
        let writer = std::thread::spawn(move || {
            let mut committed = 0;
            loop {
                let text = format!("{number} {committed}");
                match write.commit(&message(&text), Durability::Deferred) {
                    Ok(_) => committed += 1,
                    Err(StoreError::Suspended) => return committed,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        let read = Arc::clone(&store);
        let reader = std::thread::spawn(move || {
            loop {
                match read.timeline(&juliet(), None, 1000) {
                    Ok(_) => {}
                    Err(StoreError::Suspended) => return,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        std::thread::sleep(filled);
        store.suspend().unwrap();
        assert_eq!(descriptors(folder), [""; 0]);
        assert_eq!(locks(folder), [""; 0]);
        let committed = writer.join().unwrap();
        reader.join().unwrap();
        assert!(committed > 0);
        store.resume().unwrap();
        assert_eq!(count_of(&store, number), committed);
    }
}

/// Messages that one round committed.
fn count_of(store: &Store, round: u32) -> usize {
    let mut before = None;
    let mut count = 0;
    loop {
        let page = store.timeline(&juliet(), before, 1000).unwrap();
        let Some(last) = page.last() else {
            return count;
        };
        before = Some(last.key);
        let prefix = format!("{round} ");
        count += page
            .iter()
            .filter(|message| text_of(message).starts_with(&prefix))
            .count();
    }
}
