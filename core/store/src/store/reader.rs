//! The connections that read.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use crate::cipher_provider::{Held, enter};
use crate::connection::{Role, connect};
use crate::error::{OpenError, StoreError};
use crate::key::StoreKey;
use crate::options::StoreOptions;

/// A few connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    key: StoreKey,
    options: StoreOptions,
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    idle: Vec<Held>,
    open_count: usize,
}

impl Readers {
    pub(super) const fn new(path: PathBuf, key: StoreKey, options: StoreOptions) -> Self {
        Self {
            path,
            key,
            options,
            pool: Mutex::new(Pool {
                idle: Vec::new(),
                open_count: 0,
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

    fn take(&self) -> Result<Reader<'_>, StoreError> {
        let mut pool = self.lock();
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(Reader {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if pool.open_count < self.options.reader_count.max(1) {
                pool.open_count += 1;
                drop(pool);
                // From here on the place is given back by `Reader`, also if opening fails.
                let mut reader = Reader {
                    readers: self,
                    connection: None,
                };
                reader.connection = Some(
                    connect(&self.path, &self.key, &self.options, Role::Reader)
                        .map(Held::new)
                        .map_err(reopening)?,
                );
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
            Some(connection) => pool.idle.push(connection),
            None => pool.open_count -= 1,
        }
        drop(pool);
        self.readers.returned.notify_one();
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
