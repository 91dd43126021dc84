//! The connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, TransactionBehavior};

use crate::cipher_provider::{Held, enter};
use crate::connection::{Role, connect};
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::options::StoreOptions;

/// How long a suspension waits before it interrupts those on loan once more.
const INTERRUPT_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A few connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    options: StoreOptions,
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    key: StoreKey,
    idle: Vec<Held>,
    /// Idle ones and those on loan.
    open_count: usize,
    /// Stops those on loan; one whose connection is idle or closed does nothing that matters.
    interrupts: Vec<InterruptHandle>,
    suspended: bool,
}

impl Readers {
    pub(super) const fn new(path: PathBuf, key: StoreKey, options: StoreOptions) -> Self {
        Self {
            path,
            options,
            pool: Mutex::new(Pool {
                key,
                idle: Vec::new(),
                open_count: 0,
                interrupts: Vec::new(),
                suspended: false,
            }),
            returned: Condvar::new(),
        }
    }

    /// Runs `work` on one state of the database: whatever is committed meanwhile, it sees all of a
    /// commit or nothing.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _inside = enter()?;
        let mut reader = self.take()?;
        let Some(connection) = reader.connection.as_mut() else {
            return Err(StoreError::Bug {
                detail: "a reader without its connection".into(),
            });
        };
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let found = work(&snapshot)?;
        snapshot.finish()?;
        Ok(found)
    }

    /// Closes every connection: idle ones at once, those on loan as soon as they are interrupted.
    /// Later reads are refused.
    pub(super) fn suspend(&self) {
        let mut pool = self.lock();
        pool.suspended = true;
        pool.open_count -= pool.idle.len();
        pool.idle.clear();
        while pool.open_count > 0 {
            // Again and again: one may have been between its interrupt and its next statement.
            for interrupt in &pool.interrupts {
                interrupt.interrupt();
            }
            (pool, _) = self
                .returned
                .wait_timeout(pool, INTERRUPT_AGAIN_AFTER)
                .unwrap_or_else(PoisonError::into_inner);
        }
        pool.interrupts.clear();
    }

    /// Reads are answered again.
    pub(super) fn resume(&self) {
        self.lock().suspended = false;
    }

    /// What opens another connection.
    pub(super) fn settings(&self) -> (&Path, StoreKey, &StoreOptions) {
        (&self.path, self.lock().key.duplicate(), &self.options)
    }

    /// The database has another key now. To be called while suspended.
    pub(super) fn set_key(&self, key: StoreKey) {
        self.lock().key = key;
    }

    fn take(&self) -> Result<Reader<'_>, StoreError> {
        let mut pool = self.lock();
        loop {
            if pool.suspended {
                return Err(StoreError::Suspended);
            }
            if let Some(connection) = pool.idle.pop() {
                return Ok(Reader {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if pool.open_count < self.options.reader_count.max(1) {
                pool.open_count += 1;
                let key = pool.key.duplicate();
                drop(pool);
                // From here on the place is given back by `Reader`, also if opening fails.
                let mut reader = Reader {
                    readers: self,
                    connection: None,
                };
                let connection =
                    connect(&self.path, &key, &self.options, Role::Reader).map_err(reopening)?;
                let interrupt = connection.get_interrupt_handle();
                reader.connection = Some(Held::new(connection));
                self.lock().interrupts.push(interrupt);
                return Ok(reader);
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan.
struct Reader<'r> {
    readers: &'r Readers,
    connection: Option<Held>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.lock();
        match self.connection.take() {
            Some(connection) if !pool.suspended => pool.idle.push(connection),
            Some(connection) => {
                drop(connection);
                pool.open_count -= 1;
            }
            None => pool.open_count -= 1,
        }
        drop(pool);
        self.readers.returned.notify_all();
    }
}

/// The database was open a moment ago, so what opening says is about the file.
fn reopening(error: OpenError) -> StoreError {
    match error {
        OpenError::Busy => StoreError::Busy,
        OpenError::DiskFull => StoreError::DiskFull,
        OpenError::Io { detail } => StoreError::Io { detail },
        OpenError::Corrupt { detail } => StoreError::Damaged {
            detail: detail.into(),
        },
        other => StoreError::Bug {
            detail: other.to_string(),
        },
    }
}
