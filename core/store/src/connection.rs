//! Connections to an encrypted database, and how SQLite is set.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::cipher_provider;
use crate::diagnose::{Diagnosis, diagnose};
use crate::error::OpenError;
use crate::key::StoreKey;
use crate::options::StoreOptions;

/// Size of a page: SQLCipher 4's default, and the block size of the file systems it lies on.
pub(crate) const PAGE_BYTES: usize = 4096;
/// Start of the file that stays in the clear, so that iOS sees a database: an app that is suspended
/// while it holds a lock on a file of another kind is ended (0xdead10cc). It is SQLite's header
/// up to the number of pages, and says nothing about content.
pub(crate) const PLAIN_HEADER_BYTES: usize = 32;
/// The log is cut back to this when it starts over, so that old pages do not lie around for long.
const WAL_LIMIT_BYTES: u32 = 4 * 1024 * 1024;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// One of several that read.
    Reader,
}

/// Opens a file that exists, under its key, and sets everything but the journal mode, which is the
/// file's.
pub(crate) fn connect(
    path: &Path,
    key: &StoreKey,
    options: &StoreOptions,
    role: Role,
) -> Result<Connection, OpenError> {
    // No CREATE: an empty database in place of a lost one would look like a new account. No URI: a
    // path is a path. The mutex around each connection is ours.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    // A connection that closes last writes the log back into the database. One that could not read
    // the database must not: the log may be another database's, put there by a backup.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    set_key(&connection, key)?;
    test_key(&connection).map_err(|error| explain(error, &connection, key))?;
    if role == Role::Writer {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    }
    let cache_kib = i64::from(options.cache_kib);
    connection.execute_batch(&format!(
        // Negative means KiB.
        "PRAGMA cache_size = -{cache_kib};
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         -- SQLCipher switches this on with the key; said again because deleted keys must not
         -- stay readable in free pages.
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = {WAL_LIMIT_BYTES};
         -- Apple's fsync does not empty the drive's cache. Ignored elsewhere.
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;"
    ))?;
    if role == Role::Reader {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Writes every page anew under `new`, in one transaction. The salt stands in no file, so that it is the
/// new key's too. The connection is of no more use: open another one with the new key.
///
/// Nobody else may have the database open: their connections would read pages under a key that they do
/// not know, so this ends as [`OpenError::Busy`] instead.
pub(crate) fn change_key(connection: &Connection, new: &StoreKey) -> Result<(), OpenError> {
    // Leaving the log takes the only lock that keeps others out.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    if mode != "delete" {
        return Err(OpenError::Busy);
    }
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         -- The journal's end is the new key's beginning: also its deletion is synced, because the old key
         -- is forgotten next.
         PRAGMA synchronous = EXTRA;",
    )?;
    let code = cipher_provider::change_key(connection, &new.sqlcipher_key_spec());
    if code == rusqlite::ffi::SQLITE_OK {
        return Ok(());
    }
    Err(OpenError::from(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(code),
        None,
    )))
}

fn set_key(connection: &Connection, key: &StoreKey) -> Result<(), OpenError> {
    let spec = key.sqlcipher_key_spec();
    let code = cipher_provider::set_key(connection, &spec);
    if code != rusqlite::ffi::SQLITE_OK {
        return Err(OpenError::from(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(code),
            None,
        )));
    }
    let provider: Option<String> = connection
        .query_row("PRAGMA cipher_provider", [], |row| row.get(0))
        .ok();
    if provider.map(String::into_bytes).as_deref() != Some(cipher_provider::NAME.to_bytes()) {
        return Err(OpenError::NotEncrypted);
    }
    // `cipher_compatibility` pins the format against later defaults. `cipher_memory_security` stays
    // off: it wipes every allocation of SQLite and locks it into memory, which costs about half of the speed
    // and, on phones, more locked memory than a process may have; the messages are in the app's own
    // memory and on its screen anyway, and SQLCipher's copies of the key are wiped without it.
    connection.execute_batch(&format!(
        "PRAGMA cipher_compatibility = 4;
         PRAGMA cipher_page_size = {PAGE_BYTES};
         PRAGMA cipher_plaintext_header_size = {PLAIN_HEADER_BYTES};
         PRAGMA cipher_memory_security = OFF;"
    ))?;
    Ok(())
}

/// The first read: only now does SQLCipher look at the file.
fn test_key(connection: &Connection) -> Result<(), OpenError> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

/// Tells a wrong key from a damaged file where SQLCipher cannot.
fn explain(error: OpenError, connection: &Connection, key: &StoreKey) -> OpenError {
    match error {
        OpenError::Corrupt { .. } | OpenError::Bug { .. } => match diagnose(connection, key) {
            Some(Diagnosis::WrongKey) => OpenError::WrongKey,
            Some(Diagnosis::Corrupt(detail)) => OpenError::Corrupt { detail },
            None => error,
        },
        other => other,
    }
}
