//! Systems without shared mapped files of the Unix kind: there is no lease.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

pub(super) struct Words {
    pub(super) format: AtomicU64,
    pub(super) holder: AtomicU64,
    pub(super) locked_by: AtomicU64,
}

/// Never made.
pub(super) struct Mapped {
    words: Words,
    file: File,
}

impl Mapped {
    pub(super) fn open(_: &Path, create: bool) -> io::Result<Option<Self>> {
        match create {
            true => Err(io::ErrorKind::Unsupported.into()),
            false => Ok(None),
        }
    }

    pub(super) const fn words(&self) -> &Words {
        &self.words
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }
}

pub(super) fn boot_millis() -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
