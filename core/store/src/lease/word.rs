//! Holder and expiry in one number, so that both change at once.

/// How long a lease lasts without being renewed, in milliseconds: a frozen holder loses it within this
/// time.
pub(super) const TERM_MILLIS: u64 = 1000;

const EXPIRY_BITS: u32 = 40;
const EXPIRY_MASK: u64 = (1 << EXPIRY_BITS) - 1;

/// Who holds the lease, and until when: 24 bits of a token, 40 of milliseconds on the boot-time clock
/// (34 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    /// Nobody holds it. Also what a new file holds.
    pub(super) const FREE: Self = Self(0);

    pub(super) const fn new(token: Token, now_millis: u64) -> Self {
        Self((token.0 << EXPIRY_BITS) | ((now_millis + TERM_MILLIS) & EXPIRY_MASK))
    }

    pub(super) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub(super) const fn as_raw(self) -> u64 {
        self.0
    }

    pub(super) const fn is_held_by(self, token: Token) -> bool {
        self.0 >> EXPIRY_BITS == token.0
    }

    /// Who held it last; `None` if it was given back.
    pub(super) const fn token(self) -> Option<Token> {
        match self.0 >> EXPIRY_BITS {
            0 => None,
            token => Some(Token(token)),
        }
    }

    /// Whether the term runs. One that ends later than a new one would is of an earlier start of the
    /// machine, whose clock began anew.
    pub(super) const fn is_running(self, now_millis: u64) -> bool {
        let expiry = self.0 & EXPIRY_MASK;
        self.token().is_some() && now_millis < expiry && expiry <= now_millis + TERM_MILLIS
    }
}

/// Tells holders apart: the low digits of the generation, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u64);

impl Token {
    const COUNT: u64 = (1 << 24) - 1;

    pub(super) const fn of(generation: u64) -> Self {
        Self(1 + generation % Self::COUNT)
    }

    pub(super) const fn as_raw(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_runs_for_its_time_and_not_longer() {
        let word = Word::new(Token::of(7), 5000);
        assert!(word.is_held_by(Token::of(7)));
        assert!(!word.is_held_by(Token::of(8)));
        assert!(word.is_running(5000));
        assert!(word.is_running(5000 + TERM_MILLIS - 1));
        assert!(!word.is_running(5000 + TERM_MILLIS));
        assert!(!Word::FREE.is_running(0));
        assert_eq!(Word::from_raw(word.as_raw()), word);
    }

    #[test]
    fn a_term_of_the_time_before_a_restart_does_not_run() {
        let word = Word::new(Token::of(7), 1_000_000);
        assert!(!word.is_running(3000));
        // Nor does one whose end the new clock happens to be near run for longer than a term.
        assert!(word.is_running(1_000_500));
    }

    #[test]
    fn no_generation_has_the_token_of_a_free_lease() {
        for generation in [0, 1, Token::COUNT - 1, Token::COUNT, u64::MAX] {
            let word = Word::new(Token::of(generation), u64::from(u32::MAX));
            assert_eq!(word.token(), Some(Token::of(generation)));
        }
    }
}
