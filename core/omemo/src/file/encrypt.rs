//! Encrypting a file.

use core::fmt;

use super::cipher::{FileHash, KeyStream};
use super::{FILE_TAG_BYTES, FileError, FileKey};

/// Encrypts one file, block by block, in place. There is no way to stop and go on later: the content might be another
/// by then, and two contents under one key stream give each other away. Begin again, with a new key.
///
/// Source: NIST SP 800-38D §7.1.
pub struct FileEncryptor {
    stream: KeyStream,
    hash: FileHash,
}

impl FileEncryptor {
    /// Begins a file. Use a key for one file, and once.
    ///
    /// # Errors
    /// None that happens: [`FileError::TooLong`] is the type's.
    pub fn new(key: &FileKey) -> Result<Self, FileError> {
        Ok(Self {
            stream: KeyStream::new(key, 0)?,
            hash: FileHash::new(key),
        })
    }

    /// Encrypts what comes next, of any length; the ciphertext is as long.
    ///
    /// # Errors
    /// [`FileError::TooLong`]; then the bytes are as they were.
    pub fn encrypt(&mut self, block: &mut [u8]) -> Result<(), FileError> {
        self.hash.length_with(block.len())?;
        self.stream.apply(block)?;
        self.hash.update(block)
    }

    /// The tag, which goes behind the ciphertext.
    #[must_use = "without its tag nobody can open the file"]
    pub fn finish(self) -> [u8; FILE_TAG_BYTES] {
        self.hash.finish()
    }
}

impl fmt::Debug for FileEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileEncryptor({} bytes)", self.hash.length())
    }
}
