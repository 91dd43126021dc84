//! Databases of earlier schemas open, with everything that was in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eft_omemo::Changes;
use eft_store::{
    Batch, ConversationEncryption, ConversationRef, Credential, DeviceEvent, DeviceEventKind,
    Durability, MemorySecretStore, NewOutboxEntry, Opaque, OutboxContent, Store, StoreOptions,
    StreamState, UnreadableCause,
};
use eft_types::DeviceAddress;
use rand_core::Rng as _;

use crate::foreign::{our_settings, raw_connection};
use crate::processes::{Process, count, name, role};
use crate::support::*;

/// Names the file that `the_content_of_a_fixture_is_written_where_asked` writes.
const MAKE: &str = "EFT_STORE_MAKE_FIXTURE";

/// What the engine of the fixture's account keeps: a fresh installation.
fn installed() -> Changes {
    eft_omemo::install(&own(), &[], at(1), &mut rng(1)).changes
}

/// One of everything that the first schema can hold.
fn content() -> Batch {
    let mut batch = Batch::new();
    batch.merge_changes(installed());
    batch.set_credential(Some(Credential::new(b"credential".to_vec())));
    batch.set_encryption(
        ConversationRef::direct(juliet()),
        ConversationEncryption::Required,
        at(1),
    );
    for number in 0..20 {
        let text = format!("page {number}");
        batch.insert_message(paged(live(&text), &text));
    }
    batch.insert_message(live("not yet in the archive"));
    let mut unread = live("unreadable");
    unread.content = failed(UnreadableCause::BadMac);
    batch.insert_message(unread);
    let mut waits = live("waits");
    waits.content = pending();
    batch.insert_message(waits);
    let queued = batch.insert_message(ours("queued"));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(queued),
        stanza: Some(Opaque::new(*b"<message/>")),
        to: None,
        queued: at(2),
    });
    batch.advance_archive(progress(Some("page 19"), true));
    batch.start_stream(StreamState {
        resume_id: Opaque::new(*b"resume"),
        handled_inbound: 7,
        acked_outbound: 5,
        details: Opaque::new(*b"details"),
    });
    batch.log_device(DeviceEvent {
        at: at(3),
        device: DeviceAddress::new(juliet(), device(7)),
        kind: DeviceEventKind::Appeared,
        detail: None,
    });
    batch
}

#[test]
fn the_content_of_a_fixture_is_written_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = match std::env::var_os(MAKE) {
        Some(path) => PathBuf::from(path),
        None => Home::path_in(folder.path()),
    };
    let store = Store::create(&path, &key(), &own(), &options()).unwrap();
    store.commit(&content(), Durability::Full).unwrap();
    // The index is behind, as it is most of the time.
    assert!(!store.index_search(10).unwrap());
    store.close().unwrap();
    assert_content(&path);
    assert!(path.metadata().unwrap().len() < 200_000);
}

/// Everything of [`content`] is there.
fn assert_content(path: &Path) {
    let store = Store::open(path, &key(), &StoreOptions::app()).unwrap();
    assert_eq!(store.own_jid(), &own());
    let expected = installed();
    let keys: Vec<_> = expected.iter().map(|(key, _)| key.clone()).collect();
    assert!(keys.len() > 200, "prekeys of both versions");
    for (key, found) in store.load(&keys).unwrap() {
        assert_eq!(found.as_ref(), expected.lookup(&key).flatten(), "{key:?}");
    }
    let credential = store.account().unwrap().credential.unwrap();
    assert_eq!(credential.as_bytes(), b"credential");
    let conversations = store.conversations().unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(
        conversations[0].conversation.encryption,
        ConversationEncryption::Required
    );
    assert_eq!(conversations[0].unread_count, 23);
    let page = store.timeline(&juliet(), None, 100).unwrap();
    let texts: Vec<_> = page.iter().rev().map(text_of).collect();
    let mut expected: Vec<_> = (0..20).map(|number| format!("page {number}")).collect();
    expected.extend(["not yet in the archive", "?", "?", "queued"].map(str::to_owned));
    assert_eq!(texts, expected);
    assert_eq!(store.search("page", None, None, 100).unwrap().len(), 20);
    let outbox = store.outbox(None, 10).unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].stanza.as_ref().unwrap().as_bytes(), b"<message/>");
    let cursor = store.archive_cursor(&own()).unwrap().unwrap();
    assert!(cursor.at_end);
    assert_eq!(cursor.last.unwrap().0, archived_as("page 19").stanza_id);
    assert_eq!(store.stream().unwrap().unwrap().handled_inbound, 7);
    assert_eq!(store.device_log(None, 10).unwrap().len(), 1);
    store.close().unwrap();
}

/// A copy of a fixture to work on.
fn fixture(file: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = Home::path_in(folder.path());
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    std::fs::copy(Path::new(fixtures).join(file), &copy).unwrap();
    (folder, copy)
}

/// Every schema that a database out there may have. A release adds its own.
const FIXTURES: [(&str, u32); 9] = [
    ("schema-1.db", 1),
    ("schema-2.db", 2),
    ("schema-3.db", 3),
    ("schema-4.db", 4),
    ("schema-5.db", 5),
    ("schema-6.db", 6),
    ("schema-7.db", 7),
    ("schema-8.db", 8),
    ("schema-9.db", 9),
];

fn schema(path: &Path) -> u32 {
    raw_connection(path, &our_settings())
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_database_of_each_earlier_schema_opens_with_everything_in_it() {
    let newest = {
        let home = Home::new();
        schema(&home.path())
    };
    for (file, version) in FIXTURES {
        let (_folder, path) = fixture(file);
        assert_eq!(schema(&path), version, "{file}");
        assert_content(&path);
        assert_eq!(schema(&path), newest, "{file}");
        // It is as good as a new one: the lease, the intake, a commit.
        let secrets = MemorySecretStore::new();
        let store = Store::open(&path, &key(), &StoreOptions::app()).unwrap();
        let lease = store.take_lease(&secrets, &name(), Duration::ZERO).unwrap();
        assert_eq!(lease.generation().as_u64(), 1);
        let mut batch = Batch::new();
        batch.insert_message(live("after the migration"));
        store.commit(&batch, Durability::Full).unwrap();
        assert_eq!(store.intake(None, 10).unwrap(), []);
    }
}

#[test]
fn killed_in_a_migration_a_database_is_at_one_schema_or_the_next() {
    if let Some((folder, _)) = role() {
        println!("begins");
        let _ = Store::open(&Home::path_in(&folder), &key(), &StoreOptions::app()).unwrap();
        println!("migrated");
        return;
    }
    const TEST: &str = "released::killed_in_a_migration_a_database_is_at_one_schema_or_the_next";
    let kills = count("EFT_STORE_MIGRATION_KILLS", 40);
    let mut rng = rng(3);
    let mut seen = std::collections::BTreeMap::new();
    for kill in 0..kills {
        let (file, _) = FIXTURES[kill as usize % FIXTURES.len()];
        let (folder, path) = fixture(file);
        let mut process = Process::start(TEST, folder.path(), "migrates");
        process.hear("begins").unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(rng.next_u32() % 6_000)));
        process.kill();
        *seen.entry(schema(&path)).or_insert(0) += 1;
        assert_content(&path);
    }
    println!("S7 kills={kills} schemas_found={seen:?} failed=0");
    assert!(seen.len() > 1, "kills before and after: {seen:?}");
}
