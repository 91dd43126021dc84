//! A new key for a database, whatever instant the process dies at.

use std::sync::Mutex;
use std::time::Duration;

use eft_store::{
    Batch, Durability, FileSecretStore, MemorySecretStore, OpenError, RekeyError, SecretError,
    SecretName, SecretStore as _, Store, StoreError, StoreKey,
};
use rand_core::Rng as _;
use zeroize::Zeroizing;

use crate::processes::{Process, count, create, name, open, role, secrets};
use crate::support::*;

fn message(text: &str) -> Batch {
    let mut batch = Batch::new();
    batch.insert_message(live(text));
    batch
}

#[test]
fn another_key_opens_the_database_and_the_old_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    let keys = MemorySecretStore::new();
    let store = Store::create_with_secret(&path, &keys, &name(), &own(), &options()).unwrap();
    store.commit(&message("before"), Durability::Full).unwrap();
    let lease = store.take_lease(&keys, &name(), Duration::ZERO).unwrap();
    let before = keys.load(&name()).unwrap();
    store.rekey(&keys, &name()).unwrap();
    let after = keys.load(&name()).unwrap();
    // "EFTK", format, key, salt, check: both are new.
    assert_ne!(before[5..37], after[5..37]);
    assert_ne!(before[37..53], after[37..53]);

    // This store goes on, with its lease, also by connections that it opens later.
    lease.check().unwrap();
    store.commit(&message("after"), Durability::Full).unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 2);
    store.suspend().unwrap();
    store.resume().unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 2);
    store.close().unwrap();

    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[..16], b"SQLite format 3\0");
    assert_eq!(bytes[18..20], [2, 2], "write-ahead log");
    let old = StoreKey::from_secret(&before).unwrap();
    assert!(matches!(
        Store::open(&path, &old, &options()),
        Err(OpenError::WrongKey)
    ));
    let store = Store::open_with_secret(&path, &keys, &name(), &options()).unwrap();
    assert_eq!(store.timeline(&juliet(), None, 10).unwrap().len(), 2);
}

#[test]
fn no_key_is_changed_while_somebody_else_has_the_database_open() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (app, extension) = (create(folder), open(folder));
    let keys = secrets(folder);
    app.commit(&message("before"), Durability::Full).unwrap();
    let before = keys.load(&name()).unwrap();
    assert!(matches!(app.rekey(&keys, &name()), Err(RekeyError::InUse)));
    assert_eq!(keys.load(&name()).unwrap(), before);
    assert_eq!(extension.timeline(&juliet(), None, 10).unwrap().len(), 1);
    app.commit(&message("after"), Durability::Full).unwrap();
    let lease = extension.take_lease(&keys, &name(), Duration::ZERO);
    assert!(matches!(
        app.rekey(&keys, &name()),
        Err(RekeyError::Store(StoreError::LeaseLost))
    ));
    drop(lease);
    extension.close().unwrap();
    drop(app);
    open(folder).rekey(&keys, &name()).unwrap();
    assert_eq!(open(folder).timeline(&juliet(), None, 10).unwrap().len(), 2);
}

#[test]
fn a_secret_store_that_refuses_the_new_key_keeps_the_old_one() {
    struct ReadOnly(MemorySecretStore);
    impl eft_store::SecretStore for ReadOnly {
        fn load(
            &self,
            name: &eft_store::SecretName,
        ) -> Result<zeroize::Zeroizing<Vec<u8>>, SecretError> {
            self.0.load(name)
        }
        fn store(&self, _: &eft_store::SecretName, _: &[u8]) -> Result<(), SecretError> {
            Err(SecretError::Locked)
        }
        fn delete(&self, _: &eft_store::SecretName) -> Result<(), SecretError> {
            Err(SecretError::Locked)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    let keys = MemorySecretStore::new();
    let store = Store::create_with_secret(&path, &keys, &name(), &own(), &options()).unwrap();
    let keys = ReadOnly(keys);
    assert!(matches!(
        store.rekey(&keys, &name()),
        Err(RekeyError::SecretStore(SecretError::Locked))
    ));
    store.commit(&message("hello"), Durability::Full).unwrap();
    store.close().unwrap();
    Store::open_with_secret(&path, &keys, &name(), &options()).unwrap();
}

/// Ends its process, as SIGKILL would, before or after one of the calls that a change of the key makes.
struct Deadly {
    secrets: FileSecretStore,
    moments_left: Mutex<u32>,
}

impl Deadly {
    fn moment(&self) {
        let mut left = self.moments_left.lock().unwrap();
        if *left == 0 {
            // No code runs after it: no destructor, no exit handler.
            std::process::abort();
        }
        *left -= 1;
    }

    fn around<T>(&self, call: impl FnOnce(&FileSecretStore) -> T) -> T {
        self.moment();
        let done = call(&self.secrets);
        self.moment();
        done
    }
}

impl eft_store::SecretStore for Deadly {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        self.secrets.load(name)
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        self.around(|secrets| secrets.store(name, secret))
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.around(|secrets| secrets.delete(name))
    }
}

/// Before and after each of: keep the next key, make it the key, forget it as the next.
const MOMENTS: u32 = 6;

#[test]
fn killed_while_the_key_changes_a_database_opens_with_all_that_was_in_it() {
    if let Some((folder, role)) = role() {
        let store = open(&folder);
        println!("begins");
        if let Ok(moment) = role.parse() {
            let deadly = Deadly {
                secrets: secrets(&folder),
                moments_left: Mutex::new(moment),
            };
            return store.rekey(&deadly, &name()).unwrap();
        }
        loop {
            store.rekey(&secrets(&folder), &name()).unwrap();
        }
    }
    const TEST: &str =
        "rekey::killed_while_the_key_changes_a_database_opens_with_all_that_was_in_it";
    let kills = count("EFT_STORE_REKEY_KILLS", 30);
    let mut rng = rng(4);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    let mut batch = Batch::new();
    for number in 0..300 {
        batch.insert_message(live(&format!("{number} {}", "x".repeat(300))));
    }
    store.commit(&batch, Durability::Full).unwrap();
    store.close().unwrap();
    let mut finished = [0, 0];
    for kill in 0..kills {
        // Each moment between two writes, and any instant at all.
        let moment = kill.is_multiple_of(2).then_some(kill / 2 % MOMENTS);
        let role = moment.map_or("any".into(), |moment| moment.to_string());
        let before = secrets(folder).load(&name()).unwrap();
        let mut process = Process::start(TEST, folder, &role);
        process.hear("begins").unwrap();
        if moment.is_some() {
            assert!(process.hear("never").is_none());
        } else {
            let instant = u64::from(rng.next_u32() % 150_000);
            std::thread::sleep(Duration::from_micros(instant));
        }
        process.kill();
        let kept = secrets(folder).load(&name()).unwrap();
        let store = open(folder);
        let used = secrets(folder).load(&name()).unwrap();
        assert_eq!(store.timeline(&juliet(), None, 1000).unwrap().len(), 300);
        store.close().unwrap();
        if let Some(moment) = moment {
            assert_eq!(kept != used, moment == 2, "{moment}: finished by opening");
            assert_eq!(before != used, moment >= 2, "{moment}");
        }
        finished[usize::from(kept != used)] += 1;
    }
    println!(
        "rekey kills={kills} finished_by_opening={} failed=0",
        finished[1]
    );
    assert!(finished[1] > 0);
}
