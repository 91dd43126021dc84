//! The outer form of the file: age, version 1, with one passphrase. The only module that knows the crate `age`.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::iter;
use std::rc::Rc;

use age::scrypt::{Identity, Recipient};
use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor};

use super::error::{ExportError, ImportError};
use crate::limits::{EXPORT_WORK_LOG2, MAX_EXPORT_WORK_LOG2};

/// The header of a file with one passphrase has some 150 bytes. A file without an end of it is not read on.
const MAX_HEADER_BYTES: u64 = 1024;

/// Begins a file. Takes the time and memory of the key derivation.
pub(super) fn seal<W: Write>(output: W, passphrase: &str) -> Result<StreamWriter<W>, ExportError> {
    let mut recipient = Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(EXPORT_WORK_LOG2);
    let recipients = iter::once(&recipient as &dyn age::Recipient);
    // With one recipient of this kind there is nothing that it refuses.
    let sealed = Encryptor::with_recipients(recipients).map_err(|_| ExportError::Output {
        kind: io::ErrorKind::InvalidInput,
    })?;
    sealed.wrap_output(output).map_err(written)
}

pub(super) fn written(error: io::Error) -> ExportError {
    ExportError::Output { kind: error.kind() }
}

/// Opens a file that [`seal`] wrote.
pub(super) fn unseal<R: Read + Seek>(
    input: R,
    passphrase: &str,
) -> Result<StreamReader<Bounded<R>>, ImportError> {
    let left = Rc::new(Cell::new(Some(MAX_HEADER_BYTES)));
    let bounded = Bounded {
        input,
        left: Rc::clone(&left),
    };
    let sealed = Decryptor::new(bounded).map_err(opening)?;
    if !sealed.is_scrypt() {
        return Err(ImportError::NotAnExport);
    }
    left.set(None);
    let mut identity = Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(MAX_EXPORT_WORK_LOG2);
    sealed
        .decrypt(iter::once(&identity as &dyn age::Identity))
        .map_err(opening)
}

fn opening(error: DecryptError) -> ImportError {
    match error {
        DecryptError::ExcessiveWork { required, .. } => ImportError::TooMuchWork {
            found_log2: required,
            allowed_log2: MAX_EXPORT_WORK_LOG2,
        },
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            ImportError::WrongPassphrase
        }
        DecryptError::InvalidMac => ImportError::Damaged {
            row: 0,
            detail: "the header of its encryption was changed",
        },
        DecryptError::Io(error) if is_of_the_input(&error) => {
            ImportError::Input { kind: error.kind() }
        }
        // It ends within the header, or has another one.
        _ => ImportError::NotAnExport,
    }
}

/// Whether an error of reading came from below the encryption.
pub(super) fn is_of_the_input(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Ends early while the header is read, see [`MAX_HEADER_BYTES`].
pub(super) struct Bounded<R> {
    input: R,
    left: Rc<Cell<Option<u64>>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else {
            return self.input.read(buffer);
        };
        let read = self.input.by_ref().take(left).read(buffer)?;
        self.left.set(Some(left.saturating_sub(read as u64)));
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
