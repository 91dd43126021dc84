//! Law 4: no failure disappears, and no flood fills the disk.

use eft_store::limits::{MAX_FAILURES_PER_DEVICE_AND_DAY, MAX_FAILURES_PER_SENDER_AND_DAY};
use eft_store::{Batch, Content, Insertion, MessageUpdate, NewMessage, UnreadableCause};

use crate::support::*;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn failure(number: u32, of_device: u32, day: i64) -> NewMessage {
    let mut message = live(&format!("{number} of {of_device} on {day}"));
    message.sender_device = Some(device(of_device));
    message.content = failed(UnreadableCause::BadMac);
    message.received = at(1000 * DAY);
    message.server_time = Some(at(day * DAY + i64::from(number)));
    message
}

fn insert_all(home: &Home, messages: impl IntoIterator<Item = NewMessage>) -> Vec<Insertion> {
    let mut batch = Batch::new();
    for message in messages {
        batch.insert_message(message);
    }
    home.commit(&batch).messages().to_vec()
}

fn rows(home: &Home) -> usize {
    home.store.timeline(&juliet(), None, 1000).unwrap().len()
}

#[test]
fn failures_past_the_limit_are_counted_in_one_row() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_DEVICE_AND_DAY;
    let insertions = insert_all(&home, (0..limit + 10).map(|n| failure(n, 7, 3)));
    let (own_rows, folded) = insertions.split_at(limit as usize);
    assert!(own_rows.iter().all(|i| matches!(i, Insertion::Inserted(_))));
    let Insertion::Folded(id) = folded[0] else {
        panic!("one too many");
    };
    assert!(
        folded
            .iter()
            .all(|insertion| *insertion == Insertion::Folded(id))
    );
    assert_eq!(rows(&home), limit as usize + 1);
    let row = home.message(id);
    assert_eq!(row.folded_count, 10);
    assert_eq!(row.content, failed(UnreadableCause::Folded));
    assert_eq!(row.sender_device, Some(device(7)));
    assert_eq!((row.origin_id, row.archive_id), (None, None));

    // In a later commit too.
    insert_all(&home, [failure(999, 7, 3)]);
    assert_eq!(home.message(id).folded_count, 11);
}

#[test]
fn another_day_and_another_device_start_anew() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_DEVICE_AND_DAY;
    insert_all(&home, (0..limit).map(|n| failure(n, 7, 3)));
    let insertions = insert_all(
        &home,
        [failure(0, 7, 4), failure(0, 8, 3), failure(limit, 7, 3)],
    );
    assert!(matches!(
        insertions[..],
        [
            Insertion::Inserted(_),
            Insertion::Inserted(_),
            Insertion::Folded(_)
        ]
    ));
}

#[test]
fn a_sender_who_invents_device_ids_is_bounded_too() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_SENDER_AND_DAY;
    let insertions = insert_all(&home, (0..limit + 30).map(|n| failure(n, n + 1, 3)));
    let folded: Vec<_> = insertions
        .iter()
        .filter(|i| matches!(i, Insertion::Folded(_)))
        .collect();
    assert_eq!(folded.len(), 30);
    assert_eq!(rows(&home), limit as usize + 1);
    let row = home.message(folded[0].id());
    assert_eq!((row.folded_count, row.sender_device), (30, None));
}

#[test]
fn what_can_be_read_or_may_still_be_is_never_folded() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_DEVICE_AND_DAY;
    insert_all(&home, (0..limit).map(|n| failure(n, 7, 3)));
    let readable = (0..60).map(|n| NewMessage {
        content: Content::Readable(eft_store::Plaintext::text("hello")),
        ..failure(1000 + n, 7, 3)
    });
    let waiting = (0..60).map(|n| NewMessage {
        content: pending(),
        ..failure(2000 + n, 7, 3)
    });
    let insertions = insert_all(&home, readable.chain(waiting));
    assert!(
        insertions
            .iter()
            .all(|i| matches!(i, Insertion::Inserted(_)))
    );
}

#[test]
fn a_failure_that_improves_makes_room() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_DEVICE_AND_DAY;
    let insertions = insert_all(&home, (0..limit).map(|n| failure(n, 7, 3)));
    let mut batch = Batch::new();
    batch.update_message(
        insertions[0].id(),
        MessageUpdate::Content {
            content: Content::Readable(eft_store::Plaintext::text("after all")),
            encryption: eft_store::MessageEncryption::Omemo2,
            sender_key: None,
        },
    );
    home.commit(&batch);
    let insertions = insert_all(&home, [failure(100, 7, 3), failure(101, 7, 3)]);
    assert!(matches!(
        insertions[..],
        [Insertion::Inserted(_), Insertion::Folded(_)]
    ));
}

#[test]
fn a_known_failure_that_comes_again_is_a_duplicate_and_not_counted() {
    let home = Home::new();
    let limit = MAX_FAILURES_PER_DEVICE_AND_DAY;
    insert_all(&home, (0..limit).map(|n| failure(n, 7, 3)));
    let again = insert_all(&home, (0..limit).map(|n| failure(n, 7, 3)));
    assert!(again.iter().all(|i| matches!(i, Insertion::Duplicate(_))));
    assert_eq!(rows(&home), limit as usize);
}
