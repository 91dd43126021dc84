//! How long others wait for the database: every transaction of a day's work.

use std::path::Path;

use eft_bench::Failure;
use eft_bench::figures::Figures;
use eft_bench::rounds::{part, timed};
use eft_store::{
    Batch, ConversationRef, Durability, NewMessage, NewOutboxEntry, Opaque, OutboxContent,
    Plaintext, Store, StoreOptions,
};
use eft_types::OriginId;

use crate::opening::furnish;
use eft_bench::people::{NOW, archived, contact, key, own, rng, words};

/// Pages of a catch-up, as the client asks for them.
const PAGE: u64 = 100;
const ROUNDS: u64 = 200;

/// Pages of a catch-up with a sync after each, messages that arrive live, messages sent, words put into the index, and
/// old messages forgotten.
pub(crate) fn measure(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let path = folder.join("transactions.db");
    furnish(&path, 20_000)?;
    let store = Store::open(&path, &key(), &StoreOptions::app())?;
    let mut rng = rng(9);
    let mut number = 100_000;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let mut catch_up = Batch::new();
        for _ in 0..PAGE {
            number += 1;
            let peer = contact(usize::try_from(number % 20)?)?;
            catch_up.insert_message(archived(&peer, number, words(&mut rng, 10))?);
        }
        times.push(commit(&store, &catch_up, Durability::Deferred)?);
        let (time, done) = timed(|| store.sync());
        done?;
        times.push(time);
        for _ in 0..3 {
            number += 1;
            let mut live = Batch::new();
            live.insert_message(archived(&contact(1)?, number, words(&mut rng, 10))?);
            times.push(commit(&store, &live, Durability::Full)?);
            times.push(commit(
                &store,
                &sending(number, &words(&mut rng, 10))?,
                Durability::Full,
            )?);
        }
        let (time, done) = timed(|| store.index_search(200));
        done?;
        times.push(time);
        if round % 10 == 0 {
            let (time, done) = timed(|| store.expire(NOW.saturating_add_millis(1000), 100));
            done?;
            times.push(time);
        }
    }
    let note = format!("{} transactions", times.len());
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    figures.add(
        "store.txn_p99_ms",
        millis(part(&mut times, 0.99)),
        None,
        note.clone(),
    );
    figures.add(
        "store.txn_max_ms",
        millis(part(&mut times, 1.0)),
        None,
        note,
    );
    Ok(())
}

fn commit(
    store: &Store,
    batch: &Batch,
    durability: Durability,
) -> Result<std::time::Duration, Failure> {
    let (time, done) = timed(|| store.commit(batch, durability));
    done?;
    Ok(time)
}

fn sending(number: u64, text: &str) -> Result<Batch, Failure> {
    let mut batch = Batch::new();
    let message = batch.insert_message(NewMessage::outgoing(
        ConversationRef::direct(contact(1)?),
        own()?.into(),
        OriginId::new(format!("sent-{number}")),
        Plaintext::text(text),
        NOW,
    ));
    batch.enqueue(NewOutboxEntry {
        content: OutboxContent::NewMessage(message),
        stanza: Some(Opaque::new(vec![b'x'; 900])),
        to: None,
        queued: NOW,
    });
    Ok(batch)
}
