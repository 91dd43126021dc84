//! What the user sees, and whether it is right.

use std::collections::BTreeSet;

use eft_store::Content;
use eft_types::BareJid;

use super::World;

impl World {
    /// What stands in the timeline, the oldest first, and before which of them a gap is shown.
    pub(in super::super) fn shown(&self) -> (Vec<usize>, Vec<usize>) {
        let bob = BareJid::new("bob@b.example").unwrap();
        let slice = self.alice.store.timeline_slice(&bob, None, 900).unwrap();
        assert!(!slice.has_older);
        let mut numbers: Vec<usize> = slice
            .messages
            .iter()
            .map(|row| match &row.content {
                Content::Readable(plaintext) => plaintext.text.parse().unwrap(),
                Content::Unreadable(why) => panic!("{why:?}"),
            })
            .collect();
        let below = slice
            .gaps
            .iter()
            .map(|index| numbers.len() - index)
            .collect();
        numbers.reverse();
        (numbers, below)
    }

    /// At every instant: the archive's order, each message once, and a gap wherever one is missing. What the server deleted
    /// before it was fetched has no place in the archive any more: if it came live, it may stand behind what is there.
    pub(in super::super) fn check(&self) {
        let (numbers, gaps) = self.shown();
        let each: BTreeSet<_> = numbers.iter().collect();
        assert_eq!(each.len(), numbers.len(), "{numbers:?}");
        let kept: Vec<_> = (numbers.iter().enumerate())
            .filter(|(_, number)| !self.lost.contains(number))
            .collect();
        for pair in kept.windows(2) {
            let [(before, first), (after, second)] = [pair[0], pair[1]];
            assert!(first < second, "{numbers:?}");
            let missing = (first + 1..*second).any(|number| !self.lost.contains(&number));
            assert!(
                !missing || gaps.iter().any(|gap| (before + 1..=after).contains(gap)),
                "nothing between {pair:?} of {numbers:?}, gaps {gaps:?}, {:?}",
                self.cursor()
            );
        }
    }

    /// The network holds, and everything is fetched.
    pub(in super::super) fn finish(mut self) {
        self.pause(false);
        for _ in 0..10_000 {
            match &self.session {
                None => self.connect(),
                Some(session) if session.is_done => {
                    let (mut numbers, gaps) = self.shown();
                    numbers.retain(|number| !self.lost.contains(number));
                    let first = numbers.first().copied().unwrap_or(self.archive.len());
                    let expected: Vec<usize> = (first..self.archive.len())
                        .filter(|number| !self.lost.contains(number))
                        .collect();
                    assert_eq!(numbers, expected);
                    assert_eq!(gaps, Vec::<usize>::new());
                    assert!(self.cursor().unwrap().at_end);
                    return;
                }
                Some(_) => self.answer(),
            }
            self.check();
        }
        panic!(
            "it never ends: {} questions, {:?}",
            self.question_count,
            self.cursor()
        );
    }
}
