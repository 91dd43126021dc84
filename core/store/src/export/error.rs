//! What can go wrong with a file. No variant carries content.

use crate::error::StoreError;

/// Why an export ended. What was written so far is of no use: throw it away.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Nobody is protected by an empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A message is longer than a line of the file may be, see
    /// [`MAX_EXPORT_LINE_BYTES`](crate::limits::MAX_EXPORT_LINE_BYTES).
    #[error("a message is too long for an export: {bytes} bytes")]
    TooLong {
        /// Length of its line.
        bytes: usize,
    },
    /// The identity key was asked for, and this database has none.
    #[error("there is no identity key in this database")]
    NoIdentity,
    /// The observer of the progress said stop.
    #[error("cancelled")]
    Cancelled,
    /// The output did not take what was written.
    #[error("the export could not be written: {kind}")]
    Output {
        /// What the operating system said.
        kind: std::io::ErrorKind,
    },
    /// The database could not be read.
    #[error("the database could not be read")]
    Store(#[from] StoreError),
}

/// Why an import ended. Except for [`ImportError::Cancelled`], [`ImportError::Input`] and [`ImportError::Store`],
/// nothing of the file is in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Not a file that a passphrase opens.
    #[error("not an export")]
    NotAnExport,
    /// The passphrase is another one. A file whose first 200 bytes are damaged says the same.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// Opening the file would take more memory and time than is allowed, so it was not tried. None that this
    /// crate wrote does.
    #[error(
        "the passphrase of this file takes 2^{found_log2} rounds, up to 2^{allowed_log2} are allowed"
    )]
    TooMuchWork {
        /// What the file asks for.
        found_log2: u8,
        /// [`MAX_EXPORT_WORK_LOG2`](crate::limits::MAX_EXPORT_WORK_LOG2).
        allowed_log2: u8,
    },
    /// A newer version of this software wrote the file.
    #[error("the export has version {found}, this version knows up to {known}")]
    NewerVersion {
        /// Version of the file.
        found: u32,
        /// Newest version known here.
        known: u32,
    },
    /// The file is another account's.
    #[error("the export belongs to another account")]
    OtherAccount {
        /// Whose it is, as the file says.
        account: String,
    },
    /// The file ends too early: its writing or its transfer was interrupted.
    #[error("the export is not complete: {rows} rows and no end")]
    Incomplete {
        /// Rows that were there.
        rows: u64,
    },
    /// The file was changed after it was written, or something else wrote it.
    #[error("the export is damaged at row {row}: {detail}")]
    Damaged {
        /// Which row, the header being 0.
        row: u64,
        /// What was found.
        detail: &'static str,
    },
    /// A line is longer than [`MAX_EXPORT_LINE_BYTES`](crate::limits::MAX_EXPORT_LINE_BYTES).
    #[error("row {row} of the export is too long")]
    TooLong {
        /// Which row, the header being 0.
        row: u64,
    },
    /// The observer of the progress said stop. What was imported stays; importing again completes it.
    #[error("cancelled")]
    Cancelled,
    /// The file could not be read. What was imported stays; importing again completes it.
    #[error("the export could not be read: {kind}")]
    Input {
        /// What the operating system said.
        kind: std::io::ErrorKind,
    },
    /// The database could not be written. What was imported stays; importing again completes it.
    #[error("the database could not be written")]
    Store(#[from] StoreError),
}
