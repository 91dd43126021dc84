//! Decrypting a file, before or after its tag was checked.

use core::fmt;

use super::cipher::{FileHash, KeyStream};
use super::{FILE_TAG_BYTES, FileCheckpoint, FileError, FileKey};

/// A file that was read once and is authentic. Decrypts it as it is read once more, and checks that it is the same.
///
/// Source: NIST SP 800-38D §7.2.
pub struct VerifiedFile {
    stream: KeyStream,
    hash: FileHash,
    length: u64,
    tag: [u8; FILE_TAG_BYTES],
}

impl VerifiedFile {
    pub(super) fn new(
        key: &FileKey,
        length: u64,
        tag: [u8; FILE_TAG_BYTES],
    ) -> Result<Self, FileError> {
        Ok(Self {
            stream: KeyStream::new(key, 0)?,
            hash: FileHash::new(key),
            length,
            tag,
        })
    }

    /// Bytes of the content.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is no content.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Decrypts what comes next, of any length, in place.
    ///
    /// # Errors
    /// [`FileError::Changed`] if this is more than there was; then the bytes are as they were.
    pub fn decrypt(&mut self, block: &mut [u8]) -> Result<(), FileError> {
        if self.hash.length_with(block.len())? > self.length {
            return Err(FileError::Changed);
        }
        self.hash.update(block)?;
        self.stream.apply(block)
    }

    /// Whether both readings gave the same. Only who can write where the ciphertext is kept can make them differ.
    ///
    /// # Errors
    /// [`FileError::Changed`].
    pub fn finish(self) -> Result<(), FileError> {
        if self.hash.length() == self.length && self.hash.matches(&self.tag) {
            Ok(())
        } else {
            Err(FileError::Changed)
        }
    }
}

impl fmt::Debug for VerifiedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.length;
        write!(f, "VerifiedFile({} of {length} bytes)", self.hash.length())
    }
}

/// A file that is decrypted while it is read for the first time. What comes out may be anything that someone wanted it
/// to be: write it where nobody looks, and use it only after [`UnverifiedFile::finish`].
///
/// Source: NIST SP 800-38D §7.2, in an order that it does not allow.
pub struct UnverifiedFile {
    stream: KeyStream,
    hash: FileHash,
}

/// Bytes that nobody has authenticated. GCM is malleable: whoever can change the ciphertext can flip any bit of them.
#[must_use]
pub struct Unverified<'a>(&'a [u8]);

impl UnverifiedFile {
    /// Begins a file.
    ///
    /// # Errors
    /// None that happens: [`FileError::TooLong`] is the type's.
    pub fn new(key: &FileKey) -> Result<Self, FileError> {
        Ok(Self {
            stream: KeyStream::new(key, 0)?,
            hash: FileHash::new(key),
        })
    }

    /// Goes on with a file, at [`FileCheckpoint::position`].
    ///
    /// # Errors
    /// [`FileError::TooLong`] for a place past the longest file.
    pub fn resume(key: &FileKey, checkpoint: &FileCheckpoint) -> Result<Self, FileError> {
        Ok(Self {
            stream: KeyStream::new(key, checkpoint.position())?,
            hash: FileHash::resume(key, &checkpoint.0),
        })
    }

    /// Decrypts what comes next, of any length, in place.
    ///
    /// # Errors
    /// [`FileError::TooLong`]; then the bytes are as they were.
    pub fn decrypt<'a>(&mut self, block: &'a mut [u8]) -> Result<Unverified<'a>, FileError> {
        self.hash.update(block)?;
        self.stream.apply(block)?;
        Ok(Unverified(block))
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.hash.length()
    }

    /// Where to go on after an interruption. What was given out from [`FileCheckpoint::position`] on is given out again.
    #[must_use]
    pub fn checkpoint(&self) -> FileCheckpoint {
        FileCheckpoint(self.hash.state())
    }

    /// The verdict about everything that was given out.
    ///
    /// # Errors
    /// [`FileError::NotAuthentic`]: throw it all away.
    pub fn finish(self, tag: &[u8; FILE_TAG_BYTES]) -> Result<(), FileError> {
        if self.hash.matches(tag) {
            Ok(())
        } else {
            Err(FileError::NotAuthentic)
        }
    }
}

impl fmt::Debug for UnverifiedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedFile({} bytes)", self.position())
    }
}

impl<'a> Unverified<'a> {
    /// The bytes, for who knows that they may be anything.
    #[must_use]
    pub const fn release(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({} bytes)", self.0.len())
    }
}
