//! Opening and creating: every cause has its own error, and nothing is ever wiped.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use eft_store::{
    Batch, Durability, MemorySecretStore, OpenError, SecretError, SecretName, SecretStore, Store,
    StoreError, StoreKey, StoreOptions,
};
use zeroize::Zeroizing;

use crate::foreign::{our_settings, raw_connection};
use crate::support::*;

/// A closed database with some content, and its bytes.
fn closed() -> (tempfile::TempDir, std::path::PathBuf, Vec<u8>) {
    let home = Home::new();
    let mut batch = Batch::new();
    batch.merge_changes(eft_omemo::install(&own(), &[], at(1), &mut rng(1)).changes);
    batch.insert_message(live("hello"));
    home.commit(&batch);
    let path = home.path();
    let folder = home.folder;
    home.store.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    (folder, path, bytes)
}

fn open(path: &Path) -> Result<Store, OpenError> {
    Store::open(path, &key(), &options())
}

/// Opening fails, and the file is as it was.
fn refuses(path: &Path, key: &StoreKey, what: &str) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = Store::open(path, key, &options()).unwrap_err();
    assert!(
        fs::read(path).unwrap() == before,
        "{what}: the file was touched"
    );
    error
}

#[test]
fn another_key_or_salt_is_a_wrong_key() {
    let (_folder, path, _) = closed();
    let mut other_key = KEY;
    other_key[31] ^= 1;
    let mut other_salt = SALT;
    other_salt[0] ^= 1;
    for (what, key, salt) in [("key", other_key, SALT), ("salt", KEY, other_salt)] {
        let error = refuses(&path, &StoreKey::from_parts(key, salt), what);
        assert!(matches!(error, OpenError::WrongKey), "{what}: {error:?}");
    }
    open(&path).unwrap();
}

#[test]
fn a_damaged_file_is_told_from_a_wrong_key() {
    let (_folder, path, good) = closed();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage, &str); 8] = [
        (
            "a flipped bit",
            |file| file[2000] ^= 1,
            "its first page was changed",
        ),
        (
            "page 1 zeroed behind the header",
            |file| file[32..4096].fill(0),
            "its first page was changed",
        ),
        (
            "three pages zeroed behind the header",
            |file| file[32..3 * 4096].fill(0),
            "its first page was changed",
        ),
        (
            "a flipped bit in the magic",
            |file| file[3] ^= 1,
            "does not begin like a database",
        ),
        (
            "cut inside page 1",
            |file| file.truncate(1000),
            "shorter than a page",
        ),
        ("empty", Vec::clear, "shorter than a page"),
        (
            "text",
            |file| *file = b"not a database at all\n".repeat(1000),
            "does not begin like a database",
        ),
        (
            "everything zero",
            |file| file.fill(0),
            "does not begin like a database",
        ),
    ];
    for (what, damage, expected) in damages {
        let mut bad = good.clone();
        damage(&mut bad);
        assert!(bad != good);
        fs::write(&path, &bad).unwrap();
        let error = refuses(&path, &key(), what);
        assert!(
            matches!(error, OpenError::Corrupt { detail } if detail == expected),
            "{what}: {error:?}"
        );
    }
    fs::write(&path, &good).unwrap();
    open(&path).unwrap();
}

#[test]
fn damage_behind_the_first_page_is_found_by_the_read_that_meets_it() {
    let (_folder, path, good) = closed();
    let pages = good.len() / 4096;
    let mut met = 0;
    for page in 1..pages {
        let mut bad = good.clone();
        bad[page * 4096 + 100] ^= 1;
        fs::write(&path, &bad).unwrap();
        let store = match open(&path) {
            Ok(store) => store,
            Err(OpenError::Corrupt { .. }) => {
                met += 1;
                continue;
            }
            Err(error) => panic!("page {page}: {error:?}"),
        };
        let mut reads = vec![
            store.timeline(&juliet(), None, 10).map(drop),
            store.conversations().map(drop),
            store.actions().map(drop),
        ];
        for kind in eft_omemo::RecordKind::ALL {
            reads.push(store.scan(kind, b"").map(drop));
        }
        for error in reads.into_iter().filter_map(Result::err) {
            assert!(
                matches!(error, StoreError::Damaged { .. }),
                "page {page}: {error:?}"
            );
            met += 1;
        }
    }
    assert!(
        met > pages / 2,
        "{met} reads met the damage of {pages} pages"
    );
}

#[test]
fn a_file_that_does_not_exist_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    assert!(matches!(open(&path), Err(OpenError::NotFound { path: of }) if of == path));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(matches!(open(folder.path()), Err(OpenError::Io { .. })));
}

#[test]
fn an_existing_file_is_not_created_again() {
    let (_folder, path, good) = closed();
    let create = |path: &Path| Store::create(path, &key(), &own(), &options());
    assert!(matches!(
        create(&path),
        Err(OpenError::AlreadyExists { .. })
    ));
    assert!(fs::read(&path).unwrap() == good);
    // Whatever it is.
    fs::write(&path, b"").unwrap();
    assert!(matches!(
        create(&path),
        Err(OpenError::AlreadyExists { .. })
    ));
}

#[test]
fn what_an_interrupted_creation_left_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    for suffix in [".new", ".new-journal", ".new-wal"] {
        fs::write(format!("{}{suffix}", path.display()), b"half of something").unwrap();
    }
    let store = Store::create(&path, &key(), &own(), &options()).unwrap();
    assert_eq!(store.own_jid(), &own());
    store.close().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let (_folder, path, _) = closed();
    let connection = raw_connection(&path, &our_settings());
    connection
        .execute_batch("PRAGMA user_version = 1000")
        .unwrap();
    drop(connection);
    let error = refuses(&path, &key(), "schema 1000");
    assert!(
        matches!(error, OpenError::NewerSchema { found: 1000, known } if known < 1000),
        "{error:?}"
    );
}

#[test]
fn a_lock_held_elsewhere_ends_as_busy_after_the_timeout() {
    let home = Home::new();
    home.insert(&live("before"));
    let other = raw_connection(&home.path(), &our_settings());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut batch = Batch::new();
    batch.insert_message(live("x"));
    let start = Instant::now();
    let error = home.store.commit(&batch, Durability::Full).unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error:?}");
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(150), "{waited:?}");
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    // Reading goes on, and so does opening.
    assert_eq!(home.texts(&juliet()), ["before"]);
    assert_eq!(open(&home.path()).unwrap().own_jid(), &own());
    other.execute_batch("ROLLBACK").unwrap();
    home.commit(&batch);
    assert_eq!(home.texts(&juliet()), ["before", "x"]);
}

#[test]
fn two_stores_on_one_file_see_each_others_commits() {
    let home = Home::new();
    let other = open(&home.path()).unwrap();
    home.insert(&live("from one"));
    let mut batch = Batch::new();
    batch.insert_message(live("from two"));
    batch.insert_message(live("from one"));
    let committed = other.commit(&batch, Durability::Deferred).unwrap();
    assert!(!committed.messages()[1].is_news());
    assert_eq!(home.texts(&juliet()), ["from one", "from two"]);
}

fn name() -> SecretName {
    SecretName::new("romeo").unwrap()
}

#[test]
fn the_key_is_made_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    let secrets = MemorySecretStore::new();
    let create = || Store::create_with_secret(&path, &secrets, &name(), &own(), &options());
    let open = || Store::open_with_secret(&path, &secrets, &name(), &options());
    assert!(matches!(open(), Err(OpenError::NotFound { .. })));
    create().unwrap().close().unwrap();
    open().unwrap().close().unwrap();
    assert!(matches!(create(), Err(OpenError::AlreadyExists { .. })));

    // A creation that died between key and database: the key is used.
    let kept = secrets.load(&name()).unwrap();
    fs::remove_file(&path).unwrap();
    create().unwrap();
    assert_eq!(secrets.load(&name()), Ok(kept));
}

#[test]
fn a_key_that_cannot_be_had_is_told_by_cause_and_never_replaced() {
    struct Broken(SecretError);
    impl SecretStore for Broken {
        fn load(&self, _: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
            Err(self.0.clone())
        }
        fn store(&self, _: &SecretName, _: &[u8]) -> Result<(), SecretError> {
            Err(self.0.clone())
        }
        fn delete(&self, _: &SecretName) -> Result<(), SecretError> {
            Err(self.0.clone())
        }
    }
    let (_folder, path, good) = closed();
    let nowhere = path.with_file_name("other.db");
    for cause in [
        SecretError::Locked,
        SecretError::Lost,
        SecretError::Denied,
        SecretError::Unavailable {
            detail: "no keychain".into(),
        },
    ] {
        let secrets = Broken(cause.clone());
        let results = [
            Store::open_with_secret(&path, &secrets, &name(), &options()).map(drop),
            Store::create_with_secret(&nowhere, &secrets, &name(), &own(), &options()).map(drop),
            Store::destroy(&path, &secrets, &name()),
        ];
        for result in results {
            assert!(
                matches!(&result, Err(OpenError::KeyUnavailable(found)) if *found == cause),
                "{result:?}"
            );
        }
    }
    assert!(fs::read(&path).unwrap() == good);
    assert!(!nowhere.exists());

    // A damaged secret may be the key of something: it is not overwritten by a new account.
    let secrets = MemorySecretStore::new();
    secrets.store(&name(), b"EFTK damaged").unwrap();
    let created = Store::create_with_secret(&nowhere, &secrets, &name(), &own(), &options());
    assert!(matches!(
        created,
        Err(OpenError::KeyUnavailable(SecretError::Corrupt(_)))
    ));
    assert_eq!(secrets.load(&name()).unwrap().as_slice(), b"EFTK damaged");
}

#[test]
fn destroying_removes_key_and_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    let secrets = MemorySecretStore::new();
    let other = SecretName::new("mercutio").unwrap();
    secrets.store(&other, b"kept").unwrap();
    fs::write(folder.path().join("mercutio.db"), b"kept").unwrap();
    drop(Store::create_with_secret(&path, &secrets, &name(), &own(), &options()).unwrap());
    Store::destroy(&path, &secrets, &name()).unwrap();
    Store::destroy(&path, &secrets, &name()).unwrap();
    assert_eq!(secrets.load(&name()), Err(SecretError::Lost));
    assert!(secrets.load(&other).is_ok());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn the_small_profile_of_an_extension_does_the_same_work() {
    let home = Home::new();
    home.insert(&live("from the app"));
    let extension = Store::open(&home.path(), &key(), &StoreOptions::extension()).unwrap();
    let page = extension.timeline(&juliet(), None, 5).unwrap();
    assert_eq!(page.len(), 1);
}
