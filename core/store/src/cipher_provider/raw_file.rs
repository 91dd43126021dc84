//! The database file as it lies on the disk, through the handle that SQLite has on it.
//!
//! Opening the file a second time would do harm: when a process closes any handle of a file, POSIX
//! takes all its locks on that file away, also those that SQLite holds for another connection.

use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_FCNTL_FILE_POINTER, SQLITE_OK, sqlite3_file, sqlite3_file_control};

/// The main database file of a connection, encrypted as it is.
pub(crate) struct RawFile<'c> {
    // Ties the pointer to the connection that owns what it points to.
    connection: &'c Connection,
}

impl<'c> RawFile<'c> {
    pub(crate) const fn of(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Length in bytes; `None` if the file cannot be asked.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let file = self.file()?;
        let mut size = 0;
        // SAFETY: a file with methods, checked by `file`, alive as long as the borrowed connection, which
        // no other thread uses meanwhile (`Connection` is not `Sync`).
        let code = unsafe { (*(*file).pMethods).xFileSize?(file, &raw mut size) };
        (code == SQLITE_OK).then(|| u64::try_from(size).ok())?
    }

    /// Fills `buffer` from `offset` on. `None` if that much could not be read.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Option<()> {
        let file = self.file()?;
        let bytes = c_int::try_from(buffer.len()).ok()?;
        let offset = i64::try_from(offset).ok()?;
        // SAFETY: as in `bytes`; the buffer is ours and as long as said.
        let code =
            unsafe { (*(*file).pMethods).xRead?(file, buffer.as_mut_ptr().cast(), bytes, offset) };
        (code == SQLITE_OK).then_some(())
    }

    /// SQLite's file, if it is open.
    fn file(&self) -> Option<*mut sqlite3_file> {
        let mut file: *mut sqlite3_file = ptr::null_mut();
        // SAFETY: the handle is live as long as the borrowed connection; the name is a C string; this
        // operation writes one pointer to where the last argument points.
        let code = unsafe {
            sqlite3_file_control(
                self.connection.handle(),
                c"main".as_ptr(),
                SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast::<c_void>(),
            )
        };
        // SAFETY: what SQLite gave is NULL or a file of its own; one that is not open has no methods.
        let open = code == SQLITE_OK && !file.is_null() && unsafe { !(*file).pMethods.is_null() };
        open.then_some(file)
    }
}
