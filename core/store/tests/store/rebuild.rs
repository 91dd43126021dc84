//! A new database in the place of one that cannot be used, with the history that can be read.

use std::fs;
use std::path::Path;
use std::time::Duration;

use eft_omemo::RecordKind;
use eft_store::{
    Batch, Content, ConversationEncryption, ConversationRef, Credential, DeliveryState, Durability,
    MemorySecretStore, NewOutboxEntry, Opaque, OpenError, OutboxContent, Rebuilt, SecretError,
    SecretStore as _, Store, UnreadableCause,
};

use crate::foreign::{our_settings, raw_connection};
use crate::processes::name;
use crate::support::*;

/// An account with 400 messages, one of everything else, and its files closed.
fn account(folder: &Path) -> MemorySecretStore {
    let keys = MemorySecretStore::new();
    let path = Home::path_in(folder);
    let store = Store::create_with_secret(&path, &keys, &name(), &own(), &options()).unwrap();
    drop(store.take_lease(&keys, &name(), Duration::ZERO).unwrap());
    let _lease = store.take_lease(&keys, &name(), Duration::ZERO).unwrap();
    let mut batch = Batch::new();
    batch.merge_changes(eft_omemo::install(&own(), &[], at(1), &mut rng(1)).changes);
    batch.set_credential(Some(Credential::new(b"credential".to_vec())));
    batch.set_encryption(
        ConversationRef::direct(juliet()),
        ConversationEncryption::Required,
        at(1),
    );
    for number in 0..397 {
        let text = format!("{number} {}", "x".repeat(200));
        batch.insert_message(paged(live(&text), &text));
    }
    let mut waits = live("waits");
    waits.content = pending();
    batch.insert_message(waits);
    let queued = batch.insert_message(ours("queued"));
    let encrypted = batch.insert_message(ours("encrypted"));
    for (message, stanza) in [
        (queued, None),
        (encrypted, Some(Opaque::new(*b"<message/>"))),
    ] {
        batch.enqueue(NewOutboxEntry {
            content: OutboxContent::NewMessage(message),
            stanza,
            to: None,
            queued: at(2),
        });
    }
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::Control,
        stanza: Some(Opaque::new(*b"<message/>")),
        to: None,
        queued: at(2),
    });
    batch.advance_archive(progress(Some("0"), true));
    let committed = store.commit(&batch, Durability::Full).unwrap();
    let id = committed.message(encrypted).unwrap().id();
    let mut batch = Batch::new();
    batch.update_message(
        id,
        eft_store::MessageUpdate::Delivery(DeliveryState::Encrypted),
    );
    store.commit(&batch, Durability::Full).unwrap();
    store.close().unwrap();
    keys
}

fn rebuild(folder: &Path, keys: &MemorySecretStore) -> Result<Rebuilt, OpenError> {
    Store::rebuild(&Home::path_in(folder), keys, &name(), &own(), &options())
}

fn messages(store: &Store) -> usize {
    store.timeline(&juliet(), None, 1000).unwrap().len()
}

#[test]
fn a_rebuilt_account_has_its_history_and_is_a_new_device() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keys = account(folder);
    let before = fs::read(Home::path_in(folder)).unwrap();
    let rebuilt = rebuild(folder, &keys).unwrap();
    assert_eq!((rebuilt.messages, rebuilt.gaps), (400, 0));
    assert!(
        fs::read(&rebuilt.set_aside).unwrap() == before,
        "kept as it was"
    );
    let store = rebuilt.store;
    assert_eq!(messages(&store), 400);
    let conversation = store.conversation(&juliet()).unwrap().unwrap();
    assert_eq!(conversation.encryption, ConversationEncryption::Required);
    let credential = store.account().unwrap().credential.unwrap();
    assert_eq!(credential.as_bytes(), b"credential");
    for kind in RecordKind::ALL {
        let found = store.scan(kind, b"").unwrap().len();
        let expected = usize::from(kind == RecordKind::Trust);
        assert_eq!(found, expected, "{kind:?}: decisions only");
    }
    assert_eq!(store.stream().unwrap(), None);
    assert_eq!(store.actions().unwrap(), []);
    assert!(!store.archive_cursor(&own()).unwrap().unwrap().at_end);
    // Both go out again, encrypted by the new device.
    let outbox = store.outbox(None, 10).unwrap();
    assert_eq!(outbox.len(), 2);
    for entry in outbox {
        assert_eq!(entry.stanza, None);
        let message = store.message(entry.message.unwrap()).unwrap().unwrap();
        assert_eq!(message.delivery, Some(DeliveryState::Queued));
    }
    let page = store.timeline(&juliet(), None, 10).unwrap();
    let unreadable = page.iter().find_map(|message| match &message.content {
        Content::Unreadable(unreadable) => Some(unreadable),
        Content::Readable(_) => None,
    });
    let unreadable = unreadable.unwrap();
    assert_eq!(unreadable.cause, UnreadableCause::Pending);
    assert_eq!((unreadable.retry, &unreadable.ciphertext), (None, &None));
    // Older copies are still older than this one.
    assert_eq!(store.rollback(&keys, &name()).unwrap(), None);
    let lease = store.take_lease(&keys, &name(), Duration::ZERO).unwrap();
    assert_eq!(lease.generation().as_u64(), 3);
}

#[test]
fn what_can_be_read_of_a_damaged_database_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keys = account(folder);
    let path = Home::path_in(folder);
    let good = fs::read(&path).unwrap();
    let pages = good.len() / 4096;
    let (mut most, mut least) = (0, u64::MAX);
    for damaged in (0..pages).step_by(pages / 24) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", path.display()));
        }
        let mut bad = good.clone();
        // Two pages next to each other.
        bad[damaged * 4096 + 40..]
            .iter_mut()
            .take(8000)
            .for_each(|byte| *byte ^= 0x55);
        fs::write(&path, &bad).unwrap();
        let rebuilt = rebuild(folder, &keys).unwrap();
        assert_eq!(messages(&rebuilt.store), rebuilt.messages as usize);
        assert!(
            rebuilt.messages == 400 || rebuilt.gaps > 0,
            "page {damaged}: silent loss"
        );
        most = most.max(rebuilt.messages);
        least = least.min(rebuilt.messages);
        let path = rebuilt.set_aside.clone();
        rebuilt.store.close().unwrap();
        fs::remove_file(path).unwrap();
    }
    println!("rebuild most={most} least={least} of 400");
    assert!(most >= 390 && least < 400);
}

#[test]
fn without_its_key_a_database_is_set_aside_and_a_new_key_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keys = account(folder);
    let secret = keys.load(&name()).unwrap();
    keys.delete(&name()).unwrap();
    let rebuilt = rebuild(folder, &keys).unwrap();
    assert_eq!((rebuilt.messages, rebuilt.gaps), (0, 1));
    rebuilt.store.close().unwrap();
    let new = keys.load(&name()).unwrap();
    assert_ne!(new, secret);
    // The key is found again: the old one opens with it.
    let old = eft_store::StoreKey::from_secret(&secret).unwrap();
    let store = Store::open(&rebuilt.set_aside, &old, &options()).unwrap();
    assert_eq!(messages(&store), 400);
}

#[test]
fn a_database_that_only_waits_for_something_is_not_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keys = account(folder);
    let path = Home::path_in(folder);
    struct Locked;
    impl eft_store::SecretStore for Locked {
        fn load(
            &self,
            _: &eft_store::SecretName,
        ) -> Result<zeroize::Zeroizing<Vec<u8>>, SecretError> {
            Err(SecretError::Locked)
        }
        fn store(&self, _: &eft_store::SecretName, _: &[u8]) -> Result<(), SecretError> {
            Err(SecretError::Locked)
        }
        fn delete(&self, _: &eft_store::SecretName) -> Result<(), SecretError> {
            Err(SecretError::Locked)
        }
    }
    let locked = Store::rebuild(&path, &Locked, &name(), &own(), &options());
    assert!(matches!(
        locked,
        Err(OpenError::KeyUnavailable(SecretError::Locked))
    ));
    let store = Store::open_with_secret(&path, &keys, &name(), &options()).unwrap();
    let lease = store.take_lease(&keys, &name(), Duration::ZERO);
    assert!(matches!(rebuild(folder, &keys), Err(OpenError::Busy)));
    drop(lease);
    store.close().unwrap();
    let another = Store::rebuild(&path, &keys, &name(), &juliet(), &options());
    assert!(matches!(another, Err(OpenError::Corrupt { .. })));
    let nowhere = folder.join("nowhere.db");
    let missing = Store::rebuild(&nowhere, &keys, &name(), &own(), &options());
    assert!(matches!(missing, Err(OpenError::NotFound { .. })));
    let store = Store::open_with_secret(&path, &keys, &name(), &options()).unwrap();
    assert_eq!(messages(&store), 400);

    // Of a newer version of this software, which can read it all.
    let home = Home::new();
    let path = home.path();
    let folder = home.folder;
    home.store.close().unwrap();
    raw_connection(&path, &our_settings())
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let keys = MemorySecretStore::new();
    keys.store(&name(), &key().to_secret()).unwrap();
    let newer = Store::rebuild(&path, &keys, &name(), &own(), &options());
    assert!(matches!(newer, Err(OpenError::NewerSchema { .. })));
    drop(folder);
}

#[test]
fn an_interrupted_rebuild_has_no_effect_or_is_completed_by_opening() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keys = account(folder);
    let path = Home::path_in(folder);
    let beside = |suffix: &str| folder.join(format!("romeo.db{suffix}"));
    let open = || Store::open_with_secret(&path, &keys, &name(), &options());
    // Died while it was copying.
    fs::write(beside(".rebuilding"), b"half").unwrap();
    assert_eq!(messages(&open().unwrap()), 400);
    // Died when the new one was complete, and before the old one was moved.
    let rebuilt = rebuild(folder, &keys).unwrap();
    rebuilt.store.close().unwrap();
    fs::rename(&path, beside(".rebuilt")).unwrap();
    fs::rename(&rebuilt.set_aside, &path).unwrap();
    let store = open().unwrap();
    assert_eq!(store.outbox(None, 10).unwrap().len(), 3, "the old one");
    store.close().unwrap();
    // Died when the old one was moved, and not its log.
    fs::rename(&path, beside(".damaged-1")).unwrap();
    fs::write(beside("-wal"), b"a log of the old one").unwrap();
    assert!(matches!(
        Store::create_with_secret(&path, &keys, &name(), &own(), &options()),
        Err(OpenError::AlreadyExists { .. })
    ));
    let store = open().unwrap();
    assert_eq!(store.outbox(None, 10).unwrap().len(), 2, "the new one");
    assert_eq!(messages(&store), 400);
}
