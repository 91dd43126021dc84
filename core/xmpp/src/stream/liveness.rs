//! Whether anybody is at the other end: a question, an answer that can only be to this question, a deadline.
//!
//! A socket whose network is gone looks like a quiet one. What came in before the question says nothing: it may have
//! waited in a buffer of the system while the process was frozen. So only answers count, and only as many as there
//! were questions.

use eft_types::Timestamp;

/// Questions that went out, answers that came, and who waits for which.
#[derive(Debug, Default)]
pub struct Liveness {
    /// Questions written.
    asked: u64,
    /// Answers to them.
    answered: u64,
    waiting: Vec<Waiting>,
}

/// One question of somebody's, see [`Liveness::ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    number: u64,
}

#[derive(Debug)]
struct Waiting {
    question: Question,
    millis: i64,
    due: Timestamp,
}

impl Liveness {
    /// Somebody wants an answer within so many milliseconds. A question has to be written now, and
    /// [`Self::note_asked`] be called as it is.
    pub fn ask(&mut self, now: Timestamp, millis: u32) -> Question {
        let question = Question {
            number: self.asked + 1,
        };
        let millis = i64::from(millis);
        self.waiting.push(Waiting {
            question,
            millis,
            due: now.saturating_add_millis(millis),
        });
        question
    }

    /// Writes a question, whoever asked for it. Returns its number, from 1.
    pub fn note_asked(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// An answer that does not say to which question: to the oldest. One that nobody asked for, as servers may send
    /// them, is none.
    pub fn note_answer(&mut self) {
        self.note_answer_to(self.answered + 1);
    }

    /// An answer to this question, and so to all before.
    pub fn note_answer_to(&mut self, number: u64) {
        self.answered = self.answered.max(number.min(self.asked));
        self.waiting
            .retain(|waiting| waiting.question.number > self.answered);
    }

    /// The answer came.
    #[must_use]
    pub const fn is_answered(&self, question: Question) -> bool {
        question.number <= self.answered
    }

    /// When [`Self::is_silent`] turns true, if nothing comes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// A deadline has passed: the stream is as good as dead.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp) -> bool {
        self.next_deadline().is_some_and(|due| due <= now)
    }

    /// Nobody could listen until now: all deadlines begin anew.
    pub fn begin_anew(&mut self, now: Timestamp) {
        for waiting in &mut self.waiting {
            waiting.due = now.saturating_add_millis(waiting.millis);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_question_without_an_answer_is_over_at_its_deadline() {
        let mut liveness = Liveness::default();
        assert_eq!(
            (liveness.next_deadline(), liveness.is_silent(at(5000))),
            (None, false)
        );
        let question = liveness.ask(at(100), 1000);
        liveness.note_asked();
        assert_eq!(liveness.next_deadline(), Some(at(1100)));
        assert!(!liveness.is_silent(at(1099)));
        assert!(liveness.is_silent(at(1100)));
        liveness.note_answer();
        assert!(liveness.is_answered(question));
        assert!(!liveness.is_silent(at(9999)));
    }

    #[test]
    fn answers_to_older_questions_do_not_count() {
        let mut liveness = Liveness::default();
        liveness.note_asked();
        liveness.note_asked();
        let question = liveness.ask(at(0), 1000);
        liveness.note_asked();
        liveness.note_answer();
        liveness.note_answer();
        assert!(!liveness.is_answered(question));
        assert!(liveness.is_silent(at(1000)));
        liveness.note_answer();
        assert!(liveness.is_answered(question));
    }

    #[test]
    fn answers_that_nobody_asked_for_are_not_saved_up() {
        let mut liveness = Liveness::default();
        liveness.note_answer();
        liveness.note_answer_to(7);
        let question = liveness.ask(at(0), 1000);
        assert!(!liveness.is_answered(question));
        liveness.note_answer();
        assert!(
            !liveness.is_answered(question),
            "it has not been written yet"
        );
        liveness.note_asked();
        liveness.note_answer();
        assert!(liveness.is_answered(question));
    }

    #[test]
    fn the_first_deadline_counts_and_time_without_ears_does_not() {
        let mut liveness = Liveness::default();
        liveness.ask(at(0), 5000);
        let second = liveness.ask(at(100), 1000);
        assert_eq!(liveness.next_deadline(), Some(at(1100)));
        liveness.begin_anew(at(2000));
        assert_eq!(liveness.next_deadline(), Some(at(3000)));
        // One written question answers both: it was written after both were asked.
        liveness.note_asked();
        liveness.note_answer();
        assert!(liveness.is_answered(second));
        assert_eq!(liveness.next_deadline(), None);
    }
}
