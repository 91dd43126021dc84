//! The connections that read.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, TransactionBehavior};

use super::settings::{Settings, Verdict};
use crate::cipher_provider::{Held, enter};
use crate::connection::Role;
use crate::error::StoreError;

/// How long a suspension waits before it interrupts those on loan once more.
const INTERRUPT_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A few connections, opened when first needed.
pub(super) struct Readers {
    settings: Arc<Settings>,
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    idle: Vec<Held>,
    /// Idle ones and those on loan.
    open_count: usize,
    /// Stops those on loan; one whose connection is idle or closed does nothing that matters.
    interrupts: Vec<InterruptHandle>,
    suspended: bool,
}

impl Readers {
    pub(super) const fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            pool: Mutex::new(Pool {
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
        let found = work(&snapshot).and_then(|found| {
            snapshot.finish()?;
            Ok(found)
        });
        if found.as_ref().is_err_and(Verdict::spoils_the_connection) {
            reader.connection = None;
        }
        found
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
            if pool.open_count < self.settings.options.reader_count.max(1) {
                pool.open_count += 1;
                drop(pool);
                // From here on the place is given back by `Reader`, also if opening fails.
                let mut reader = Reader {
                    readers: self,
                    connection: None,
                };
                let connection = self.settings.connect(Role::Reader)?;
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
