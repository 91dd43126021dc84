//! What is shown on a screen follows what is there, step by step.

use std::time::Duration;

use eft_store::{
    Batch, Content, Durability, Message, MessageEncryption, MessageUpdate, Plaintext, Store,
    TimelineChange, TimelineWatch,
};
use rand_core::Rng as _;

use crate::support::*;

/// A screen that only knows the steps.
fn apply(screen: &mut Vec<Message>, changes: Vec<TimelineChange>) {
    for change in changes {
        match change {
            TimelineChange::Reset(messages) => *screen = messages,
            TimelineChange::Insert { index, message } => screen.insert(index, message),
            TimelineChange::Update { index, message } => screen[index] = message,
            TimelineChange::Remove { index } => drop(screen.remove(index)),
        }
    }
}

#[test]
fn a_screen_that_follows_the_steps_shows_what_is_there() {
    let home = Home::new();
    let mut rng = rng(9);
    let mut watch = TimelineWatch::new(juliet(), 30);
    let mut screen = Vec::new();
    apply(&mut screen, home.store.refresh(&mut watch).unwrap());
    let mut steps = 0;
    for round in 0..300 {
        let mut batch = Batch::new();
        for _ in 0..=rng.next_u32() % 3 {
            let text = format!("{}", rng.next_u32() % 400);
            let any = screen
                .get(rng.next_u32() as usize % 30)
                .map(|m: &Message| m.id);
            match (rng.next_u32() % 8, any) {
                (0, Some(id)) => batch.delete_message(id),
                (1, Some(id)) => batch.mark_read(juliet(), id),
                (2, Some(id)) => batch.update_message(
                    id,
                    MessageUpdate::Content {
                        content: Content::Readable(Plaintext::text("read at last")),
                        encryption: MessageEncryption::Omemo2,
                        sender_key: None,
                    },
                ),
                (3, _) => {
                    let mut waits = live(&text);
                    waits.content = pending();
                    batch.insert_message(waits);
                }
                // Moves what stands provisionally to its place in the archive.
                (4 | 5, _) => {
                    batch.insert_message(paged(live(&text), &text));
                }
                _ => {
                    batch.insert_message(live(&text));
                }
            }
        }
        // A read mark of a message that the same batch deletes is refused, and nothing happens.
        let _ = home.store.commit(&batch, Durability::Deferred);
        watch.set_limit(25 + round % 10);
        let changes = home.store.refresh(&mut watch).unwrap();
        assert!(
            !matches!(changes[..], [TimelineChange::Reset(_)]),
            "own writes reset nothing"
        );
        steps += changes.len();
        apply(&mut screen, changes);
        let there = home
            .store
            .timeline(&juliet(), None, 25 + round % 10)
            .unwrap();
        assert_eq!(screen, there, "round {round}");
    }
    assert!(steps > 300, "{steps}");
    assert_eq!(home.store.refresh(&mut watch).unwrap(), []);
}

#[test]
fn after_another_process_wrote_or_a_suspension_the_list_starts_over() {
    let home = Home::new();
    let mut watch = TimelineWatch::new(juliet(), 30);
    let is_reset = |changes: &[TimelineChange]| matches!(changes, [TimelineChange::Reset(_)]);
    assert!(is_reset(&home.store.refresh(&mut watch).unwrap()));
    home.insert(&live("ours"));
    assert!(!is_reset(&home.store.refresh(&mut watch).unwrap()));
    // Only looking changes nothing.
    let other = Store::open(&home.path(), &key(), &options()).unwrap();
    other.timeline(&juliet(), None, 10).unwrap();
    assert_eq!(home.store.refresh(&mut watch).unwrap(), []);
    let mut batch = Batch::new();
    batch.insert_message(live("another's"));
    other.commit(&batch, Durability::Full).unwrap();
    let changes = home.store.refresh(&mut watch).unwrap();
    assert!(matches!(&changes[..], [TimelineChange::Reset(all)] if all.len() == 2));
    assert_eq!(home.store.refresh(&mut watch).unwrap(), []);
    drop(other);
    for _ in 0..3 {
        home.store.suspend().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        home.store.resume().unwrap();
        assert!(is_reset(&home.store.refresh(&mut watch).unwrap()));
    }
}
