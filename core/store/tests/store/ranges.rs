//! Archives that are known in parts: the newest first, and what lies before it later.

use std::io::Cursor;
use std::ops::ControlFlow;

use eft_store::{
    Batch, ConversationRef, ExportOptions, MemorySecretStore, NewMessage, OlderHistory, Place,
    Store,
};
use rand_core::Rng as _;

use crate::processes::name;
use crate::support::*;

fn ahead(text: &str) -> NewMessage {
    let mut message = paged(live(text), text);
    message.place = Place::ArchiveAhead;
    message
}

/// Commits the newest page of the archive, as a part of its own. Without `at_end`, a beginning of that page.
fn commit_newest(home: &Home, texts: &[&str], at_end: bool) {
    let mut batch = Batch::new();
    batch.begin_range(own(), (archived_as(texts[0]).stanza_id, at(1)));
    extend_into(&mut batch, texts, at_end);
    home.commit(&batch);
}

fn extend_into(batch: &mut Batch, texts: &[&str], at_end: bool) {
    for text in texts {
        batch.insert_message(ahead(text));
    }
    batch.extend_range(progress(texts.last().copied(), at_end));
}

/// Commits a page that ends where the oldest range begins, and then that it does.
fn commit_joining_page(home: &Home, texts: &[&str]) {
    commit_page(home, texts, false);
    let mut batch = Batch::new();
    batch.join_range(own());
    home.commit(&batch);
}

fn reopen(home: &Home) {
    let mut batch = Batch::new();
    batch.reopen_archives();
    home.commit(&batch);
}

/// Texts, oldest first, with a line where messages are missing.
fn shown(home: &Home) -> Vec<String> {
    let slice = home.store.timeline_slice(&juliet(), None, 1000).unwrap();
    let mut shown: Vec<String> = slice.messages.iter().map(text_of).collect();
    // The indices come from the newest gap to the oldest: the last is put in first.
    for index in slice.gaps.iter().rev() {
        shown.insert(*index, "--".to_owned());
    }
    shown.reverse();
    shown
}

#[test]
fn the_newest_stands_beyond_a_gap_which_closes_without_moving_anything() {
    let home = Home::new();
    commit_page(&home, &["1", "2"], true);
    home.insert(&ours("written offline"));
    reopen(&home);
    home.insert(&ours("written while connecting"));
    commit_newest(&home, &["7", "8"], true);
    home.insert(&named(live("9"), "9"));
    let all = ["1", "2", "written offline", "--", "7", "8"];
    let last = ["written while connecting", "9"];
    assert_eq!(shown(&home), [&all[..], &last[..]].concat());
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    assert_eq!(cursor.last.unwrap().0, archived_as("2").stanza_id);
    assert!(cursor.newest_at_end && !cursor.at_end);
    assert_eq!(cursor.ranges.len(), 1);
    assert_eq!(cursor.ranges[0].first.0, archived_as("7").stanza_id);
    assert_eq!(cursor.ranges[0].last.0, archived_as("8").stanza_id);

    commit_page(&home, &["3", "4"], false);
    let before = home.store.timeline(&juliet(), None, 10).unwrap();
    commit_joining_page(&home, &["5", "6"]);
    let after = home.store.timeline(&juliet(), None, 20).unwrap();
    for row in before {
        assert!(after.contains(&row), "{row:?} moved");
    }
    let filled = ["1", "2", "written offline", "3", "4", "5", "6", "7", "8"];
    assert_eq!(shown(&home), [&filled[..], &last[..]].concat());
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    assert_eq!(cursor.last.unwrap().0, archived_as("8").stanza_id);
    assert!(cursor.at_end && cursor.ranges.is_empty());
    // And the archive goes on.
    reopen(&home);
    commit_page(&home, &["9", "10"], true);
    let texts = home.texts(&juliet());
    assert_eq!(texts[texts.len() - 2..], ["9", "10"]);
}

#[test]
fn a_message_that_was_sent_twice_stands_where_it_stands_first_whichever_is_read_first() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    reopen(&home);
    let copy = |text: &str, name: &str, place: Place, time: i64| {
        let mut message = paged(live(text), name);
        message.origin_id = Some(eft_types::OriginId::new(format!("id of {text}")));
        message.server_time = Some(at(time));
        message.place = place;
        message
    };
    let mut newest = Batch::new();
    newest.begin_range(own(), (archived_as("4").stanza_id, at(1)));
    newest.insert_message(ahead("4"));
    newest.insert_message(copy("2", "2 again", Place::ArchiveAhead, 50));
    newest.insert_message(ahead("5"));
    newest.extend_range(progress(Some("5"), true));
    home.commit(&newest);
    assert_eq!(shown(&home), ["1", "--", "4", "2", "5"]);

    let mut filling = Batch::new();
    filling.insert_message(copy("2", "2", Place::ArchiveNewer, 20));
    filling.insert_message(paged(live("3"), "3"));
    filling.advance_archive(progress(Some("3"), false));
    home.commit(&filling);
    let mut joining = Batch::new();
    joining.join_range(own());
    home.commit(&joining);
    assert_eq!(shown(&home), ["1", "2", "3", "4", "5"]);
    let rows = home.store.timeline(&juliet(), None, 10).unwrap();
    let moved = rows.iter().find(|row| text_of(row) == "2").unwrap();
    assert_eq!(moved.archive_id, Some(archived_as("2")));
    assert_eq!(moved.server_time, Some(at(20)));
    // The later copy comes again, and changes nothing.
    let mut again = Batch::new();
    again.insert_message(copy("2", "2 again", Place::ArchiveNewer, 50));
    home.commit(&again);
    assert_eq!(shown(&home), ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_message_that_came_live_is_not_moved_to_where_it_was_sent_again() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    let with_id = |mut message: NewMessage| {
        message.origin_id = Some(eft_types::OriginId::new("id of 2"));
        message
    };
    home.insert(&with_id(named(live("2"), "2")));
    home.insert(&named(live("3"), "3"));
    reopen(&home);
    let mut page = Batch::new();
    page.insert_message(paged(live("4"), "4"));
    page.insert_message(with_id(paged(live("2"), "2 again")));
    page.insert_message(paged(live("5"), "5"));
    page.advance_archive(progress(Some("5"), true));
    home.commit(&page);
    assert_eq!(shown(&home), ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_gap_is_shown_on_the_page_that_it_stands_on_and_on_no_other() {
    let home = Home::new();
    commit_page(&home, &["1", "2", "3"], true);
    reopen(&home);
    commit_newest(&home, &["7", "8", "9"], true);
    let page = |before, limit| {
        let slice = home.store.timeline_slice(&juliet(), before, limit).unwrap();
        let texts: Vec<_> = slice.messages.iter().map(text_of).collect();
        (texts.join(" "), slice)
    };
    let (texts, slice) = page(None, 4);
    assert_eq!((texts.as_str(), &slice.gaps[..]), ("9 8 7 3", &[3][..]));
    let (texts, next) = page(slice.messages.last().map(|row| row.key), 4);
    assert_eq!((texts.as_str(), next.gaps.len()), ("2 1", 0));
    assert!(slice.has_older && !next.has_older);
    // At the boundary of two pages it belongs to the second.
    let (texts, slice) = page(None, 3);
    assert_eq!((texts.as_str(), slice.gaps.len()), ("9 8 7", 0));
    let (texts, slice) = page(slice.messages.last().map(|row| row.key), 2);
    assert_eq!((texts.as_str(), &slice.gaps[..]), ("3 2", &[0][..]));
}

#[test]
fn a_conversation_with_messages_on_one_side_of_a_gap_shows_it_all_the_same() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    reopen(&home);
    let mut batch = Batch::new();
    batch.begin_range(own(), (archived_as("x").stanza_id, at(1)));
    batch.extend_range(progress(Some("x"), true));
    home.commit(&batch);
    assert_eq!(shown(&home), ["1", "--"]);
    let home = Home::new();
    let mut batch = Batch::new();
    batch.advance_archive(progress(Some("0"), true));
    home.commit(&batch);
    reopen(&home);
    commit_newest(&home, &["7"], true);
    assert_eq!(shown(&home), ["--", "7"]);
}

#[test]
fn a_page_that_broke_off_is_a_part_of_its_own_until_it_joins() {
    let home = Home::new();
    commit_page(&home, &["1"], true);
    reopen(&home);
    commit_newest(&home, &["3", "4"], false);
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    assert!(!cursor.newest_at_end);
    reopen(&home);
    commit_newest(&home, &["7"], true);
    assert_eq!(shown(&home), ["1", "--", "3", "4", "--", "7"]);
    commit_joining_page(&home, &["2"]);
    assert_eq!(shown(&home), ["1", "2", "3", "4", "--", "7"]);
    commit_page(&home, &["5"], false);
    commit_joining_page(&home, &["6"]);
    assert_eq!(shown(&home), ["1", "2", "3", "4", "5", "6", "7"]);
    assert!(home.store.archive_cursor(&own()).unwrap().unwrap().at_end);
}

#[test]
fn a_message_of_a_range_that_was_not_begun_is_refused_and_nothing_is_committed() {
    let home = Home::new();
    let mut batch = Batch::new();
    batch.insert_message(live("with it"));
    batch.insert_message(ahead("alone"));
    home.store
        .commit(&batch, eft_store::Durability::Full)
        .unwrap_err();
    assert_eq!(home.texts(&juliet()), Vec::<String>::new());
    // Of a range that is not there, the end moves nothing, and nothing joins.
    let mut batch = Batch::new();
    batch.extend_range(progress(Some("1"), true));
    batch.join_range(own());
    home.commit(&batch);
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    assert_eq!((cursor.last, cursor.at_end), (None, false));
}

#[test]
fn a_history_that_moves_to_another_device_with_a_gap_is_filled_there() {
    let old = Home::new();
    commit_page(&old, &["1", "2"], true);
    reopen(&old);
    commit_newest(&old, &["5", "6"], true);
    old.insert(&ours("mine"));
    let mut file = Vec::new();
    let mut go_on = |_| ControlFlow::Continue(());
    old.store
        .export(
            &mut file,
            "pass phrase",
            &ExportOptions::default(),
            at(9),
            &mut go_on,
        )
        .unwrap();
    let new = Home::new();
    new.store
        .import(Cursor::new(file), "pass phrase", &mut go_on)
        .unwrap();
    let cursor = new.store.archive_cursor(&own()).unwrap().unwrap();
    assert_eq!(cursor.last.unwrap().0, archived_as("2").stanza_id);
    assert!(cursor.ranges.is_empty() && !cursor.at_end);
    assert_eq!(new.texts(&juliet()), ["1", "2", "5", "6", "mine"]);
    // It knows no gap and reads on from the cursor.
    commit_page(&new, &["3", "4", "5", "6"], true);
    assert_eq!(new.texts(&juliet()), ["1", "2", "3", "4", "5", "6", "mine"]);
}

#[test]
fn a_rebuilt_history_keeps_its_gaps_and_what_deletes_messages_leaves_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    let keys = MemorySecretStore::new();
    let store = Store::create_with_secret(&path, &keys, &name(), &own(), &options()).unwrap();
    let home = Home { folder, store };
    commit_page(&home, &["1", "2"], true);
    reopen(&home);
    commit_newest(&home, &["5", "6"], true);
    let Home { folder, store } = home;
    store.close().unwrap();
    let store = Store::rebuild(&path, &keys, &name(), &own(), &options())
        .unwrap()
        .store;
    let home = Home { folder, store };
    assert_eq!(shown(&home), ["1", "2", "--", "5", "6"]);
    let cursor = home.store.archive_cursor(&own()).unwrap().unwrap();
    assert!(!cursor.newest_at_end, "the stream is lost");
    assert_eq!(cursor.ranges.len(), 1);
    // Retention: what has its end deleted is still known by its end.
    assert_eq!(home.store.expire(at(2_000_000), 10).unwrap(), 4);
    assert_eq!(home.store.archive_cursor(&own()).unwrap(), Some(cursor));
    commit_page(&home, &["3"], false);
    commit_joining_page(&home, &["4"]);
    assert_eq!(shown(&home), ["3", "4"]);
}

/// How far back a conversation is known, and that it has nothing to do with what lies beyond a gap.
#[test]
fn older_history_begins_before_all_that_is_known_without_a_gap() {
    let home = Home::new();
    let known = || home.store.older_history(&juliet()).unwrap();
    assert_eq!((known().first, known().at_beginning), (None, false));
    let mut batch = Batch::new();
    batch.advance_archive(progress(Some("5"), true));
    batch.note_first(own(), Some((archived_as("5").stanza_id, at(5))), false);
    home.commit(&batch);
    reopen(&home);
    commit_newest(&home, &["8"], true);
    assert_eq!(known().first, None, "what is beyond the gap does not count");
    commit_page(&home, &["6", "7"], false);
    assert_eq!(known().first, Some(archived_as("6").stanza_id));
    let mut batch = Batch::new();
    for text in ["4", "3"] {
        let mut message = paged(live(text), text);
        message.place = Place::ArchiveOlder;
        batch.insert_message(message);
    }
    let older = OlderHistory {
        first: Some(archived_as("3").stanza_id),
        at_beginning: false,
    };
    batch.note_older(ConversationRef::direct(juliet()), older.clone(), at(9));
    home.commit(&batch);
    assert_eq!(known(), older);
    assert_eq!(shown(&home), ["3", "4", "6", "7", "--", "8"]);
    // An empty page at the beginning forgets nothing.
    let mut batch = Batch::new();
    let end = OlderHistory {
        first: None,
        at_beginning: true,
    };
    batch.note_older(ConversationRef::direct(juliet()), end, at(9));
    home.commit(&batch);
    assert_eq!(known().first, older.first);
    assert!(known().at_beginning);
}

/// An archive of 60 messages reaches us by pages forward and by newest ones, with reconnects in between, differently for
/// every seed. At every instant the archived ones stand in archive order, and a gap stands between two exactly where one
/// that lies between them is not there.
#[test]
fn whatever_the_order_of_pages_a_gap_stands_where_messages_are_missing() {
    for seed in 0..40 {
        let mut rng = rng(seed);
        let mut draw = |bound: u32| (rng.next_u32() % bound) as usize;
        let home = Home::new();
        let texts: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
        // Up to where the contiguous part goes, and the ranges beyond it.
        let mut known = 1;
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        let mut written = 1;
        commit_page(&home, &["00"], true);
        while known < texts.len() {
            written = texts.len().min(written + draw(6));
            let top = ranges.last().map_or(known, |range| range.1);
            match draw(3) {
                0 if written > top + 1 => {
                    reopen(&home);
                    let from = top + 1 + draw((written - top - 1) as u32);
                    let page: Vec<&str> = texts[from..written].iter().map(String::as_str).collect();
                    commit_newest(&home, &page, true);
                    ranges.push((from, written));
                }
                _ => {
                    let end = ranges.first().map_or(written, |range| range.0);
                    let to = end.min(known + 1 + draw(5));
                    if to <= known && to != end {
                        continue;
                    }
                    let page: Vec<&str> = texts[known..to.max(known)]
                        .iter()
                        .map(String::as_str)
                        .collect();
                    if to == end && !ranges.is_empty() {
                        commit_joining_page(&home, &page);
                        known = ranges.remove(0).1;
                    } else {
                        commit_page(&home, &page, to == written);
                        known = to;
                    }
                }
            }
            let mut expected: Vec<String> = texts[..known].to_vec();
            for (from, to) in &ranges {
                expected.push("--".to_owned());
                expected.extend_from_slice(&texts[*from..*to]);
            }
            assert_eq!(shown(&home), expected, "seed {seed}");
        }
    }
}
