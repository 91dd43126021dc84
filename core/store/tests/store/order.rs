//! Timeline order: archive order where known, else after the last archived message.

use eft_store::{Batch, ConversationRef, Place};
use eft_types::StanzaId;
use rand_core::Rng as _;

use crate::support::*;

#[test]
fn live_messages_stand_in_the_order_of_arrival() {
    let home = Home::new();
    for text in ["a", "b", "c"] {
        home.insert(&live(text));
    }
    assert_eq!(home.texts(&juliet()), ["a", "b", "c"]);
}

#[test]
fn what_arrives_live_during_catch_up_stands_after_what_the_archive_still_brings() {
    let home = Home::new();
    commit_page(&home, &["1", "2"], false);
    home.insert(&named(live("5"), "5"));
    commit_page(&home, &["3"], false);
    home.insert(&ours("6, not sent yet"));
    commit_page(&home, &["4"], false);
    assert_eq!(
        home.texts(&juliet()),
        ["1", "2", "3", "4", "5", "6, not sent yet"]
    );
    commit_page(&home, &["5"], true);
    assert_eq!(
        home.texts(&juliet()),
        ["1", "2", "3", "4", "5", "6, not sent yet"]
    );
}

#[test]
fn the_archive_corrects_the_order_of_arrival() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    for text in ["3", "2"] {
        home.insert(&named(live(text), text));
    }
    assert_eq!(home.texts(&juliet()), ["1", "3", "2"]);
    commit_page(&home, &["2", "3"], true);
    assert_eq!(home.texts(&juliet()), ["1", "2", "3"]);
}

#[test]
fn a_message_that_never_got_out_keeps_its_neighbours_and_does_not_stay_at_the_bottom() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    home.insert(&named(live("2"), "2"));
    home.insert(&ours("never sent"));
    home.insert(&named(live("3"), "3"));
    assert_eq!(home.texts(&juliet()), ["1", "2", "never sent", "3"]);

    let mut batch = Batch::new();
    batch.reopen_archives();
    home.commit(&batch);
    commit_page(&home, &["2", "3"], false);
    assert_eq!(home.texts(&juliet()), ["1", "2", "never sent", "3"]);
    commit_page(&home, &["4"], true);
    home.insert(&live("5"));
    assert_eq!(
        home.texts(&juliet()),
        ["1", "2", "never sent", "3", "4", "5"]
    );
}

#[test]
fn what_stands_behind_several_messages_is_not_taken_along_by_the_first() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    for text in ["2", "3"] {
        home.insert(&named(live(text), text));
    }
    home.insert(&ours("never sent"));
    commit_page(&home, &["2", "3", "4"], true);
    assert_eq!(home.texts(&juliet()), ["1", "2", "3", "never sent", "4"]);
}

#[test]
fn pages_read_backward_stand_before_everything() {
    let home = Home::new();
    commit_page(&home, &["5", "6"], true);
    home.insert(&live("7"));
    for page in [["3", "4"], ["1", "2"]] {
        let mut batch = Batch::new();
        for text in page.iter().rev() {
            let mut message = paged(live(text), text);
            message.place = Place::ArchiveOlder;
            batch.insert_message(message);
        }
        home.commit(&batch);
    }
    assert_eq!(home.texts(&juliet()), ["1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn a_page_read_twice_changes_nothing() {
    let home = Home::new();
    commit_page(&home, &["1", "2", "3"], true);
    let before = home.store.timeline(&juliet(), None, 10).unwrap();
    let committed = commit_page(&home, &["1", "2", "3"], true);
    assert!(
        committed
            .messages()
            .iter()
            .all(|insertion| !insertion.is_news())
    );
    assert_eq!(home.store.timeline(&juliet(), None, 10).unwrap(), before);
}

#[test]
fn a_room_is_ordered_by_its_own_archive() {
    let home = Home::new();
    commit_page(&home, &["direct"], true);
    let in_room = |text: &str, place| {
        let mut message = live(text);
        message.conversation = ConversationRef::room(room());
        message.archive_id = Some(eft_store::ArchiveId::new(room(), StanzaId::new(text)));
        message.place = place;
        message
    };
    // Our own archive is at its end; the room's is not.
    home.insert(&in_room("2", Place::Provisional));
    home.insert(&in_room("1", Place::ArchiveNewer));
    assert_eq!(home.texts(&room()), ["1", "2"]);
    let mut batch = Batch::new();
    batch.advance_archive(eft_store::ArchiveProgress {
        archive: room(),
        last: Some((StanzaId::new("1"), at(1))),
        at_end: true,
    });
    home.commit(&batch);
    assert_eq!(home.texts(&room()), ["1", "2"]);
    assert_eq!(home.texts(&juliet()), ["direct"]);
}

#[test]
fn paging_shows_every_message_once() {
    let home = Home::new();
    let mut batch = Batch::new();
    for number in 0..25 {
        batch.insert_message(live(&format!("{number:02}")));
    }
    home.commit(&batch);
    commit_page(&home, &["07", "08"], true);
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = home.store.timeline(&juliet(), before, 4).unwrap();
        assert!(page.windows(2).all(|pair| pair[0].key > pair[1].key));
        let Some(last) = page.last() else { break };
        before = Some(last.key);
        seen.extend(page.iter().map(text_of));
    }
    seen.reverse();
    assert_eq!(seen, home.texts(&juliet()));
    assert_eq!(seen.len(), 25);
    assert!(home.store.timeline(&room(), None, 4).unwrap().is_empty());
    assert!(home.store.timeline(&juliet(), None, 0).unwrap().is_empty());
}

#[test]
fn only_archive_pages_move_a_cursor() {
    let home = Home::new();
    assert_eq!(home.store.archive_cursor(&own()).unwrap(), None);
    commit_page(&home, &["1"], true);
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    home.insert(&named(live("9"), "9"));
    home.insert(&ours("8"));
    assert_eq!(
        home.store.archive_cursor(&own()).unwrap(),
        Some(cursor.clone())
    );

    // An empty page proves the end and moves nothing.
    let mut batch = Batch::new();
    batch.reopen_archives();
    home.commit(&batch);
    assert!(!home.store.archive_cursor(&own()).unwrap().unwrap().at_end);
    let mut batch = Batch::new();
    batch.advance_archive(progress(None, true));
    home.commit(&batch);
    assert_eq!(home.store.archive_cursor(&own()).unwrap(), Some(cursor));
}

/// An archive of 60 messages reaches us live and by pages, with reconnects and unsent messages of ours
/// in between, differently for every seed. At the end the archived ones stand in archive order, each
/// once, and nothing is missing.
#[test]
fn whatever_the_delivery_the_archive_decides_the_order() {
    for seed in 0..40 {
        let mut rng = rng(seed);
        let mut draw = |bound: u32| rng.next_u32() % bound;
        let home = Home::new();
        let archive: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
        let (mut sent, mut fetched, mut unsent) = (0, 0, 0);
        let mut online = false;
        while fetched < archive.len() {
            match draw(10) {
                // Somebody writes.
                0..4 if sent < archive.len() => {
                    let text = &archive[sent];
                    sent += 1;
                    if online && draw(4) > 0 {
                        home.insert(&named(live(text), text));
                    }
                }
                // We write, and it never gets out.
                4 => {
                    unsent += 1;
                    home.insert(&ours(&format!("unsent {unsent}")));
                }
                5 => {
                    online = draw(3) > 0;
                    let mut batch = Batch::new();
                    batch.reopen_archives();
                    home.commit(&batch);
                }
                // A page.
                _ => {
                    let end = sent.min(fetched + 1 + draw(7) as usize);
                    let page: Vec<&str> =
                        archive[fetched..end].iter().map(String::as_str).collect();
                    commit_page(&home, &page, end == sent);
                    fetched = end;
                }
            }
        }
        let texts = home.texts(&juliet());
        assert_eq!(texts.len(), archive.len() + unsent, "seed {seed}");
        let of = |unsent: bool| {
            let texts = texts
                .iter()
                .filter(move |text| text.starts_with("unsent") == unsent);
            texts.cloned().collect::<Vec<_>>()
        };
        assert_eq!(of(false), archive, "seed {seed}");
        let numbered: Vec<String> = (1..=unsent)
            .map(|number| format!("unsent {number}"))
            .collect();
        assert_eq!(of(true), numbered, "seed {seed}: ours keep their order");
    }
}
