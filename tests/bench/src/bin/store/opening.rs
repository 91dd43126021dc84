//! Opening a database of some size.

use std::path::Path;

use eft_bench::figures::Figures;
use eft_bench::rounds::{by_turns, timed};
use eft_bench::{Failure, bare};
use eft_store::{Batch, Durability, Store, StoreOptions};

use eft_bench::people::{Installation, archived, contact, create, keep, key, own, rng, words};

/// Until the account's row has been read. A database with 2,000 messages and an installation.
pub(crate) fn measure(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let path = folder.join("opening.db");
    furnish(&path, 2000)?;
    let pair = by_turns(
        60,
        || {
            let (time, store) = timed(|| Store::open(&path, &key(), &StoreOptions::app()));
            store?.close()?;
            Ok::<_, Failure>(time)
        },
        || {
            let (time, connection) = timed(|| bare::open(&path));
            connection?.close().map_err(|(_, error)| error)?;
            Ok(time)
        },
    )?;
    figures.add("store.open_vs_bare", pair.ratio(), Some(1.4), pair.note());
    Ok(())
}

/// Makes a database with an installation and so many messages.
pub(crate) fn furnish(path: &Path, messages: u64) -> Result<(), Failure> {
    let store = create(path)?;
    let (_, changes) = Installation::new(&own()?, 1)?;
    keep(&store, changes)?;
    let mut rng = rng(2);
    let peer = contact(0)?;
    let mut batch = Batch::new();
    for number in 0..messages {
        batch.insert_message(archived(&peer, number, words(&mut rng, 10))?);
    }
    store.commit(&batch, Durability::Full)?;
    store.close()?;
    Ok(())
}
