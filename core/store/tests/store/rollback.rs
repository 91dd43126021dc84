//! Older copies of a database are told from the original, and the original is never taken for one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use eft_store::{
    Batch, Durability, FileSecretStore, LeaseError, SecretError, SecretName, SecretStore, Store,
};
use zeroize::Zeroizing;

use crate::processes::{Process, count, create, name, open, role, secrets};
use crate::support::*;

const LONG: Duration = Duration::from_secs(10);

/// A copy of a database that nobody has open.
fn copy(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let file = |folder: &Path| format!("{}{suffix}", Home::path_in(folder).display());
        let _ = fs::remove_file(file(to));
        if Path::new(&file(from)).exists() {
            fs::copy(file(from), file(to)).unwrap();
        }
    }
}

fn take(store: &Store, folder: &Path) -> Result<u64, LeaseError> {
    let lease = store.take_lease(&secrets(folder), &name(), LONG)?;
    Ok(lease.generation().as_u64())
}

#[test]
fn every_copy_of_an_older_generation_is_detected_and_the_original_never() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut copies = Vec::new();
    create(folder).close().unwrap();
    for generation in 0..12_u64 {
        let copied = tempfile::tempdir().unwrap();
        copy(folder, copied.path());
        copies.push(copied);
        let store = open(folder);
        assert_eq!(store.rollback(&secrets(folder), &name()).unwrap(), None);
        assert_eq!(take(&store, folder).unwrap(), generation + 1);
        store.close().unwrap();
    }
    let original = tempfile::tempdir().unwrap();
    copy(folder, original.path());
    let mut detected = 0;
    for (generation, copied) in (0..).zip(&copies) {
        copy(copied.path(), folder);
        let store = open(folder);
        let found = store.rollback(&secrets(folder), &name()).unwrap().unwrap();
        assert_eq!(found.database.as_u64(), generation);
        assert_eq!(found.expected.unwrap().as_u64(), 12);
        assert!(matches!(
            take(&store, folder),
            Err(LeaseError::RolledBack(again)) if again == found
        ));
        detected += 1;
        store.close().unwrap();
    }
    // Looking at the copies did no harm: the original is still good.
    copy(original.path(), folder);
    assert_eq!(take(&open(folder), folder).unwrap(), 13);
    println!("S8 older_copies={} detected={detected}", copies.len());
}

#[test]
fn a_detected_copy_says_so_until_its_sessions_are_retired_in_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let older = tempfile::tempdir().unwrap();
    let keys = secrets(folder);
    create(folder).close().unwrap();
    copy(folder, older.path());
    let store = open(folder);
    for _ in 0..3 {
        take(&store, folder).unwrap();
    }
    store.close().unwrap();
    copy(older.path(), folder);

    let store = open(folder);
    let lease = store
        .take_lease_after_rollback(&keys, &name(), LONG)
        .unwrap();
    assert_eq!(lease.generation().as_u64(), 4, "above everything that was");
    drop(lease);
    store.close().unwrap();
    // It died before it retired anything.
    let store = open(folder);
    let found = store.rollback(&keys, &name()).unwrap().unwrap();
    assert_eq!(found.database.as_u64(), 0);
    assert!(matches!(
        take(&store, folder),
        Err(LeaseError::RolledBack(_))
    ));
    let lease = store
        .take_lease_after_rollback(&keys, &name(), LONG)
        .unwrap();
    assert_eq!(lease.generation().as_u64(), 5);
    let mut batch = Batch::new();
    batch.finish_rollback();
    assert!(!batch.is_empty());
    store.commit(&batch, Durability::Full).unwrap();
    drop(lease);
    assert_eq!(store.rollback(&keys, &name()).unwrap(), None);
    assert_eq!(take(&store, folder).unwrap(), 6);
}

#[test]
fn a_secret_without_its_database_is_a_new_install_and_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let old = tempfile::tempdir().unwrap();
    let store = create(folder);
    for _ in 0..3 {
        take(&store, folder).unwrap();
    }
    store.close().unwrap();
    copy(folder, old.path());
    // The app is removed and installed again; a platform's keychain may survive that.
    fs::remove_file(Home::path_in(folder)).unwrap();
    let store = create(folder);
    assert_eq!(store.rollback(&secrets(folder), &name()).unwrap(), None);
    assert_eq!(take(&store, folder).unwrap(), 4);
    store.close().unwrap();
    // A copy of the old one is still an older copy.
    copy(old.path(), folder);
    let store = open(folder);
    assert!(matches!(
        take(&store, folder),
        Err(LeaseError::RolledBack(_))
    ));
}

#[test]
fn destroying_an_account_forgets_its_generation() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    take(&store, folder).unwrap();
    store.close().unwrap();
    Store::destroy(&Home::path_in(folder), &secrets(folder), &name()).unwrap();
    let left: Vec<_> = fs::read_dir(folder.join("keys")).unwrap().collect();
    assert!(left.is_empty());
    assert!(!folder.join("romeo.db-lease").exists());
    assert_eq!(take(&create(folder), folder).unwrap(), 1);
}

/// Ends its process, as SIGKILL would, at a step of taking the lease.
struct Deadly {
    secrets: FileSecretStore,
    step: String,
}

impl Deadly {
    fn reach(&self, step: &str) {
        if self.step == step {
            // No code runs after it: no destructor, no exit handler.
            std::process::abort();
        }
    }
}

impl SecretStore for Deadly {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        self.reach("before the first write");
        self.secrets.load(name)
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        self.reach("between the first and the second");
        let stored = self.secrets.store(name, secret);
        self.reach("between the second and the third");
        stored
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.secrets.delete(name)
    }
}

const STEPS: [&str; 4] = [
    "before the first write",
    "between the first and the second",
    "between the second and the third",
    "after the third",
];

#[test]
fn killed_at_each_step_of_taking_the_lease_there_is_no_false_alarm() {
    if let Some((folder, step)) = role() {
        let store = open(&folder);
        let deadly = Deadly {
            secrets: secrets(&folder),
            step,
        };
        println!("begins");
        let _lease = store.take_lease(&deadly, &name(), LONG).unwrap();
        std::process::abort();
    }
    const TEST: &str = "rollback::killed_at_each_step_of_taking_the_lease_there_is_no_false_alarm";
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create(folder).close().unwrap();
    // Also several deaths at one step in a row, and each step after each other.
    let rounds = count("EFT_STORE_GENERATION_KILLS", 32);
    let mut alarms = 0;
    for round in 0..rounds as usize {
        let step = STEPS[(round + round / STEPS.len() + round / 16) % STEPS.len()];
        let mut process = Process::start(TEST, folder, step);
        process.hear("begins").unwrap();
        assert!(process.hear("never").is_none());
        let died = process.child.wait().unwrap();
        assert!(!died.success(), "{step}");
        let store = open(folder);
        alarms += u32::from(store.rollback(&secrets(folder), &name()).unwrap().is_some());
        if round % 5 == 4 {
            take(&store, folder).unwrap();
        }
    }
    assert_eq!(alarms, 0);
    println!("S8 kills_while_taking={rounds} false_alarms={alarms}");
}

#[test]
fn looking_while_another_process_takes_leases_is_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| {
            let store = open(folder);
            for _ in 0..100 {
                take(&store, folder).unwrap();
            }
        });
        let mut looks = 0;
        while !taker.is_finished() {
            assert_eq!(store.rollback(&secrets(folder), &name()).unwrap(), None);
            looks += 1;
        }
        assert!(looks > 10, "{looks}");
    });
}
