//! What a long history costs.

use std::path::Path;
use std::time::Duration;

use eft_bench::Failure;
use eft_bench::figures::Figures;
use eft_bench::rounds::{median, timed};
use eft_store::{Batch, Durability, Store};

use eft_bench::people::{archived, contact, create, rng, words};

const CONVERSATIONS: usize = 20;
const LARGE: u64 = 1_000_000;
const SMALL: u64 = 1000;
/// A screenful, and what lies around it.
const PAGE: usize = 50;
const SEARCHES: u32 = 15;

/// The newest page of a conversation among many messages and among few; a search among many.
pub(crate) fn measure(folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    let small = fill(&folder.join("small.db"), SMALL)?;
    let large = fill(&folder.join("large.db"), LARGE)?;
    let (among_few, among_many) = (newest_page(&small)?, newest_page(&large)?);
    figures.add(
        "store.page_growth",
        among_many.as_secs_f64() / among_few.as_secs_f64(),
        Some(5.0),
        format!("{among_many:.2?} to {among_few:.2?}"),
    );
    let (indexing, done) = timed(|| -> Result<(), Failure> {
        while !large.index_search(1000)? {}
        Ok(())
    });
    done?;
    let (slowest, what) = slowest_search(&large)?;
    figures.add(
        "search.1m_ms",
        slowest.as_secs_f64() * 1e3,
        None,
        format!("{what}; the index took {:.0} s", indexing.as_secs_f64()),
    );
    Ok(())
}

fn fill(path: &Path, messages: u64) -> Result<Store, Failure> {
    let store = create(path)?;
    let mut rng = rng(messages);
    let mut number = 0;
    while number < messages {
        let mut batch = Batch::new();
        for _ in 0..1000.min(messages - number) {
            number += 1;
            let peer = contact(usize::try_from(number)? % CONVERSATIONS)?;
            let text = words(&mut rng, 10) + seldom(number);
            batch.insert_message(archived(&peer, number, text)?);
        }
        store.commit(&batch, Durability::Deferred)?;
    }
    store.sync()?;
    Ok(store)
}

/// Words that are looked for: one message in 100,000, and text without spaces in one of 1,000.
const fn seldom(number: u64) -> &'static str {
    if number % 100_000 == 7 {
        "wherefore"
    } else if number % 1000 == 8 {
        "今晚在花园里见面"
    } else {
        ""
    }
}

/// Conversation after conversation, so that pages are not always in memory.
fn newest_page(store: &Store) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for round in 0..400 {
        let peer = contact(round % CONVERSATIONS)?;
        let (time, page) = timed(|| store.timeline(&peer, None, PAGE));
        if page?.len() != PAGE {
            return Err("a page that is not full".into());
        }
        times.push(time);
    }
    Ok(median(&mut times))
}

/// The medians of some searches for the newest 50, of which the slowest counts.
fn slowest_search(store: &Store) -> Result<(Duration, String), Failure> {
    let mut slowest = (Duration::ZERO, String::new());
    for (typed, least) in [
        ("w1", PAGE),
        ("w9", PAGE),
        ("w1 w2 w3", PAGE),
        ("wherefore", 10),
        ("花园里", PAGE),
        ("nothingofthekind", 0),
    ] {
        let mut times = Vec::new();
        for _ in 0..SEARCHES {
            let (time, found) = timed(|| store.search(typed, None, None, PAGE));
            if found?.len() < least {
                return Err(format!("\"{typed}\" was not found").into());
            }
            times.push(time);
        }
        let time = median(&mut times);
        if time > slowest.0 {
            slowest = (time, format!("the slowest, \"{typed}\""));
        }
    }
    Ok(slowest)
}
