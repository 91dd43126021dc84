//! Whether the user saw everything, and nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use eft_tests::soak::difference;

use super::extension;
use super::line::{GRACE, Line, excuses, lines};
use super::stage::Life;

/// A message of the peer, on the clock of [`super::screen::now`].
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) at: u64,
    /// From here on the server had it.
    pub(crate) acked_at: Option<u64>,
}

/// The text of a message.
pub(crate) fn text(number: usize) -> String {
    format!("message {number}")
}

/// Which message has this text.
pub(crate) fn number(text: &str) -> Option<usize> {
    text.strip_prefix("message ")?.parse().ok()
}

/// What a round, or several, came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) pushes: u64,
    messages: u64,
    kills: u64,
    /// First shown how: by the extension, by the app as a notification, live, on opening.
    first: [u64; 4],
    /// Wakes that brought everything, and those that stepped aside for another process.
    wakes: [u64; 2],
    /// Never shown, or left out by a wake that said that nothing more came.
    pub(crate) lost: u64,
    /// Shown under two ids, or twice in the history.
    pub(crate) duplicate: u64,
    pub(crate) faults: Vec<String>,
}

impl Verdict {
    pub(crate) fn add(&mut self, other: Self) {
        self.pushes += other.pushes;
        self.messages += other.messages;
        self.kills += other.kills;
        for (sum, more) in self.first.iter_mut().zip(other.first) {
            *sum += more;
        }
        for (sum, more) in self.wakes.iter_mut().zip(other.wakes) {
            *sum += more;
        }
        self.lost += other.lost;
        self.duplicate += other.duplicate;
        self.faults.extend(other.faults);
    }

    pub(crate) fn summary(&self) -> String {
        let Self {
            pushes,
            messages,
            kills,
            first: [extension, app, live, drawn],
            wakes: [whole, aside],
            ..
        } = self;
        format!(
            "{pushes} pushes ({whole} brought everything, {aside} stepped aside), {kills} kills; {messages} messages, \
             first shown by the extension {extension}, by the app's notifications {app}, live {live}, on opening {drawn}"
        )
    }

    fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }
}

pub(crate) fn judge(written: &[Written], lives: &[Life]) -> Verdict {
    let said = lines(lives);
    let mut verdict = Verdict {
        messages: written.len() as u64,
        kills: lives.iter().filter(|life| life.killed_at.is_some()).count() as u64,
        ..Verdict::default()
    };
    // For each text, when it was first shown, and under which ids.
    let mut shown: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    let mut kept = Vec::new();
    for line in &said {
        if line.rest.contains("UNREADABLE") {
            verdict.fault(format!("{}: {} {}", line.part, line.word, line.rest));
        }
        let how = match (line.word, line.part) {
            ("posted", extension::PART) => 0,
            ("posted", _) => 1,
            ("live", _) => 2,
            ("drawn", _) => 3,
            _ => 4,
        };
        let Some((id, text)) = line.rest.split_once(' ') else {
            judge_word(&mut verdict, line);
            continue;
        };
        match line.word {
            "posted" | "live" | "drawn" | "kept" => {
                let (_, ids) = shown.entry(text).or_insert_with(|| {
                    if let Some(count) = verdict.first.get_mut(how) {
                        *count += 1;
                    }
                    (if how == 4 { u64::MAX } else { line.at }, BTreeSet::new())
                });
                ids.insert(id);
                if line.word == "kept" {
                    kept.push(text);
                }
            }
            _ => judge_word(&mut verdict, line),
        }
    }
    for (text, (_, ids)) in &shown {
        if ids.len() > 1 {
            verdict.duplicate += 1;
            verdict.fault(format!("{text} has {} ids", ids.len()));
        }
    }
    let shown_at = |number: usize| shown.get(text(number).as_str()).map(|(at, _)| *at);
    let texts: Vec<_> = (0..written.len()).map(text).collect();
    if kept != texts {
        let distinct: BTreeSet<_> = kept.iter().collect();
        verdict.duplicate += (kept.len() - distinct.len()) as u64;
        verdict.fault(difference("in the history", &kept, &texts));
    }
    for number in 0..written.len() {
        if shown_at(number).is_none_or(|at| at == u64::MAX) {
            verdict.lost += 1;
            verdict.fault(format!("{} was never shown", text(number)));
        }
    }
    judge_wakes(&mut verdict, written, lives, &said, shown_at);
    verdict
}

/// What is no message.
fn judge_word(verdict: &mut Verdict, line: &Line<'_>) {
    match (line.word, line.rest) {
        ("begun" | "opened" | "asleep" | "online" | "whole" | "rows", _) => {}
        // Another process has the account.
        ("refused", "store_locked") => {}
        ("push", rest) => match rest.split_once(' ').map(|(_, answer)| answer) {
            Some("caught-up") => verdict.wakes[0] += 1,
            Some("aside") => verdict.wakes[1] += 1,
            Some("unfinished" | "refused store_locked") => {}
            _ => verdict.fault(format!("{}: push {rest}", line.part)),
        },
        (word, rest) => verdict.fault(format!("{}: {word} {rest}", line.part)),
    }
}

/// A wake that says that nothing more came has shown what the server had before its push.
fn judge_wakes(
    verdict: &mut Verdict,
    written: &[Written],
    lives: &[Life],
    said: &[Line<'_>],
    shown_at: impl Fn(usize) -> Option<u64>,
) {
    let excuses = excuses(lives);
    let begun: BTreeMap<&str, u64> = said
        .iter()
        .filter(|line| line.word == "begun")
        .filter_map(|line| Some((line.rest.strip_prefix("push ")?, line.at)))
        .collect();
    let mut left_out = BTreeMap::new();
    for line in said.iter().filter(|line| line.word == "push") {
        let Some((push, "caught-up")) = line.rest.split_once(' ') else {
            continue;
        };
        let Some(&begun) = begun.get(push) else {
            continue;
        };
        for (number, message) in written.iter().enumerate() {
            let is_due = message.acked_at.is_some_and(|at| at < begun);
            let is_shown = shown_at(number).is_some_and(|at| at <= line.at + GRACE);
            let is_excused = excuses.iter().any(|excuse| {
                message.at < excuse.written_before && excuse.wakes.contains(&line.at)
            });
            if is_due && !is_shown && !is_excused {
                left_out.entry(number).or_insert(push);
            }
        }
    }
    for (number, push) in left_out {
        verdict.lost += 1;
        verdict.fault(format!("{} was left out by push {push}", text(number)));
    }
}

#[cfg(test)]
mod tests;
