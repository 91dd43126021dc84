//! One chain through several archives, fetched in every order.

use eft_omemo::Version;
use eft_store::{ArchiveId, Content, Durability};
use eft_types::{BareJid, StanzaId, Timestamp};
use eft_xmpp::Element;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::{Pending, Retry};
use crate::pump::inbound::tests::alice::Alice;
use crate::pump::inbound::tests::peer::{Peer, Words as _};
use crate::pump::inbound::{Inbound, Receiving, Seen, Source};
use crate::unit::Unit;

const ARCHIVES: usize = 5;
const PAGE: usize = 100;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// What one device wrote, by archive, each in the archive's own order. As the five archives of one
/// chat and four rooms would hold it: which archive a message is in says nothing about its place in
/// the chain.
fn write(alice: &Alice, count: usize, seed: u64) -> Vec<Vec<Element>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bob = Peer::bob(alice, Version::Omemo2);
    let mut archives = vec![Vec::new(); ARCHIVES];
    for number in 0..count {
        let message = bob.write(alice, Version::Omemo2, &format!("text {number}"));
        let stanza = message.stanza_with(&format!("id='m{number}'"), "");
        archives[rng.random_range(0..ARCHIVES)].push(stanza);
    }
    archives
}

/// Takes one page as catch-up does, then tries what waits again.
fn take_page(
    alice: &Alice,
    pending: &mut Pending,
    archive: usize,
    page: &[(usize, &Element)],
    rng: &mut StdRng,
) {
    let mut unit = Unit::begin(&alice.store, NOW);
    unit.waiting_room = pending.room();
    let mut seen = Seen::default();
    for (index, stanza) in page {
        let own = BareJid::new("alice@a.example").unwrap();
        let source = Source::Archive {
            id: ArchiveId::new(own, StanzaId::new(format!("{archive}-{index}"))),
            stamp: Some(NOW),
            part: crate::pump::inbound::Part::Next,
        };
        Inbound::new(&alice.own, stanza, source)
            .unwrap()
            .take(&mut unit, &mut seen, Receiving::CatchUp, rng)
            .unwrap();
    }
    let done = unit.commit(Durability::Deferred).unwrap();
    pending.note(&done);
    let mut retry = Retry {
        announces: false,
        store: &alice.store,
        own: &alice.own,
        now: NOW,
        rng,
    };
    retry
        .run(pending, &done.moved, Receiving::CatchUp, |_| Ok(()))
        .unwrap();
}

/// How the pages of several archives are put into one order of fetching.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// One archive after the other, each from its oldest page.
    OneByOne,
    /// One archive after the other, each from its newest page.
    NewestFirst,
    /// A page of each in turn.
    InTurn,
    /// Any page at any time.
    Shuffled(u64),
}

fn pages(archives: &[Vec<Element>], order: Order) -> Vec<(usize, Vec<(usize, &Element)>)> {
    let mut by_archive: Vec<Vec<_>> = archives
        .iter()
        .enumerate()
        .map(|(archive, stanzas)| {
            let numbered: Vec<_> = stanzas.iter().enumerate().collect();
            numbered
                .chunks(PAGE)
                .map(|page| (archive, page.to_vec()))
                .collect()
        })
        .collect();
    if let Order::NewestFirst = order {
        by_archive.iter_mut().for_each(|pages| pages.reverse());
    }
    let mut flat = Vec::new();
    match order {
        Order::InTurn => {
            let rounds = by_archive.iter().map(Vec::len).max().unwrap_or(0);
            for round in 0..rounds {
                flat.extend(
                    by_archive
                        .iter()
                        .filter_map(|pages| pages.get(round).cloned()),
                );
            }
        }
        Order::OneByOne | Order::NewestFirst => flat.extend(by_archive.into_iter().flatten()),
        Order::Shuffled(seed) => {
            flat.extend(by_archive.into_iter().flatten());
            flat.shuffle(&mut StdRng::seed_from_u64(seed));
        }
    }
    flat
}

/// Fetches everything in an order and counts what can be read at the end.
fn readable_after(order: Order, count: usize) -> usize {
    let alice = Alice::install();
    let archives = write(&alice, count, 11);
    let mut rng = StdRng::seed_from_u64(12);
    let mut pending = Pending::default();
    for (number, (archive, page)) in pages(&archives, order).into_iter().enumerate() {
        take_page(&alice, &mut pending, archive, &page, &mut rng);
        if number == 7 {
            // As after a restart: the index comes from the store alone.
            let loaded = Pending::load(&alice.store, &alice.own).unwrap();
            assert_eq!(loaded.chains, pending.chains);
            assert_eq!(loaded.count, pending.count);
            pending = loaded;
        }
    }
    let devices = pending.devices();
    let mut retry = Retry {
        announces: false,
        store: &alice.store,
        own: &alice.own,
        now: NOW,
        rng: &mut rng,
    };
    retry
        .run(&mut pending, &devices, Receiving::Live, |_| Ok(()))
        .unwrap();
    assert_eq!(pending.count, 0, "{order:?}");
    let rows = rows(&alice);
    assert_eq!(rows.len(), count);
    rows.iter().filter(|row| row.content.is_readable()).count()
}

/// Bob's conversation.
fn rows(alice: &Alice) -> Vec<eft_store::Message> {
    let bob = BareJid::new("bob@b.example").unwrap();
    let mut all = Vec::new();
    loop {
        let before = all.last().map(|row: &eft_store::Message| row.key);
        let page = alice.store.timeline(&bob, before, 500).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn no_order_of_fetching_five_archives_loses_a_message() {
    for order in [
        Order::OneByOne,
        Order::NewestFirst,
        Order::InTurn,
        Order::Shuffled(1),
    ] {
        assert_eq!(readable_after(order, 5_000), 5_000, "{order:?}");
    }
}

/// The guard off: without waiting, the same order of fetching does lose messages.
#[test]
fn without_waiting_the_same_archives_lose_messages() {
    let alice = Alice::install();
    let archives = write(&alice, 5_000, 11);
    let mut rng = StdRng::seed_from_u64(12);
    for (archive, page) in pages(&archives, Order::NewestFirst) {
        let mut unit = Unit::begin(&alice.store, NOW);
        let mut seen = Seen::default();
        for (index, stanza) in page {
            let own = BareJid::new("alice@a.example").unwrap();
            let source = Source::Archive {
                id: ArchiveId::new(own, StanzaId::new(format!("{archive}-{index}"))),
                stamp: Some(NOW),
                part: crate::pump::inbound::Part::Next,
            };
            // As if nothing older could come: keys are evicted, and gaps are final.
            Inbound::new(&alice.own, stanza, source)
                .unwrap()
                .take(&mut unit, &mut seen, Receiving::Live, &mut rng)
                .unwrap();
        }
        unit.commit(Durability::Deferred).unwrap();
    }
    let lost = rows(&alice)
        .iter()
        .filter(|row| !row.content.is_readable())
        .count();
    assert!(lost > 0, "every message was read");
}

#[test]
fn what_still_waits_at_the_end_is_given_up_with_its_reason() {
    let alice = Alice::install();
    let mut rng = StdRng::seed_from_u64(12);
    let mut bob = Peer::bob(&alice, Version::Omemo2);
    let first = bob
        .write(&alice, Version::Omemo2, "first")
        .stanza_with("id='a'", "");
    // Messages that no archive holds: more than may ever be skipped.
    for _ in 0..2_500 {
        bob.write(&alice, Version::Omemo2, "lost");
    }
    let last = bob
        .write(&alice, Version::Omemo2, "last")
        .stanza_with("id='b'", "");
    let mut pending = Pending::default();
    take_page(
        &alice,
        &mut pending,
        0,
        &[(0, &first), (1, &last)],
        &mut rng,
    );
    assert_eq!(pending.count, 1);
    let devices = pending.devices();
    let mut retry = Retry {
        announces: false,
        store: &alice.store,
        own: &alice.own,
        now: NOW,
        rng: &mut rng,
    };
    retry
        .run(&mut pending, &devices, Receiving::Live, |_| Ok(()))
        .unwrap();
    retry.give_up(&mut pending, |_| Ok(())).unwrap();
    assert_eq!(pending.room(), super::PENDING_MAX);
    let jid = BareJid::new("bob@b.example").unwrap();
    let rows = alice.store.timeline(&jid, None, 10).unwrap();
    let Content::Unreadable(unreadable) = &rows[0].content else {
        panic!("a message behind a gap of 2,500 was read");
    };
    assert_eq!(unreadable.cause, eft_store::UnreadableCause::SkippedTooMany);
    assert_eq!(unreadable.retry, None);
    assert!(
        Pending::load(&alice.store, &alice.own)
            .unwrap()
            .chains
            .is_empty()
    );
}
