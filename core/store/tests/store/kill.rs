//! A process that dies at any instant loses nothing that it reported, and leaves nothing half done.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use eft_omemo::{Changes, RecordKey};
use eft_store::{Batch, Durability, NewOutboxEntry, Opaque, OutboxContent, Store, StoreOptions};
use eft_types::{OriginId, StanzaId};
use rand_core::Rng as _;

use crate::foreign::{our_settings, raw_connection};
use crate::support::*;

/// Names the database to the child, which is this test again.
const CHILD: &str = "EFT_STORE_KILL_TEST_DATABASE";

/// How many children die. `EFT_STORE_KILLS` asks for more than fit into an ordinary run.
fn kill_count() -> u32 {
    std::env::var("EFT_STORE_KILLS").map_or(25, |count| count.parse().unwrap())
}

/// Engine records of batch `number`: 200 rows, other ones than those of the batch before. Made once,
/// because a child should spend its time committing.
fn records(number: u32) -> &'static Changes {
    static SETS: LazyLock<[Changes; 3]> = LazyLock::new(|| {
        [0, 1, 2].map(|seed| eft_omemo::install(&own(), &[], at(1), &mut rng(seed)).changes)
    });
    &SETS[number as usize % SETS.len()]
}

/// Batch `number`: a message from the archive with cursor, an answer in the outbox, engine records. Sent twice,
/// so that also what is known takes part.
pub(crate) fn batch(number: u32) -> Batch {
    let text = number.to_string();
    let mut batch = Batch::new();
    batch.insert_message(paged(live(&text), &text));
    batch.insert_message(named(live(&text), &text));
    let answer = batch.insert_message(ours(&format!("answer {text}")));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(answer),
        stanza: Some(Opaque::new(text.clone())),
        to: None,
        queued: at(i64::from(number)),
    });
    batch.merge_changes(records(number).clone());
    batch.advance_archive(progress(Some(&text), false));
    batch
}

/// Commits batch after batch, saying the number of each once it is committed.
fn commit_for_ever(path: &Path, first: u32) {
    let store = Store::open(path, &key(), &StoreOptions::app()).unwrap();
    let mut out = std::io::stdout();
    for number in first.. {
        // Killing a process takes back neither kind.
        let durability = match number % 4 {
            0 => Durability::Full,
            _ => Durability::Deferred,
        };
        store.commit(&batch(number), durability).unwrap();
        writeln!(out, "committed {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Batches that are in the database, whole; fails if one is there in part or twice.
pub(crate) fn whole_batches(path: &Path) -> u32 {
    let store = Store::open(path, &key(), &StoreOptions::app()).unwrap();
    let cursor = store.archive_cursor(&own()).unwrap();
    let last: u32 = cursor.and_then(|cursor| cursor.last).map_or(0, |(id, _)| {
        id.as_str().trim_start_matches("archived-").parse().unwrap()
    });
    let outbox = store.outbox(None, 1000).unwrap();
    let numbers: Vec<String> = (1..=last).map(|number| number.to_string()).collect();
    let bytes: Vec<_> = outbox
        .iter()
        .map(|entry| String::from_utf8(entry.stanza.clone().unwrap().into_bytes()).unwrap())
        .collect();
    assert_eq!(bytes, numbers);
    for number in &numbers {
        let id = eft_store::ArchiveId::new(own(), StanzaId::new(format!("archived-{number}")));
        assert!(
            store.message_by_archive_id(&id).unwrap().is_some(),
            "{number}"
        );
        let id = OriginId::new(format!("origin-answer {number}"));
        let answer = store.message_by_origin_id(&juliet(), &own().into(), &id);
        assert!(answer.unwrap().is_some(), "{number}");
    }
    let messages = store.timeline(&juliet(), None, 1000).unwrap().len();
    assert_eq!(messages, 2 * numbers.len());
    if last > 0 {
        let expected = records(last);
        let keys: Vec<RecordKey> = expected.iter().map(|(key, _)| key.clone()).collect();
        for (key, found) in store.load(&keys).unwrap() {
            assert_eq!(found.as_ref(), expected.lookup(&key).flatten(), "{key:?}");
        }
    }
    last
}

#[test]
fn killed_at_any_instant_every_reported_batch_is_there_once_and_whole() {
    if let Some(path) = std::env::var_os(CHILD) {
        let path = Path::new(&path);
        let first = whole_batches(path) + 1;
        return commit_for_ever(path, first);
    }
    let mut rng = rng(20);
    let mut committed_after_report = 0;
    let mut total = 0;
    let mut home = Home::new();
    let kills = kill_count();
    for kill in 0..kills {
        // A new database now and then, so that short and long ones are killed.
        if kill % 5 == 0 {
            total += whole_batches(&home.path());
            home = Home::new();
        }
        let folder = home.folder;
        let path = Home::path_in(folder.path());
        home.store.close().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("kill::killed_at_any_instant_every_reported_batch_is_there_once_and_whole")
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: String| -> Option<u32> {
            line.rsplit_once("committed ")
                .and_then(|(_, number)| number.parse().ok())
        };
        let mut reported = lines
            .by_ref()
            .find_map(|line| number(line.unwrap()))
            .unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(rng.next_u32() % 60_000)));
        // SIGKILL on Unix: the child runs no more code.
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            // The last line may be cut off.
            reported = number(line.unwrap()).map_or(reported, |number| reported.max(number));
        }
        let there = whole_batches(&path);
        let check: String = raw_connection(&path, &our_settings())
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok", "kill {kill}");
        assert!(
            there == reported || there == reported + 1,
            "kill {kill}: {reported} reported, {there} there"
        );
        committed_after_report += there - reported;
        let store = Store::open(&path, &key(), &options()).unwrap();
        home = Home { folder, store };
    }
    total += whole_batches(&home.path());
    println!(
        "S1 kills={kills} batches={total} not_yet_reported={committed_after_report} lost=0 half=0"
    );
    assert!(total > kills, "the children got to work");
}
