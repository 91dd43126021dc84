//! A wake-up by push: open, read one message, commit, close.

use std::path::Path;

use eft_bench::figures::Figures;
use eft_bench::rounds::{by_turns, timed};
use eft_bench::{Failure, bare};
use eft_omemo::{EncryptedMessage, Records, StepError, needs};
use eft_store::{Batch, Durability, Store, StoreOptions};
use eft_types::DeviceAddress;
use rand_chacha::ChaCha20Rng;

use crate::opening::furnish;
use eft_bench::people::{Installation, archived, contact, keep, key, own, read, rng};

const ROUNDS: u32 = 40;

/// In both ways the engine does the same, with the same randomness.
pub(crate) fn measure(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let [ours, bares] = ["wake-ours.db", "wake-bare.db"].map(|name| folder.join(name));
    let (romeo, installed) = Installation::new(&own()?, 3)?;
    let (mut juliet, _) = Installation::new(&contact(0)?, 4)?;
    let to = [juliet.meet(&romeo, &romeo.address)?];
    for path in [&ours, &bares] {
        furnish(path, 2000)?;
        let store = Store::open(path, &key(), &StoreOptions::app())?;
        keep(&store, installed.clone())?;
        store.close()?;
    }
    let mut letters = Vec::new();
    for number in 0..=ROUNDS {
        letters.push(juliet.write(format!("letter {number}").as_bytes(), &to)?.0);
    }
    let own_address = &romeo.address;
    let (mut our_letters, mut bare_letters) = (letters.iter().zip(0..), letters.iter().zip(0..));
    let pair = by_turns(
        ROUNDS,
        || {
            let (letter, number) = our_letters.next().ok_or("no letter")?;
            let (time, done) = timed(|| wake_ours(&ours, own_address, letter, number));
            done.map(|()| time)
        },
        || {
            let (letter, number) = bare_letters.next().ok_or("no letter")?;
            let (time, done) = timed(|| wake_bare(&bares, own_address, letter, number));
            done.map(|()| time)
        },
    )?;
    figures.add("store.wake_vs_bare", pair.ratio(), Some(1.5), pair.note());
    Ok(())
}

fn randomness(number: u64) -> ChaCha20Rng {
    rng(1000 + number)
}

fn wake_ours(
    path: &Path,
    own_address: &DeviceAddress,
    letter: &EncryptedMessage,
    number: u64,
) -> Result<(), Failure> {
    let store = Store::open(path, &key(), &StoreOptions::extension())?;
    let mut records = Records::new();
    let mut keys = needs(letter, own_address);
    let (text, changes) = loop {
        for (key, record) in store.load(&keys)? {
            records.insert_loaded(key, record);
        }
        match read(&records, letter, &mut randomness(number)) {
            Err(StepError::Missing(missing)) => keys = missing,
            done => break done?,
        }
    };
    check(&text, number)?;
    let mut batch = Batch::new();
    batch.insert_message(archived(&contact(0)?, 1_000_000 + number, text)?);
    batch.merge_changes(changes);
    store.commit(&batch, Durability::Full)?;
    store.close()?;
    Ok(())
}

fn wake_bare(
    path: &Path,
    own_address: &DeviceAddress,
    letter: &EncryptedMessage,
    number: u64,
) -> Result<(), Failure> {
    let mut connection = bare::open(path)?;
    let mut records = Records::new();
    let mut keys = needs(letter, own_address);
    let (text, changes) = loop {
        for (key, record) in bare::load(&connection, &keys)? {
            records.insert_loaded(key, record);
        }
        match read(&records, letter, &mut randomness(number)) {
            Err(StepError::Missing(missing)) => keys = missing,
            done => break done?,
        }
    };
    check(&text, number)?;
    let message = archived(&contact(0)?, 1_000_000 + number, text)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    let conversation = bare::conversation(&transaction, contact(0)?.as_str())?;
    let (archive, newest) = bare::archive(&transaction, own()?.as_str())?;
    bare::insert(
        &transaction,
        conversation,
        archive,
        newest + 2,
        &bare::Row::of(&message)?,
    )?;
    bare::write_records(&transaction, &changes)?;
    bare::advance(&transaction, archive, newest + 2, "last")?;
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn check(text: &str, number: u64) -> Result<(), Failure> {
    match text == format!("letter {number}") {
        true => Ok(()),
        false => Err(format!("letter {number} was not read").into()),
    }
}
