//! A catch-up's transaction, and that of a message to many devices.

use std::path::Path;

use eft_bench::figures::Figures;
use eft_bench::rounds::{by_turns, timed};
use eft_bench::{Failure, bare};
use eft_omemo::{Changes, RecordKey};
use eft_store::{Batch, Durability, NewMessage, Store, StoreOptions};
use eft_types::{DeviceAddress, DeviceId};
use rusqlite::Connection;

use crate::opening::furnish;
use eft_bench::people::{Installation, archived, contact, keep, key, own, rng, words};

const MESSAGES: u64 = 1000;
const CONTACTS: usize = 20;
const DEVICES: usize = 1000;
const ROUNDS: u32 = 15;

/// Two databases with the same in them, open in both ways.
struct Both {
    ours: Store,
    bare: Connection,
}

impl Both {
    fn new(folder: &Path, name: &str, messages: u64, records: &Changes) -> Result<Self, Failure> {
        let [ours, bare] = ["ours", "bare"].map(|way| folder.join(format!("{name}-{way}.db")));
        for path in [&ours, &bare] {
            furnish(path, messages)?;
            let store = Store::open(path, &key(), &StoreOptions::app())?;
            keep(&store, records.clone())?;
            store.close()?;
        }
        Ok(Self {
            ours: Store::open(&ours, &key(), &StoreOptions::app())?,
            bare: bare::open(&bare)?,
        })
    }
}

/// One device after another that we write to: what two messages to so many of them change.
fn two_messages(devices: usize) -> Result<[Changes; 2], Failure> {
    let (mut romeo, _) = Installation::new(&own()?, 5)?;
    let (juliet, _) = Installation::new(&contact(0)?, 6)?;
    let mut to = Vec::with_capacity(devices);
    for number in 0..devices {
        let address = DeviceAddress::new(contact(number)?, DeviceId::new(7)?);
        to.push(romeo.meet(&juliet, &address)?);
    }
    let (_, first) = romeo.write(b"first", &to)?;
    let (_, second) = romeo.write(b"second", &to)?;
    Ok([first, second])
}

fn keys_of(changes: &Changes) -> Vec<RecordKey> {
    changes.iter().map(|(key, _)| key.clone()).collect()
}

/// 1,000 messages of 20 contacts in one transaction, their sessions loaded and written once.
pub(crate) fn measure(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let states = two_messages(CONTACTS)?;
    let [before, after] = &states;
    let keys = keys_of(before);
    let mut both = Both::new(folder, "batch", 20_000, before)?;
    let (mut our_number, mut bare_number) = (100_000, 100_000);
    let pair = by_turns(
        ROUNDS,
        || {
            let messages = page(&mut our_number)?;
            let mut batch = Batch::new();
            batch.merge_changes(after.clone());
            let last = messages.last().cloned().ok_or("an empty page")?;
            for message in messages {
                batch.insert_message(message);
            }
            batch.advance_archive(eft_store::ArchiveProgress {
                archive: own()?,
                last: last
                    .archive_id
                    .map(|id| (id.stanza_id, eft_bench::people::NOW)),
                at_end: false,
            });
            let (time, done) = timed(|| -> Result<_, Failure> {
                let found = both.ours.load(&keys)?;
                let committed = both.ours.commit(&batch, Durability::Deferred)?;
                Ok((found, committed))
            });
            let (found, committed) = done?;
            let all_new = committed.messages().iter().all(|message| message.is_news());
            check(all_new && found.iter().all(|(_, record)| record.is_some()))?;
            Ok::<_, Failure>(time)
        },
        || {
            let messages = page(&mut bare_number)?;
            let (time, done) =
                timed(|| write_page(&mut both.bare, &keys, after, &messages, "NORMAL"));
            done?;
            Ok(time)
        },
    )?;
    figures.add("store.batch_vs_bare", pair.ratio(), Some(1.5), pair.note());
    figures.add(
        "store.batch_us_per_msg",
        pair.ours.as_secs_f64() * 1e6 / 1000.0,
        None,
        "of 1,000 in one transaction".into(),
    );
    Ok(())
}

/// The next 1,000 messages.
fn page(number: &mut u64) -> Result<Vec<NewMessage>, Failure> {
    let mut random = rng(*number);
    (0..MESSAGES)
        .map(|place| {
            *number += 1;
            let peer = contact(usize::try_from(place)? % CONTACTS)?;
            archived(&peer, *number, words(&mut random, 10))
        })
        .collect()
}

fn write_page(
    connection: &mut Connection,
    keys: &[RecordKey],
    changes: &Changes,
    messages: &[NewMessage],
    synchronous: &str,
) -> Result<(), Failure> {
    let found = bare::load(connection, keys)?;
    check(found.iter().all(|(_, record)| record.is_some()))?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    let transaction = connection.transaction()?;
    bare::write_records(&transaction, changes)?;
    let (archive, mut place) = bare::archive(&transaction, own()?.as_str())?;
    for message in messages {
        place += 2;
        let peer = message.conversation.peer.as_str();
        let conversation = bare::conversation(&transaction, peer)?;
        bare::insert(
            &transaction,
            conversation,
            archive,
            place,
            &bare::Row::of(message)?,
        )?;
    }
    if let Some(id) = messages.last().and_then(|last| last.archive_id.as_ref()) {
        bare::advance(&transaction, archive, place, id.stanza_id.as_str())?;
    }
    transaction.commit()?;
    Ok(())
}

/// 1,000 sessions loaded, and written as one message to all of them left them, durably. The engine's own work is in
/// neither.
pub(crate) fn measure_fan_out(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let states = two_messages(DEVICES)?;
    let keys = keys_of(&states[0]);
    check(keys.len() >= DEVICES)?;
    let mut both = Both::new(folder, "fan-out", 2000, &states[0])?;
    let (mut our_turn, mut bare_turn) = (states.iter().cycle(), states.iter().cycle());
    our_turn.next();
    bare_turn.next();
    let pair = by_turns(
        ROUNDS,
        || {
            let mut batch = Batch::new();
            batch.merge_changes(our_turn.next().ok_or("no state")?.clone());
            let (time, done) = timed(|| -> Result<_, Failure> {
                let found = both.ours.load(&keys)?;
                both.ours.commit(&batch, Durability::Full)?;
                Ok(found)
            });
            check(done?.iter().all(|(_, record)| record.is_some()))?;
            Ok::<_, Failure>(time)
        },
        || {
            let state = bare_turn.next().ok_or("no state")?;
            let (time, done) = timed(|| -> Result<(), Failure> {
                let found = bare::load(&both.bare, &keys)?;
                check(found.iter().all(|(_, record)| record.is_some()))?;
                both.bare.pragma_update(None, "synchronous", "FULL")?;
                let transaction = both.bare.transaction()?;
                bare::write_records(&transaction, state)?;
                transaction.commit()?;
                Ok(())
            });
            done?;
            Ok(time)
        },
    )?;
    figures.add(
        "fanout.1000_durable_vs_bare",
        pair.ratio(),
        Some(1.4),
        pair.note(),
    );
    Ok(())
}

/// What is measured has to have happened.
fn check(holds: bool) -> Result<(), Failure> {
    match holds {
        true => Ok(()),
        false => Err("what was measured did not happen".into()),
    }
}
