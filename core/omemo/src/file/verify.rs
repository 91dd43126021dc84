//! The first reading of a file: is it authentic?

use core::fmt;

use zeroize::Zeroizing;

use super::cipher::{FileHash, HashState};
use super::{FILE_TAG_BYTES, FileError, FileKey, VerifiedFile};

/// Takes the ciphertext of a file, block by block, and gives out nothing but the verdict.
///
/// Source: NIST SP 800-38D §6.4, GHASH.
pub struct FileVerifier {
    key: FileKey,
    hash: FileHash,
}

impl FileVerifier {
    /// Begins a file.
    #[must_use]
    pub fn new(key: &FileKey) -> Self {
        Self {
            hash: FileHash::new(key),
            key: key.clone(),
        }
    }

    /// Goes on with a file, at [`FileCheckpoint::position`].
    #[must_use]
    pub fn resume(key: &FileKey, checkpoint: &FileCheckpoint) -> Self {
        Self {
            hash: FileHash::resume(key, &checkpoint.0),
            key: key.clone(),
        }
    }

    /// Takes what comes next of the ciphertext, of any length, without the tag.
    ///
    /// # Errors
    /// [`FileError::TooLong`].
    pub fn update(&mut self, ciphertext: &[u8]) -> Result<(), FileError> {
        self.hash.update(ciphertext)
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.hash.length()
    }

    /// Where to go on after an interruption.
    #[must_use]
    pub fn checkpoint(&self) -> FileCheckpoint {
        FileCheckpoint(self.hash.state())
    }

    /// The verdict. Only an authentic file can be decrypted, by reading it once more.
    ///
    /// # Errors
    /// [`FileError::NotAuthentic`].
    pub fn finish(self, tag: &[u8; FILE_TAG_BYTES]) -> Result<VerifiedFile, FileError> {
        let length = self.hash.length();
        if self.hash.matches(tag) {
            VerifiedFile::new(&self.key, length, *tag)
        } else {
            Err(FileError::NotAuthentic)
        }
    }
}

impl fmt::Debug for FileVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileVerifier({} bytes)", self.position())
    }
}

/// A place in a file, and what the hash was there. As secret as the file's key: together with the ciphertext it is
/// enough to forge. Zeroized on drop, silent in `Debug`.
pub struct FileCheckpoint(pub(super) HashState);

/// Bytes of an encoded checkpoint.
const ENCODED: usize = 1 + 8 + 16;
/// First byte of an encoded checkpoint.
const ENCODING: u8 = 1;

impl FileCheckpoint {
    /// The first byte of the ciphertext to be read again, a multiple of 16: at most 15 bytes before the place where
    /// reading stopped.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.0.length
    }

    /// For the store.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(ENCODED));
        bytes.push(ENCODING);
        bytes.extend_from_slice(&self.0.length.to_be_bytes());
        bytes.extend_from_slice(self.0.hash.as_slice());
        bytes
    }

    /// From the store.
    ///
    /// # Errors
    /// [`FileError::Checkpoint`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
        let damaged = FileError::Checkpoint;
        let (encoding, rest) = bytes.split_first().ok_or(damaged)?;
        let (length, hash) = rest.split_first_chunk::<8>().ok_or(damaged)?;
        let hash = <[u8; 16]>::try_from(hash).map_err(|_| damaged)?;
        let length = u64::from_be_bytes(*length);
        if *encoding != ENCODING || length % 16 != 0 || length > super::MAX_FILE_BYTES {
            return Err(damaged);
        }
        Ok(Self(HashState {
            length,
            hash: Zeroizing::new(hash),
        }))
    }
}

impl fmt::Debug for FileCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileCheckpoint({} bytes)", self.position())
    }
}
