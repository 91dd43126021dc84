//! One holder at a time, and whoever lost the lease writes nothing (law 6).

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use eft_store::{
    Batch, Content, Durability, FileSecretStore, Insertion, Intake, Lease, LeaseError,
    MemorySecretStore, Opaque, Plaintext, Store, StoreError, StreamState,
};
use eft_types::OriginId;

use crate::processes::{Process, create, name, open, role, secrets};
use crate::soak::Slice;
use crate::support::*;

const AT_ONCE: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(20);

fn take(store: &Store, folder: &Path, wait: Duration) -> Result<Lease, LeaseError> {
    store.take_lease(&secrets(folder), &name(), wait)
}

fn message(text: &str) -> Batch {
    let mut batch = Batch::new();
    batch.insert_message(live(text));
    batch
}

fn write(store: &Store, text: &str) -> Result<(), StoreError> {
    store.commit(&message(text), Durability::Deferred).map(drop)
}

#[test]
fn the_second_waits_until_the_first_gives_the_lease_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (app, extension) = (create(folder), open(folder));
    let first = take(&app, folder, AT_ONCE).unwrap();
    assert_eq!(first.generation().as_u64(), 1);
    assert!(matches!(
        take(&extension, folder, AT_ONCE),
        Err(LeaseError::Held)
    ));
    assert!(matches!(take(&app, folder, AT_ONCE), Err(LeaseError::Held)));
    // Longer than a term: it is renewed.
    assert!(matches!(
        take(&extension, folder, Duration::from_millis(1500)),
        Err(LeaseError::Held)
    ));
    write(&app, "of the first").unwrap();
    first.check().unwrap();
    first.release();
    let second = take(&extension, folder, AT_ONCE).unwrap();
    assert_eq!(second.generation().as_u64(), 2);
    write(&extension, "of the second").unwrap();
    assert!(matches!(write(&app, "late"), Err(StoreError::LeaseLost)));
    assert!(matches!(app.sync(), Err(StoreError::LeaseLost)));
    drop(second);
    // Nobody has it, but somebody had: what the first remembers is old.
    assert!(matches!(write(&app, "late"), Err(StoreError::LeaseLost)));
    let third = take(&app, folder, AT_ONCE).unwrap();
    write(&app, "of the third").unwrap();
    assert_eq!(app.generation().unwrap(), third.generation());
    let page = app.timeline(&juliet(), None, 10).unwrap();
    let texts: Vec<_> = page.iter().rev().map(text_of).collect();
    assert_eq!(texts, ["of the first", "of the second", "of the third"]);
}

#[test]
fn a_store_that_never_took_the_lease_writes_only_while_nobody_has_or_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (with, without) = (create(folder), open(folder));
    write(&without, "before").unwrap();
    let lease = take(&with, folder, AT_ONCE).unwrap();
    assert!(matches!(write(&without, "x"), Err(StoreError::LeaseLost)));
    let newer = open(folder);
    assert!(matches!(write(&newer, "x"), Err(StoreError::NotHolder)));
    drop(lease);
    write(&newer, "after").unwrap();
    assert!(matches!(write(&without, "x"), Err(StoreError::LeaseLost)));
}

#[test]
fn a_read_needs_no_lease() {
    let folder = tempfile::tempdir().unwrap();
    let (with, without) = (create(folder.path()), open(folder.path()));
    let _lease = take(&with, folder.path(), AT_ONCE).unwrap();
    write(&with, "hello").unwrap();
    assert_eq!(without.timeline(&juliet(), None, 10).unwrap().len(), 1);
}

#[test]
fn closing_or_dropping_gives_the_lease_back_and_no_thread_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (first, second) = (create(folder), open(folder));
    let lease = take(&first, folder, AT_ONCE).unwrap();
    first.close().unwrap();
    assert!(matches!(lease.check(), Err(LeaseError::Lost)));
    drop(take(&second, folder, AT_ONCE).unwrap());
    drop(lease);
    drop(take(&second, folder, AT_ONCE).unwrap());
}

#[test]
fn a_lease_given_up_late_does_not_take_away_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (store, other) = (create(folder), open(folder));
    let old = take(&store, folder, AT_ONCE).unwrap();
    store.suspend().unwrap();
    store.resume().unwrap();
    let new = take(&store, folder, AT_ONCE).unwrap();
    drop(old);
    std::thread::sleep(Duration::from_millis(600));
    new.check().unwrap();
    assert!(matches!(
        take(&other, folder, AT_ONCE),
        Err(LeaseError::Held)
    ));
}

#[test]
fn a_secret_store_that_fails_leaves_no_lease_and_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    drop(take(&store, folder, AT_ONCE).unwrap());
    let keys = secrets(folder);
    let kept = std::fs::read(folder.join("keys/romeo.generation.secret")).unwrap();
    // A folder in the place of the secret cannot be replaced by a file, nor read as one.
    std::fs::remove_file(folder.join("keys/romeo.generation.secret")).unwrap();
    std::fs::create_dir(folder.join("keys/romeo.generation.secret")).unwrap();
    for _ in 0..3 {
        let refused = store.take_lease(&keys, &name(), AT_ONCE);
        assert!(matches!(refused, Err(LeaseError::SecretStore(_))));
    }
    assert!(matches!(write(&store, "x"), Err(StoreError::LeaseLost)));
    std::fs::remove_dir(folder.join("keys/romeo.generation.secret")).unwrap();
    std::fs::write(folder.join("keys/romeo.generation.secret"), kept).unwrap();
    let _lease = take(&store, folder, AT_ONCE).unwrap();
    write(&store, "hello").unwrap();
}

#[test]
fn the_intake_is_open_to_all_and_each_entry_becomes_something_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (app, share_sheet) = (create(folder), open(folder));
    let _lease = take(&app, folder, AT_ONCE).unwrap();
    write(&app, "read me").unwrap();
    let read_me = app.timeline(&juliet(), None, 1).unwrap().pop().unwrap().id;
    let conversation = eft_store::ConversationRef::direct(juliet());
    let left = [
        Intake::Text {
            conversation: conversation.clone(),
            origin_id: OriginId::new("shared"),
            plaintext: Plaintext::text("look"),
        },
        Intake::File {
            conversation,
            origin_id: OriginId::new("photo"),
            description: Opaque::new(*b"photo.jpg"),
        },
        Intake::ReadMark {
            peer: juliet(),
            up_to: read_me,
        },
    ];
    for (intake, now) in left.iter().zip(5..) {
        share_sheet.append_intake(intake, at(now)).unwrap();
    }
    let found = app.intake(None, 10).unwrap();
    let intakes: Vec<_> = found.iter().map(|entry| &entry.intake).collect();
    assert_eq!(intakes, left.iter().collect::<Vec<_>>());
    assert_eq!(app.intake(Some(found[1].id), 10).unwrap().len(), 1);
    assert_eq!(found[1].queued, at(6));

    let mut batch = Batch::new();
    batch.insert_message(ours("look"));
    batch.take_intake(found[0].id);
    batch.mark_read(juliet(), read_me);
    batch.take_intake(found[2].id);
    app.commit(&batch, Durability::Full).unwrap();
    assert_eq!(app.intake(None, 10).unwrap().len(), 1);
    let mut again = message("made of an entry that is gone");
    again.take_intake(found[0].id);
    assert!(matches!(
        app.commit(&again, Durability::Full),
        Err(StoreError::NoSuchIntakeEntry(id)) if id == found[0].id
    ));
    assert_eq!(app.timeline(&juliet(), None, 10).unwrap().len(), 2);
}

/// The counter of the stream stands for a ratchet: read once under a lease, then kept in memory, and each
/// value is used for one message. What was used is written down outside of the database, as if sent.
struct Ratchet {
    next: u32,
}

impl Ratchet {
    fn load(store: &Store) -> Self {
        Self {
            next: store
                .stream()
                .unwrap()
                .map_or(1, |stream| stream.acked_outbound + 1),
        }
    }

    fn step(&mut self, store: &Store) -> Result<u32, StoreError> {
        let number = self.next;
        let mut batch = Batch::new();
        let inserted = batch.insert_message(live(&number.to_string()));
        batch.start_stream(StreamState {
            resume_id: Opaque::new(*b"resume"),
            handled_inbound: 0,
            acked_outbound: number,
            details: Opaque::new(*b""),
        });
        let committed = store.commit(&batch, Durability::Deferred)?;
        let inserted = committed.message(inserted).unwrap();
        assert!(
            matches!(inserted, Insertion::Inserted(_)),
            "{number} reused"
        );
        self.next += 1;
        Ok(number)
    }
}

/// Takes the lease again and again, and uses the ratchet while it has it.
fn use_the_ratchet_for_ever(folder: &Path) {
    let store = open(folder);
    let keys: FileSecretStore = secrets(folder);
    let mut spoken = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join("spoken"))
        .unwrap();
    loop {
        let lease = match store.take_lease(&keys, &name(), LONG) {
            Ok(lease) => lease,
            Err(LeaseError::Held | LeaseError::Lost | LeaseError::Store(StoreError::Busy)) => {
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        let mut ratchet = Ratchet::load(&store);
        for _ in 0..200 {
            match ratchet.step(&store) {
                Ok(number) if lease.check().is_ok() => {
                    // One write of its own: whole lines only.
                    spoken.write_all(format!("{number}\n").as_bytes()).unwrap();
                    // The network's turn: most of the time nothing is being written.
                    std::thread::sleep(Duration::from_millis(2));
                }
                Ok(_) | Err(StoreError::LeaseLost) => break,
                // Somebody was stopped inside a transaction.
                Err(StoreError::Busy) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

#[test]
fn a_holder_that_is_killed_loses_the_lease_at_once_and_a_frozen_one_within_a_second() {
    if let Some((folder, role)) = role() {
        let store = open(&folder);
        let lease = take(&store, &folder, LONG).unwrap();
        write(&store, &format!("of the {role}")).unwrap();
        println!("holds");
        // Frozen here, outside of any transaction. Time that it does not run does not pass for it.
        while lease.check().is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let refused = write(&store, "over newer ratchets");
        println!("refused {refused:?}");
        // It may have the lease again, in its turn.
        let again = take(&store, &folder, LONG).unwrap();
        write(&store, "of the thawed").unwrap();
        println!("again {}", again.generation());
        return;
    }
    const TEST: &str =
        "lease::a_holder_that_is_killed_loses_the_lease_at_once_and_a_frozen_one_within_a_second";
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    let mut killed = Process::start(TEST, folder, "killed");
    killed.hear("holds").unwrap();
    assert!(matches!(
        take(&store, folder, AT_ONCE),
        Err(LeaseError::Held)
    ));
    killed.kill();
    let begun = Instant::now();
    let lease = take(&store, folder, AT_ONCE).unwrap();
    let after_kill = begun.elapsed();
    drop(lease);

    let mut frozen = Process::start(TEST, folder, "frozen");
    frozen.hear("holds").unwrap();
    frozen.stop();
    let begun = Instant::now();
    let lease = take(&store, folder, LONG).unwrap();
    let after_freeze = begun.elapsed();
    write(&store, "of the next").unwrap();
    frozen.cont();
    assert_eq!(frozen.hear("refused").unwrap(), "Err(LeaseLost)");
    lease.check().unwrap();
    write(&store, "still of the next").unwrap();
    let generation = lease.generation().as_u64();
    drop(lease);
    assert_eq!(frozen.hear("again").unwrap(), (generation + 1).to_string());
    println!("after a kill {after_kill:?}, after a freeze {after_freeze:?}");
    // A term, and the time that a busy machine takes to ask.
    assert!(
        after_freeze < Duration::from_millis(1500),
        "{after_freeze:?}"
    );
    let page = store.timeline(&juliet(), None, 10).unwrap();
    let texts: Vec<_> = page.iter().rev().map(text_of).collect();
    assert_eq!(
        texts,
        [
            "of the killed",
            "of the frozen",
            "of the next",
            "still of the next",
            "of the thawed"
        ]
    );
}

#[test]
fn pitfall_18_stopped_and_killed_at_random_no_process_uses_a_ratchet_step_twice() {
    if let Some((folder, _)) = role() {
        return use_the_ratchet_for_ever(&folder);
    }
    const TEST: &str =
        "lease::pitfall_18_stopped_and_killed_at_random_no_process_uses_a_ratchet_step_twice";
    let seed = u64::from(crate::processes::count("EFT_STORE_SEED", 1));
    let few = crate::processes::count("EFT_STORE_BLOWS", 24);
    let slice = Slice::begin("s4", seed, 1);
    let blows = if slice.is_long() { few * 4 } else { few };
    slice.run(|seed| fight(TEST, seed, blows));
}

/// One fight for the lease. Answers how many steps of the ratchet it made.
fn fight(test: &str, seed: u64, blows: u32) -> u64 {
    use rand_core::Rng as _;
    let mut rng = rng(seed);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create(folder).close().unwrap();
    let count = 2 + seed as usize % 3;
    let start = || Process::start(test, folder, "user");
    let mut processes: Vec<_> = (0..count).map(|_| start()).collect();
    let (mut kills, mut stops, mut holders, mut inside) = (0, 0, 0, 0);
    for _ in 0..blows {
        std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 200)));
        // Mostly the holder: there is little to see in a process that waits.
        let any = rng.next_u32() as usize % count;
        let hit = match rng.next_u32() % 4 {
            0 => any,
            _ => processes.iter().position(Process::is_holder).unwrap_or(any),
        };
        // A process that ended found something wrong, and has said what.
        for process in &mut processes {
            assert!(process.child.try_wait().unwrap().is_none(), "one gave up");
        }
        if rng.next_u32().is_multiple_of(3) {
            processes[hit].kill();
            processes[hit] = start();
            kills += 1;
        } else {
            processes[hit].stop();
            stops += 1;
            holders += u32::from(processes[hit].is_holder());
            if processes[hit].is_writing() {
                inside += 1;
                // Nobody can do anything about it: not longer than others wait.
                std::thread::sleep(Duration::from_millis(300));
            } else {
                // Shorter than a term, and longer.
                std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 2000)));
            }
            processes[hit].cont();
        }
    }
    drop(processes);
    let store = open(folder);
    let spoken = std::fs::read_to_string(folder.join("spoken")).unwrap();
    let mut numbers: Vec<u32> = spoken.lines().map(|line| line.parse().unwrap()).collect();
    let said = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), said, "a step was spoken twice");
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store.timeline(&juliet(), before, 1000).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.key);
        rows.extend(page.into_iter().map(|message| match message.content {
            Content::Readable(plaintext) => plaintext.text.parse::<u32>().unwrap(),
            Content::Unreadable(_) => panic!("all can be read"),
        }));
    }
    rows.sort_unstable();
    let expected: Vec<u32> = (1..).take(rows.len()).collect();
    assert_eq!(rows, expected, "every step has one row");
    assert!(numbers.last() <= rows.last(), "spoken and not committed");
    assert!(said > 100, "the processes got to work: {said}");
    assert!(holders > 0, "only those that waited were stopped");
    let keys = secrets(folder);
    assert_eq!(store.rollback(&keys, &name()).unwrap(), None);
    println!(
        "S4 processes={count} messages={} spoken={said} leases={} kills={kills} stops={stops} \
         stops_of_the_holder={holders} \
         stops_inside_a_transaction={inside} reused=0 duplicates=0",
        rows.len(),
        store.generation().unwrap(),
    );
    rows.len() as u64
}

#[test]
fn a_lease_needs_a_secret_store_that_knows_the_account() {
    // Another name, or an empty store: nothing says that this database is the newest.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = create(folder);
    drop(take(&store, folder, AT_ONCE).unwrap());
    let empty = MemorySecretStore::new();
    assert!(matches!(
        store.take_lease(&empty, &name(), AT_ONCE),
        Err(LeaseError::RolledBack(rollback)) if rollback.expected.is_none()
    ));
}
