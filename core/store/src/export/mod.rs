//! An account's history in one file, to be taken to another device.
//!
//! Not in the file, ever: sessions, prekeys, credentials, tokens, the state of the stream, what waits to be sent. The
//! identity key is in it only if the user says that the device is gone, see [`IdentityKeyFate`].
//!
//! # The file
//!
//! An [age](https://age-encryption.org/v1) file (version 1) with one passphrase (its `scrypt` recipient, 2^17 rounds),
//! so `age --decrypt` opens it. Inside are lines of JSON (UTF-8, each ended by `\n`), of at most
//! [`MAX_EXPORT_LINE_BYTES`](crate::limits::MAX_EXPORT_LINE_BYTES). Times are milliseconds since the Unix epoch, UTC;
//! keys and bytes are base64 (RFC 4648 §4); a member without a value is left out.
//!
//! The first line is the header, `{"format":"eft-export","version":1,"account":…,"exported":…,"messages":…}`. Whoever
//! knows `version` knows every member and word of the file; a reader refuses what it does not know, because
//! otherwise it would lose it. A member or word more is a new version.
//!
//! Every other line has a member `row` that names it, in this order:
//!
//! | `row` | Members |
//! |---|---|
//! | `identity` | `private`: 32 bytes, the Curve25519 private key. At most one, and seldom |
//! | `archive` | `jid`; `newest_place`, `oldest_place`: its positions, even numbers; `last_stanza_id`, `last_time`: read up to there without a hole (XEP-0313) |
//! | `conversation` | `peer`, `kind`, `encryption`, `created`, `separate_versions`; `opt_out_at`, `opt_out_reason`: a wish of the contact not yet answered |
//! | `trust` | `jid`, `asks_about_new_keys`, `keys`: each with `key` (Curve25519 form), `level`, `since` |
//! | `device` | `jid`, `device`, `key`, `ed25519` (if seen), `first_seen` |
//! | `message` | `peer`; `place`: its order, beside equal ones the order of lines; `direction`, `sender`, `sender_device`, `sender_key`, `sender_trust`, `origin_id`, `archive` with `stanza_id` (XEP-0359), `server_time`, `received`, `encryption`; either `text` with `payload`, or `cause` with `detail`; `folded_count`, `delivery`, `send_failure`, `send_failure_detail`, `unread` |
//! | `device_event` | `at`, `jid`, `device`, `kind`, `detail`: a line of the device log |
//! | `end` | `rows`: how many rows stand before it. The last line |
//!
//! Messages come conversation by conversation, the oldest first. `payload` is what this software's client keeps beside
//! a text (XEP-0420 elements, among them the keys of files). A file without its end is not complete, and nothing of it
//! is taken.
//!
//! # What an import does
//!
//! It first reads the whole file and writes nothing. Then it writes in short transactions, so that messages go on
//! arriving and the app can be suspended; if it is stopped, importing again completes it. What is here stays; see
//! [`Store::import`](crate::Store::import).

mod collect;
mod error;
mod lines;
mod piece;
mod row;
mod seal;
mod trust;
mod words;

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;

use eft_types::{BareJid, Timestamp};
use rusqlite::Connection;

pub use error::{ExportError, ImportError};
pub(crate) use lines::LineReader;
use lines::LineWriter;
pub(crate) use piece::Piece;
use piece::Reading;
use row::Header;

use crate::error::StoreError;
use crate::omemo::IdentitySecret;

const FORMAT: &str = "eft-export";
const VERSION: u32 = 1;

/// How many messages pass between two reports of the progress.
const REPORT_EVERY: u64 = 256;

/// What an export takes along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// What becomes of the identity key.
    pub identity: IdentityKeyFate,
}

/// Whether the identity key goes into the file. Whoever has it is this device, for all contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityKeyFate {
    /// It stays here: the device that imports has a key of its own, and contacts see a new one.
    #[default]
    Stays,
    /// It moves: the user says that this device is gone, or will be. Two devices that both live with one key cannot
    /// be told apart.
    Moves,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Messages.
    pub messages: u64,
    /// All rows, messages among them.
    pub rows: u64,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// When the file was made.
    pub exported: Timestamp,
    /// Messages that were added.
    pub inserted: u64,
    /// Messages that were here, and can be read only now.
    pub improved: u64,
    /// Messages that were here.
    pub known: u64,
    /// The identity key, if the file has it. It is not in the database: hand it to
    /// [`install_imported`](eft_omemo::install_imported), or drop it.
    pub identity: Option<IdentitySecret>,
}

/// How far an export or an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: ProgressStep,
    /// Messages done in this step.
    pub messages: u64,
    /// Messages in all; in an import, as the file says.
    pub of: u64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgressStep {
    /// An export writes.
    Writing,
    /// An import reads the file, and writes nothing.
    Checking,
    /// An import writes.
    Importing,
}

/// Whom to tell how far it is. `Break` stops it.
pub(crate) type Observer<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Begins a file: the slow part, for which nothing of the database is needed.
pub(crate) fn begin<W: Write>(output: W, passphrase: &str) -> Result<LineWriter<W>, ExportError> {
    if passphrase.is_empty() {
        return Err(ExportError::EmptyPassphrase);
    }
    LineWriter::begin(output, passphrase)
}

/// Writes one state of the database.
pub(crate) fn write<W: Write>(
    connection: &Connection,
    mut lines: LineWriter<W>,
    own: &BareJid,
    options: &ExportOptions,
    now: Timestamp,
    observer: Observer<'_>,
) -> Result<Exported, ExportError> {
    let of = collect::message_count(connection)?;
    let mut report = |messages: u64| match messages % REPORT_EVERY {
        0 => observer(Progress {
            step: ProgressStep::Writing,
            messages,
            of,
        }),
        _ => ControlFlow::Continue(()),
    };
    if report(0).is_break() {
        return Err(ExportError::Cancelled);
    }
    lines.header(&Header {
        format: FORMAT.into(),
        version: VERSION,
        account: own.to_string(),
        exported: now.as_millis(),
        messages: of,
    })?;
    if options.identity == IdentityKeyFate::Moves {
        lines.row(&collect::identity(connection)?)?;
    }
    collect::archives(connection, &mut lines)?;
    collect::conversations(connection, &mut lines)?;
    collect::keys(connection, &mut lines)?;
    let messages = collect::messages(connection, &mut lines, report)?;
    collect::device_log(connection, &mut lines)?;
    let rows = lines.end()?;
    Ok(Exported { messages, rows })
}

/// A file that is being read, piece by piece.
pub(crate) struct Source<'a, R: Read + Seek> {
    lines: LineReader<R>,
    own: &'a BareJid,
    reading: Reading<'a>,
    messages: u64,
    of: u64,
    pub(crate) exported: Timestamp,
}

impl<'a, R: Read + Seek> Source<'a, R> {
    /// Opens a file and reads its header. Takes the time and memory of the key derivation.
    pub(crate) fn open(input: R, passphrase: &str, own: &'a BareJid) -> Result<Self, ImportError> {
        let mut source = Self {
            lines: LineReader::open(input, passphrase)?,
            own,
            reading: Reading::new(own),
            messages: 0,
            of: 0,
            exported: Timestamp::from_millis(0),
        };
        source.read_header()?;
        Ok(source)
    }

    /// Back to the first row.
    pub(crate) fn rewind(&mut self) -> Result<(), ImportError> {
        self.lines.rewind()?;
        self.reading = Reading::new(self.own);
        self.messages = 0;
        self.read_header()
    }

    /// The next piece; `None` at the end of a complete file.
    pub(crate) fn next_piece(
        &mut self,
        step: ProgressStep,
        observer: Observer<'_>,
    ) -> Result<Option<Piece>, ImportError> {
        let Some(row) = self.lines.row()? else {
            return Ok(None);
        };
        let piece = self
            .reading
            .piece(row)
            .map_err(|detail| ImportError::Damaged {
                row: self.lines.position(),
                detail,
            })?;
        if matches!(piece, Piece::Message(_)) {
            self.messages += 1;
            if self.messages.is_multiple_of(REPORT_EVERY) {
                self.report(step, observer)?;
            }
        }
        Ok(Some(piece))
    }

    /// Bytes of the line that was read last.
    pub(crate) fn line_bytes(&self) -> usize {
        self.lines.line_bytes()
    }

    pub(crate) fn report(
        &self,
        step: ProgressStep,
        observer: Observer<'_>,
    ) -> Result<(), ImportError> {
        let progress = Progress {
            step,
            messages: self.messages,
            of: self.of,
        };
        match observer(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ImportError::Cancelled),
        }
    }

    fn read_header(&mut self) -> Result<(), ImportError> {
        let exporter = self.lines.header()?;
        if exporter.account != *self.own {
            return Err(ImportError::OtherAccount {
                account: exporter.account.to_string(),
            });
        }
        self.exported = exporter.at;
        self.of = exporter.messages;
        Ok(())
    }
}

/// A failure of the database while an export reads it, apart from the other ways in which it ends.
pub(crate) fn store_error(
    done: Result<Exported, ExportError>,
) -> Result<Result<Exported, ExportError>, StoreError> {
    match done {
        Err(ExportError::Store(error)) => Err(error),
        other => Ok(other),
    }
}
