//! The judge is not to be bribed.

use super::*;
use crate::app;

const SECOND: u64 = 1_000_000;

/// Messages that are written and acknowledged one second after the other, from second 1 on.
fn written(count: u64) -> Vec<Written> {
    let at = |number: u64| (number + 1) * SECOND;
    (0..count)
        .map(|number| Written {
            at: at(number),
            acked_at: Some(at(number)),
        })
        .collect()
}

/// A process, by what it said in which second.
fn life(part: &'static str, killed_at: Option<u64>, said: &[(u64, &str)]) -> Life {
    let line = |&(second, line): &(u64, &str)| format!("{} {line}", second * SECOND);
    Life {
        part,
        said: said.iter().map(line).collect(),
        killed_at: killed_at.map(|second| second * SECOND),
        frozen: Vec::new(),
    }
}

/// The app that is opened in the end.
fn last(rows: &[(u64, &str)]) -> Life {
    life(app::PART, None, rows)
}

const BOTH_KEPT: &[(u64, &str)] = &[(90, "kept 1 message 0"), (90, "kept 2 message 1")];

fn numbers(verdict: &Verdict) -> (u64, u64, bool) {
    let Verdict {
        lost, duplicate, ..
    } = verdict;
    (*lost, *duplicate, verdict.faults.is_empty())
}

#[test]
fn a_message_may_be_posted_twice_under_its_id() {
    let lives = [
        life(
            extension::PART,
            Some(5),
            &[(3, "posted 1 message 0"), (4, "posted 2 message 1")],
        ),
        life(extension::PART, None, &[(6, "posted 2 message 1")]),
        last(BOTH_KEPT),
    ];
    assert_eq!(numbers(&judge(&written(2), &lives)), (0, 0, true));
}

#[test]
fn what_stands_in_the_history_only_is_lost() {
    let lives = [
        life(extension::PART, None, &[(3, "posted 1 message 0")]),
        last(BOTH_KEPT),
    ];
    assert_eq!(numbers(&judge(&written(2), &lives)), (1, 0, false));
}

#[test]
fn a_message_under_two_ids_is_a_duplicate() {
    let lives = [
        life(
            extension::PART,
            None,
            &[(3, "posted 1 message 0"), (3, "posted 2 message 1")],
        ),
        life(app::PART, Some(5), &[(4, "drawn 3 message 0")]),
        last(BOTH_KEPT),
    ];
    assert_eq!(numbers(&judge(&written(2), &lives)), (0, 1, false));
}

#[test]
fn a_message_twice_in_the_history_is_a_duplicate() {
    let lives = [last(&[
        (80, "drawn 1 message 0"),
        (90, "kept 1 message 0"),
        (90, "kept 1 message 0"),
    ])];
    assert_eq!(numbers(&judge(&written(1), &lives)), (0, 1, false));
}

/// Both messages were there when the push came; the wake says that nothing more came, and showed one.
fn half_a_wake(app: Life) -> Verdict {
    let lives = [
        app,
        life(
            extension::PART,
            None,
            &[
                (8, "begun push 1"),
                (9, "posted 1 message 0"),
                (10, "push 1 caught-up"),
            ],
        ),
        last(&[
            (80, "drawn 2 message 1"),
            (90, "kept 1 message 0"),
            (90, "kept 2 message 1"),
        ]),
    ];
    judge(&written(2), &lives)
}

#[test]
fn a_wake_that_leaves_a_message_out_has_lost_it() {
    let asleep = life(app::PART, Some(7), &[]);
    assert_eq!(numbers(&half_a_wake(asleep)), (1, 0, false));
}

#[test]
fn what_came_to_an_app_that_was_killed_in_the_foreground_waits_for_its_next_opening() {
    let open = life(app::PART, Some(7), &[(1, "opened")]);
    assert_eq!(numbers(&half_a_wake(open)), (0, 0, true));
    let slept_before = life(app::PART, Some(7), &[(0, "opened"), (1, "asleep")]);
    assert_eq!(numbers(&half_a_wake(slept_before)), (1, 0, false));
}

#[test]
fn an_answer_that_nobody_expects_is_a_fault() {
    for line in ["push 1 late", "refused store_damaged", "rolled-back"] {
        let verdict = judge(&[], &[life(extension::PART, None, &[(1, line)])]);
        assert_eq!(verdict.faults.len(), 1, "{line}");
    }
    let aside = life(extension::PART, None, &[(1, "push 1 aside")]);
    assert!(judge(&[], &[aside]).faults.is_empty());
}
