//! The history in one encrypted file, and back out of it on another device.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use eft_store::{
    ExportError, ExportOptions, Exported, IdentityKeyFate, ImportError, Imported, Store,
};
use zeroize::Zeroizing;

use crate::clock;
use crate::error::Error;

/// What an export takes along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityKey {
    /// The identity key stays here: the new device has one of its own, and contacts are told of it.
    #[default]
    Stays,
    /// It goes along: the user says that this device is gone, or will be. Two devices that both live with one key cannot
    /// be told apart by anybody.
    Moves,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportedHistory {
    /// Messages.
    pub message_count: u64,
}

/// Writes beside the file, and puts it in its place when it is whole and on disk.
pub(crate) fn export(
    store: &Store,
    path: &Path,
    passphrase: &str,
    identity: IdentityKey,
) -> Result<ExportedHistory, Error> {
    let part = with_suffix(path, ".part");
    let written = write_part(store, &part, passphrase, identity);
    let result = written.and_then(|exported| {
        fs::rename(&part, path).map_err(|error| unusable(path, &error))?;
        Ok(ExportedHistory {
            message_count: exported.messages,
        })
    });
    if result.is_err() {
        // What was written of it is encrypted, and of no use.
        let _ = fs::remove_file(&part);
    }
    result
}

fn write_part(
    store: &Store,
    part: &Path,
    passphrase: &str,
    identity: IdentityKey,
) -> Result<Exported, Error> {
    let options = ExportOptions {
        identity: match identity {
            IdentityKey::Stays => IdentityKeyFate::Stays,
            IdentityKey::Moves => IdentityKeyFate::Moves,
        },
    };
    let file = private_file(part).map_err(|error| unusable(part, &error))?;
    let mut output = BufWriter::new(file);
    let go_on = &mut |_| ControlFlow::Continue(());
    let exported = store.export(&mut output, passphrase, &options, clock::now(), go_on)?;
    output
        .flush()
        .and_then(|()| output.get_ref().sync_all())
        .map_err(|error| unusable(part, &error))?;
    Ok(exported)
}

/// Reads a file into a database.
pub(crate) fn import(store: &Store, path: &Path, passphrase: &str) -> Result<Imported, Error> {
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    let go_on = &mut |_| ControlFlow::Continue(());
    Ok(store.import(BufReader::new(file), passphrase, go_on)?)
}

/// A file that only this user can read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::invalid(format!("{}: {error}", path.display()))
}

/// A passphrase on its way to a thread.
pub(crate) type Passphrase = Zeroizing<String>;

impl From<ExportError> for Error {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            other => Self::invalid(other.to_string()),
        }
    }
}

impl From<ImportError> for Error {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            other => Self::invalid(other.to_string()),
        }
    }
}
