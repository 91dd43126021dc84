//! Where all processes see who holds the lease.

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::mapped::{Mapped, Words, boot_millis};
use super::word::{Token, Word};

/// Form of the file's content; 0 is a file that was just made.
const FORMAT: u64 = u64::from_le_bytes(*b"EFTLEAS1");

/// The small file beside a database, see [`super`]. Opened when first needed.
pub(super) struct Board {
    path: PathBuf,
    slot: RwLock<Slot>,
}

enum Slot {
    Unopened,
    Open(Mapped),
    /// Let go of, until [`Board::reopen`].
    Closed,
}

/// Proof that the holder's word was seen and may be replaced.
pub(super) struct Vacancy(Word);

impl Board {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            slot: RwLock::new(Slot::Unopened),
        }
    }

    /// Whether nobody holds the lease. To be asked inside a write transaction of the database:
    /// that is what keeps two from finding it free at once.
    pub(super) fn vacancy(&self) -> io::Result<Option<Vacancy>> {
        self.with(true, |mapped| {
            let words = mapped.words();
            let seen = Word::from_raw(words.holder.load(Acquire));
            if !seen.is_running(boot_millis()?) {
                return Ok(Some(Vacancy(seen)));
            }
            // Its holder also had the advisory lock: if that can be had now, the holder is dead.
            let dead = seen
                .token()
                .is_some_and(|token| words.locked_by.load(Acquire) == token.as_raw())
                && try_lock(mapped)?;
            Ok(dead.then_some(Vacancy(seen)))
        })?
        .unwrap_or(Ok(None))
    }

    /// Takes the lease. `false` if its holder was alive after all.
    pub(super) fn claim(&self, vacancy: &Vacancy, token: Token) -> io::Result<bool> {
        self.with(true, |mapped| {
            let words = mapped.words();
            let new = Word::new(token, boot_millis()?);
            if !replace(words, vacancy.0, new) {
                return Ok(false);
            }
            lock_if_possible(mapped, token)?;
            Ok(true)
        })?
        .unwrap_or(Ok(false))
    }

    /// Does not take it after all: lets go of a dead holder's lock, had while looking.
    pub(super) fn forgo(&self) {
        let _ = self.with(false, |mapped| mapped.file().unlock());
    }

    /// Ends a term that ran out, so that its holder learns of it. For a write by somebody who
    /// does not hold the lease; inside its transaction. `false` if the lease is held.
    pub(super) fn break_expired(&self) -> io::Result<bool> {
        self.with(false, |mapped| {
            let words = mapped.words();
            let seen = Word::from_raw(words.holder.load(Acquire));
            Ok(match seen.token() {
                None => true,
                Some(_) if seen.is_running(boot_millis()?) => false,
                Some(_) => replace(words, seen, Word::FREE),
            })
        })?
        .unwrap_or(Ok(true))
    }

    /// Begins a new term. `false` if the lease is somebody else's by now. An expired term that nobody
    /// took is as good as a running one: whoever writes without the lease breaks it first.
    pub(super) fn renew(&self, token: Token) -> io::Result<bool> {
        self.with(false, |mapped| {
            let words = mapped.words();
            let new = Word::new(token, boot_millis()?);
            loop {
                let seen = Word::from_raw(words.holder.load(Acquire));
                if !seen.is_held_by(token) {
                    unlock(mapped, token);
                    return Ok(false);
                }
                if replace(words, seen, new) {
                    break;
                }
            }
            if words.locked_by.load(Acquire) != token.as_raw() {
                lock_if_possible(mapped, token)?;
            }
            Ok(true)
        })?
        .unwrap_or(Ok(false))
    }

    /// Gives the lease back, if it is still this holder's.
    pub(super) fn release(&self, token: Token) {
        let released = self.with(false, |mapped| {
            let words = mapped.words();
            let seen = Word::from_raw(words.holder.load(Acquire));
            if seen.is_held_by(token) {
                replace(words, seen, Word::FREE);
            }
            unlock(mapped, token);
        });
        // Only opening the file can fail, and then nothing is held.
        let _ = released;
    }

    /// Lets go of the file, and of its lock. Whoever held the lease through it has lost it.
    pub(super) fn close(&self) {
        *self.write() = Slot::Closed;
    }

    /// May be used again after [`Board::close`].
    pub(super) fn reopen(&self) {
        *self.write() = Slot::Unopened;
    }

    /// Works on the mapped file; `None` if it is closed, or there is none and none is to be made.
    fn with<T>(&self, create: bool, work: impl FnOnce(&Mapped) -> T) -> io::Result<Option<T>> {
        if let Slot::Open(mapped) = &*self.read() {
            return Ok(Some(work(mapped)));
        }
        let mut slot = self.write();
        if let Slot::Unopened = *slot
            && let Some(mapped) = open(&self.path, create)?
        {
            *slot = Slot::Open(mapped);
        }
        Ok(match &*slot {
            Slot::Open(mapped) => Some(work(mapped)),
            Slot::Unopened | Slot::Closed => None,
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slot> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, create: bool) -> io::Result<Option<Mapped>> {
    let Some(mapped) = Mapped::open(path, create)? else {
        return Ok(None);
    };
    let format = &mapped.words().format;
    match format.compare_exchange(0, FORMAT, AcqRel, Acquire) {
        Ok(_) | Err(FORMAT) => Ok(Some(mapped)),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the lease's file has another form",
        )),
    }
}

fn replace(words: &Words, seen: Word, new: Word) -> bool {
    let exchanged = words
        .holder
        .compare_exchange(seen.as_raw(), new.as_raw(), AcqRel, Acquire);
    exchanged.is_ok()
}

fn try_lock(mapped: &Mapped) -> io::Result<bool> {
    match mapped.file().try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A holder that was frozen may still have the lock; then the term alone counts, for now.
fn lock_if_possible(mapped: &Mapped, token: Token) -> io::Result<()> {
    if try_lock(mapped)? {
        mapped.words().locked_by.store(token.as_raw(), Release);
    }
    Ok(())
}

/// Only what this holder locked: by now the lock may serve a later lease through the same file.
fn unlock(mapped: &Mapped, token: Token) {
    let locked_by = &mapped.words().locked_by;
    let locked = locked_by.compare_exchange(token.as_raw(), 0, AcqRel, Acquire);
    if locked.is_ok() {
        // It fails only for a file that is not open.
        let _ = mapped.file().unlock();
    }
}
