//! Lines in and out of the encryption.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

use age::stream::{StreamReader, StreamWriter};
use eft_types::{BareJid, Timestamp};
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::{ExportError, ImportError};
use super::row::{EndRow, Header, Kind, Row};
use super::seal::{Bounded, is_of_the_input, seal, unseal, written};
use super::{FORMAT, VERSION};
use crate::limits::MAX_EXPORT_LINE_BYTES;

/// Writes one line after the other.
pub(crate) struct LineWriter<W: Write> {
    output: StreamWriter<W>,
    line: Zeroizing<Vec<u8>>,
    rows: u64,
}

impl<W: Write> LineWriter<W> {
    /// Begins a file.
    pub(super) fn begin(output: W, passphrase: &str) -> Result<Self, ExportError> {
        Ok(Self {
            output: seal(output, passphrase)?,
            line: Zeroizing::default(),
            rows: 0,
        })
    }

    /// Writes the first line.
    pub(super) fn header(&mut self, header: &Header) -> Result<(), ExportError> {
        self.line(header)
    }

    pub(super) fn row(&mut self, row: &Row) -> Result<(), ExportError> {
        self.line(row)?;
        self.rows += 1;
        Ok(())
    }

    /// Writes the last line and the end of the encryption. Answers how many rows there are.
    pub(super) fn end(mut self) -> Result<u64, ExportError> {
        let rows = self.rows;
        self.line(&Row::End(EndRow { rows }))?;
        let mut output = self.output.finish().map_err(written)?;
        output.flush().map_err(written)?;
        Ok(rows)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        self.line.zeroize();
        // Only a value that JSON cannot express is refused, and into memory everything can be written.
        serde_json::to_writer(&mut *self.line, line).map_err(|_| ExportError::Output {
            kind: io::ErrorKind::InvalidData,
        })?;
        if self.line.len() > MAX_EXPORT_LINE_BYTES {
            return Err(ExportError::TooLong {
                bytes: self.line.len(),
            });
        }
        self.line.push(b'\n');
        self.output.write_all(&self.line).map_err(written)
    }
}

/// Who exported, as the header says.
pub(super) struct Exporter {
    pub(super) account: BareJid,
    pub(super) at: Timestamp,
    pub(super) messages: u64,
}

/// Reads a file line by line: the header, rows, and the end.
pub(crate) struct LineReader<R: Read + Seek> {
    input: BufReader<StreamReader<Bounded<R>>>,
    line: Zeroizing<Vec<u8>>,
    /// Rows read so far.
    rows: u64,
    /// The last line was read, and it is the last.
    ended: bool,
}

impl<R: Read + Seek> LineReader<R> {
    pub(super) fn open(input: R, passphrase: &str) -> Result<Self, ImportError> {
        Ok(Self {
            input: BufReader::new(unseal(input, passphrase)?),
            line: Zeroizing::default(),
            rows: 0,
            ended: false,
        })
    }

    /// Back to the header.
    pub(super) fn rewind(&mut self) -> Result<(), ImportError> {
        self.rows = 0;
        self.ended = false;
        match self.input.seek(SeekFrom::Start(0)) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.reading(&error)),
        }
    }

    /// Reads the first line.
    pub(super) fn header(&mut self) -> Result<Exporter, ImportError> {
        self.read_line()?;
        let no_header = ImportError::Damaged {
            row: 0,
            detail: "the first line is no header",
        };
        let Ok(kind) = serde_json::from_slice::<Kind>(&self.line) else {
            return Err(no_header);
        };
        if kind.format != FORMAT {
            return Err(no_header);
        }
        if kind.version > VERSION {
            return Err(ImportError::NewerVersion {
                found: kind.version,
                known: VERSION,
            });
        }
        let Ok(header) = serde_json::from_slice::<Header>(&self.line) else {
            return Err(no_header);
        };
        let Ok(account) = BareJid::new(&header.account) else {
            return Err(no_header);
        };
        Ok(Exporter {
            account,
            at: Timestamp::from_millis(header.exported),
            messages: header.messages,
        })
    }

    /// Reads the next row; `None` after the last one, if the file then ends as it should.
    pub(super) fn row(&mut self) -> Result<Option<Row>, ImportError> {
        if self.ended {
            return Ok(None);
        }
        self.read_line()?;
        let row = self.rows + 1;
        // The parser's own words would show content.
        let Ok(parsed) = serde_json::from_slice(&self.line) else {
            return Err(ImportError::Damaged {
                row,
                detail: "not a row of this version",
            });
        };
        if let Row::End(end) = parsed {
            if end.rows != self.rows {
                return Err(ImportError::Damaged {
                    row,
                    detail: "the end counts other rows",
                });
            }
            self.nothing_follows()?;
            self.ended = true;
            return Ok(None);
        }
        self.rows = row;
        Ok(Some(parsed))
    }

    /// Bytes of the line that was read last.
    pub(super) fn line_bytes(&self) -> usize {
        self.line.len()
    }

    /// The row that was read last, counted from 1.
    pub(super) const fn position(&self) -> u64 {
        self.rows
    }

    /// Reads to the end of the encryption, which is what says that nothing was cut off.
    fn nothing_follows(&mut self) -> Result<(), ImportError> {
        match self.input.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(ImportError::Damaged {
                row: self.rows + 1,
                detail: "something follows the end",
            }),
            Err(error) => Err(self.reading(&error)),
        }
    }

    fn read_line(&mut self) -> Result<(), ImportError> {
        self.line.zeroize();
        let limit = MAX_EXPORT_LINE_BYTES as u64 + 1;
        let read = self
            .input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.line);
        if let Err(error) = read {
            return Err(self.reading(&error));
        }
        if self.line.ends_with(b"\n") {
            self.line.pop();
            return Ok(());
        }
        if self.line.len() as u64 == limit {
            return Err(ImportError::TooLong { row: self.rows + 1 });
        }
        Err(ImportError::Incomplete { rows: self.rows })
    }

    fn reading(&self, error: &io::Error) -> ImportError {
        if is_of_the_input(error) {
            return ImportError::Input { kind: error.kind() };
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ImportError::Incomplete { rows: self.rows },
            _ => ImportError::Damaged {
                row: self.rows + 1,
                detail: "its encryption does not fit",
            },
        }
    }
}
