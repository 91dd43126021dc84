//! What the processes said, taken apart.

use super::app;
use super::stage::Life;

/// How much later than the end of a wake the line of another process may come, which saw the message first: in microseconds.
pub(crate) const GRACE: u64 = 1_000_000;

/// A line of a child, taken apart.
pub(crate) struct Line<'a> {
    pub(crate) at: u64,
    pub(crate) part: &'a str,
    pub(crate) word: &'a str,
    pub(crate) rest: &'a str,
}

/// All of them, in the order in which they were said.
pub(crate) fn lines(lives: &[Life]) -> Vec<Line<'_>> {
    let mut lines: Vec<_> = lives
        .iter()
        .flat_map(|life| {
            life.said.iter().map(|line| {
                let (at, line) = line.split_once(' ').unwrap();
                let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
                Line {
                    at: at.parse().unwrap(),
                    part: life.part,
                    word,
                    rest,
                }
            })
        })
        .collect();
    lines.sort_by_key(|line| line.at);
    lines
}

/// What the app alone knows: it came while the app was open, and the process was killed, or stood still, before it drew it.
pub(crate) struct Excuse {
    pub(crate) written_before: u64,
    pub(crate) wakes: core::ops::Range<u64>,
}

pub(crate) fn excuses(lives: &[Life]) -> Vec<Excuse> {
    let mut excuses = Vec::new();
    for life in lives.iter().filter(|life| life.part == app::PART) {
        let said = lines(std::slice::from_ref(life));
        // The last time that it was open, until it slept or died.
        let Some(opened) = said.iter().rposition(|line| line.word == "opened") else {
            continue;
        };
        let asleep = said[opened..].iter().find(|line| line.word == "asleep");
        if let Some(killed_at) = life.killed_at {
            excuses.push(Excuse {
                written_before: asleep.map_or(killed_at, |line| line.at),
                wakes: killed_at..u64::MAX,
            });
        }
        excuses.extend(life.frozen.iter().map(|&(begun, end)| Excuse {
            written_before: end,
            wakes: begun..end + GRACE,
        }));
    }
    excuses
}
