//! Older copies of a database.

use super::Generation;

/// The database is an older copy of itself: its generation and the one that the secret store keeps
/// beside the key do not belong together.
///
/// Its sessions were used further by the newer state, so that sending with them would use message
/// keys a second time. Before anything is sent, old sessions become receive-only and prekeys are made
/// anew; see [`Store::take_lease_after_rollback`](crate::Store::take_lease_after_rollback).
///
/// # What this cannot see
/// - A copy put back together with the secret store, as a whole device: both are equally old. (A
///   platform's secret store that never leaves the device rules this out.)
/// - A copy made and put back within one generation: while one holder had the lease, or before the next
///   one took it. A copy made while the database is open, by anything but SQLite, is damaged anyway.
/// - Two devices that run from the same copies of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The generation of the database as it was found.
    pub database: Generation,
    /// The generation that the secret store had; `None` if it had none, or if only the database remembers
    /// that this was found (the recovery was begun and not finished).
    pub expected: Option<Generation>,
}

/// The two generations in a database, see `migrations/0003_lease.sql`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generations {
    pub(crate) current: u64,
    pub(crate) pending: u64,
    /// A recovery that was begun.
    pub(crate) rolled_back_from: Option<u64>,
}

impl Generations {
    /// Compares with the number that the secret store has. Taking the lease writes `pending = g + 1`, then the
    /// secret, then `current = g + 1`: between these writes the secret is one or the other.
    pub(crate) fn check(self, secret: Option<u64>) -> Result<(), Rollback> {
        let expected = secret.unwrap_or(0);
        if expected == self.current || expected == self.pending {
            return self.check_begun();
        }
        Err(Rollback {
            database: Generation::new(self.current),
            expected: secret.map(Generation::new),
        })
    }

    /// Whether a recovery was begun and not finished.
    pub(crate) fn check_begun(self) -> Result<(), Rollback> {
        match self.rolled_back_from {
            None => Ok(()),
            Some(from) => Err(Rollback {
                database: Generation::new(from),
                expected: None,
            }),
        }
    }

    /// The next one to take: above everything seen.
    pub(crate) fn next(self, secret: Option<u64>) -> u64 {
        self.current
            .max(self.pending)
            .max(secret.unwrap_or(0))
            .saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(current: u64, pending: u64) -> Generations {
        Generations {
            current,
            pending,
            rolled_back_from: None,
        }
    }

    #[test]
    fn every_state_between_the_three_writes_is_good_and_every_older_copy_is_not() {
        for secret in 0..20_u64 {
            let known = (secret > 0).then_some(secret);
            assert!(at(secret, secret).check(known).is_ok());
            assert!(at(secret, secret + 1).check(known).is_ok(), "before it");
            if secret > 0 {
                assert!(at(secret - 1, secret).check(known).is_ok(), "after it");
            }
            for older in 0..secret {
                assert!(
                    at(older, older).check(known).is_err(),
                    "{older} of {secret}"
                );
                let between = at(older.saturating_sub(1), older);
                assert!(between.check(known).is_err(), "{older} of {secret}");
            }
        }
    }

    #[test]
    fn a_secret_that_is_gone_does_not_prove_a_used_database_fresh() {
        assert!(at(0, 0).check(None).is_ok(), "never taken");
        assert!(at(0, 1).check(None).is_ok(), "taken for the first time");
        assert!(at(1, 1).check(None).is_err());
        assert!(at(1, 2).check(None).is_err());
    }

    #[test]
    fn a_recovery_that_was_begun_is_told_until_it_is_finished() {
        let begun = Generations {
            rolled_back_from: Some(3),
            ..at(9, 9)
        };
        let found = begun.check(Some(9)).unwrap_err();
        assert_eq!(found.database, Generation::new(3));
    }

    #[test]
    fn the_next_generation_is_above_everything_seen() {
        assert_eq!(at(3, 4).next(Some(9)), 10);
        assert_eq!(at(3, 4).next(Some(3)), 5);
        assert_eq!(at(0, 0).next(None), 1);
    }
}
