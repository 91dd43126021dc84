//! The cipher of files, by blocks: AES-256-GCM as XEP-0454 uses it for `aesgcm://` and XEP-0448 for its
//! `aes-256-gcm-nopadding`.
//!
//! ```text
//! key = 32 random bytes, IV = 12 random bytes (received: also 16)
//! ciphertext || tag (16) = AES-256-GCM(key, IV, file)
//! ```
//!
//! A file may be larger than memory, and no byte of it is what it seems before the tag at its end was checked. So
//! decrypting has two ways, told apart by type:
//!
//! | Way | Reads the ciphertext | Gives out |
//! |---|---|---|
//! | [`FileVerifier`] → [`VerifiedFile`] | twice | content that is authentic |
//! | [`UnverifiedFile`] | once | bytes of a type that says what they are, and the verdict at the end |
//!
//! Either needs the same few hundred bytes of memory for a file of any size, and a download that was interrupted goes
//! on from a [`FileCheckpoint`].
//!
//! The careful way, here with files that are slices:
//!
//! ```
//! use eft_omemo::{FileEncryptor, FileKey, FileVerifier};
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # let mut rng = ChaCha20Rng::seed_from_u64(1);
//!
//! let key = FileKey::generate(&mut rng); // goes into the `aesgcm://` link
//! let mut file = *b"as long as you like, block by block";
//! let mut encryptor = FileEncryptor::new(&key)?;
//! for block in file.chunks_mut(16) {
//!     encryptor.encrypt(block)?;
//! }
//! let tag = encryptor.finish(); // uploaded behind the file
//!
//! let mut verifier = FileVerifier::new(&key);
//! for block in file.chunks(16) {
//!     verifier.update(block)?;
//! }
//! let mut verified = verifier.finish(&tag)?; // or no file
//! for block in file.chunks_mut(16) {
//!     verified.decrypt(block)?;
//! }
//! verified.finish()?;
//! assert_eq!(&file, b"as long as you like, block by block");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cipher;
mod decrypt;
mod encrypt;
mod key;
mod verify;

pub use decrypt::{Unverified, UnverifiedFile, VerifiedFile};
pub use encrypt::FileEncryptor;
pub use key::{FileKey, FileKeyError};
pub use verify::{FileCheckpoint, FileVerifier};

/// Bytes of the tag behind the ciphertext (NIST SP 800-38D §5.2.1.2; XEP-0454 §3: it is appended to the file).
pub const FILE_TAG_BYTES: usize = 16;

/// Longest file: 2³⁹−256 bits (NIST SP 800-38D §5.2.1.1), short of 64 GiB. Past it the counter would begin anew, and
/// with it the key stream.
pub const MAX_FILE_BYTES: u64 = (1 << 36) - 32;

/// Why a file is not encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The tag does not fit: the file, the key, or the IV is another, or it was cut short.
    #[error("the file is not authentic")]
    NotAuthentic,
    /// More than [`MAX_FILE_BYTES`].
    #[error("the file is longer than this cipher allows")]
    TooLong,
    /// The second reading gave other bytes than the first. What was given out since is not to be used.
    #[error("the file changed while it was read")]
    Changed,
    /// A checkpoint that was not made by [`FileVerifier::checkpoint`].
    #[error("this is no checkpoint")]
    Checkpoint,
}

#[cfg(test)]
mod tests;
