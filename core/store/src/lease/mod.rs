//! The lease: which process may write ratchets and stream (law 6).
//!
//! Two things make it. A small file beside the database, `<database>-lease`, mapped by every process, names
//! the holder and the end of its term on the boot-time clock; a thread renews it four times a
//! second, which costs no system call but the clock's. And a row of the database, the
//! [`Generation`], grows each time the lease is taken. The file makes a dead or frozen holder
//! lose it within a second; the row, compared inside every transaction, makes sure that a holder that
//! lost it writes nothing more, whatever the file says.
//!
//! A holder also has the file's advisory lock if it can be had. The kernel takes that back at death,
//! so that nobody waits for the end of a dead holder's term.
//!
//! One that freezes inside a write transaction keeps SQLite's lock, which nobody can break: others
//! end as [`StoreError::Busy`](crate::StoreError::Busy) until it is killed or thawed.

mod board;
mod error;
mod generation;
mod keeper;
#[cfg_attr(unix, path = "mapped.rs")]
#[cfg_attr(not(unix), path = "unmapped.rs")]
mod mapped;
mod rollback;
mod word;

use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use board::{Board, Vacancy};
use keeper::Keeper;
use word::Token;

pub use error::LeaseError;
pub use generation::Generation;
pub(crate) use rollback::Generations;
pub use rollback::Rollback;

/// The right to write ratchets and stream, held until dropped, lost, or given back by
/// [`Store::suspend`](crate::Store::suspend).
///
/// Every [`Store::commit`](crate::Store::commit) checks it inside its own transaction. The caller checks it with
/// [`Lease::check`] before each write to a socket, and drops what it remembers when it is lost.
#[must_use = "the lease is given back when this is dropped"]
pub struct Lease {
    holding: Arc<Holding>,
    keeper: Option<Keeper>,
}

impl Lease {
    /// The generation that this lease began.
    #[must_use]
    pub fn generation(&self) -> Generation {
        Generation::new(self.holding.generation)
    }

    /// Whether it is still held; if so, a new term begins. To be called right before each write to a
    /// socket: it costs about as much as looking at the clock.
    ///
    /// # Errors
    /// [`LeaseError::Lost`]; [`LeaseError::Io`] if the clock or the file cannot be had.
    pub fn check(&self) -> Result<(), LeaseError> {
        self.holding.renew()
    }

    /// Gives the lease back, so that another process can have it at once. Dropping does the same.
    pub fn release(self) {}
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.holding.release();
        // Ends the thread before the value is gone, so that nothing of it outlives a suspension.
        self.keeper = None;
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("generation", &self.holding.generation)
            .finish_non_exhaustive()
    }
}

/// What a store and its [`Lease`] share.
pub(crate) struct Holding {
    board: Arc<Board>,
    generation: u64,
    lost: AtomicBool,
    released: AtomicBool,
}

impl Holding {
    /// The row that every write compares.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Begins a new term, if the lease was not lost.
    pub(crate) fn renew(&self) -> Result<(), LeaseError> {
        if self.is_lost() {
            return Err(LeaseError::Lost);
        }
        if self.board.renew(Token::of(self.generation))? {
            return Ok(());
        }
        self.lose();
        Err(LeaseError::Lost)
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Notes that it is another's, as a row of the database said.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    pub(crate) fn release(&self) {
        self.lose();
        if !self.released.swap(true, Ordering::AcqRel) {
            self.board.release(Token::of(self.generation));
        }
    }
}

/// The lease's file, as one store uses it.
pub(crate) struct LeaseFile(Arc<Board>);

impl LeaseFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Board::new(path)))
    }

    /// Takes the lease's place in the file for a generation that `begin` writes, both inside the
    /// caller's transaction. `begin` is not called while somebody else holds the lease.
    pub(crate) fn claim<T>(
        &self,
        begin: impl FnOnce() -> Result<(u64, T), LeaseError>,
    ) -> Result<(Lease, T), LeaseError> {
        let vacancy = self.0.vacancy()?.ok_or(LeaseError::Held)?;
        begin()
            .and_then(|(generation, done)| Ok((self.hold(&vacancy, generation)?, done)))
            .inspect_err(|_| self.0.forgo())
    }

    fn hold(&self, vacancy: &Vacancy, generation: u64) -> Result<Lease, LeaseError> {
        if !self.0.claim(vacancy, Token::of(generation))? {
            return Err(LeaseError::Held);
        }
        let holding = Arc::new(Holding {
            board: Arc::clone(&self.0),
            generation,
            lost: AtomicBool::new(false),
            released: AtomicBool::new(false),
        });
        let mut lease = Lease {
            holding,
            keeper: None,
        };
        lease.keeper = Some(Keeper::start(Arc::clone(&lease.holding))?);
        Ok(lease)
    }

    /// For a write without the lease: an error if somebody holds it. A term that ran out is ended.
    pub(crate) fn pass_by(&self) -> Result<(), LeaseError> {
        if self.0.break_expired()? {
            return Ok(());
        }
        Err(LeaseError::Held)
    }

    /// Lets go of the file, once a lease held through it was given back.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    /// After [`LeaseFile::close`].
    pub(crate) fn reopen(&self) {
        self.0.reopen();
    }
}

impl Lease {
    pub(crate) fn holding(&self) -> Arc<Holding> {
        Arc::clone(&self.holding)
    }
}
