//! An archive in parts, in any order: newest pages, pages that fill gaps, live messages, broken connections.
//!
//! The server's side, and the few lines that the pump has around the parts of this module, are played here; the parts, the
//! store, the engine and what becomes of a stanza are the real ones.

mod world;

use self::world::World;

/// How many schedules are tried; more by `EFT_CATCH_UP_SEEDS`.
fn seeds() -> u64 {
    let asked = std::env::var("EFT_CATCH_UP_SEEDS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(12)
}

#[test]
fn whatever_the_schedule_the_timeline_becomes_the_archive_and_gaps_are_honest_meanwhile() {
    let (mut ahead, mut all) = (0, 0);
    for seed in 0..seeds() {
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.connect();
        for _ in 0..90 {
            world.step();
        }
        ahead += world.ahead_count;
        all += world.question_count;
        world.finish();
    }
    println!("asked ahead: {ahead} of {all}");
    assert!(ahead * 4 > all, "asked ahead {ahead} of {all}");
}

#[test]
fn who_was_away_for_long_gets_the_newest_first_and_what_is_written_meanwhile() {
    let mut world = World::new(1);
    world.write();
    world.connect();
    while !world.session().is_done {
        world.answer();
        if world.session.is_none() {
            world.connect();
        }
    }
    world.session = None;
    world.is_resumable = false;
    for _ in 0..60 {
        world.write();
    }
    world.connect();
    while !world.is_current() {
        world.answer();
        if world.session.is_none() {
            world.is_resumable = false;
            world.connect();
        }
    }
    let (numbers, gaps) = world.shown();
    assert_eq!(numbers.last(), Some(&60));
    assert!(numbers.len() < 60 && !gaps.is_empty(), "{numbers:?}");
    world.write();
    assert_eq!(world.shown().0.last(), Some(&61), "live, beyond the gap");
    world.finish();
}

#[test]
fn a_pause_stops_the_questions_and_leaves_the_gap_until_it_ends() {
    let mut world = World::new(2);
    world.write();
    while !world
        .session
        .as_ref()
        .is_some_and(|session| session.is_done)
    {
        match world.session {
            None => world.connect(),
            Some(_) => world.answer(),
        }
    }
    world.session = None;
    world.is_resumable = false;
    for _ in 0..60 {
        world.write();
    }
    world.pause(true);
    while !world.is_resting() {
        match world.session {
            None => world.connect(),
            Some(_) => world.answer(),
        }
    }
    let asked = world.question_count;
    for _ in 0..10 {
        world.answer();
        world.write();
    }
    assert_eq!(world.question_count, asked);
    let (numbers, gaps) = world.shown();
    assert_eq!(numbers.last(), Some(&70));
    assert!(!gaps.is_empty());
    world.finish();
}
