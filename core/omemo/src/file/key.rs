//! What opens a file.

use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::key::Secret;

/// Bytes of the IV that we write (XEP-0454 §3).
const IV_BYTES: usize = 12;

/// Key and IV of one file. Zeroized on drop, silent in `Debug`. It is for one content only: a second one under the same
/// key and IV gives both away, and the means to forge.
///
/// Source: XEP-0454 §3; XEP-0448 §3.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey {
    key: Secret,
    iv: FileIv,
}

/// The two lengths in the field. The IV is no secret, but whoever holds the link holds both.
#[derive(Clone, PartialEq, Eq)]
enum FileIv {
    Short(Zeroizing<[u8; 12]>),
    Long(Zeroizing<[u8; 16]>),
}

/// Why bytes are no key of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileKeyError {
    /// Not 32 bytes.
    #[error("a key of {found} bytes, not 32")]
    KeyLength {
        /// Bytes received.
        found: usize,
    },
    /// Neither 12 bytes nor, as old clients write, 16.
    #[error("an IV of {found} bytes, neither 12 nor 16")]
    IvLength {
        /// Bytes received.
        found: usize,
    },
}

impl FileKey {
    /// Draws a key and an IV of 12 bytes, for one file.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let key = Secret::random(rng);
        let mut iv = Zeroizing::new([0; IV_BYTES]);
        rng.fill_bytes(iv.as_mut_slice());
        Self {
            key,
            iv: FileIv::Short(iv),
        }
    }

    /// From the bytes behind the `#` of an `aesgcm://` link (XEP-0454 §3: the IV, then the key), or from `<key/>` and
    /// `<iv/>` of XEP-0448 §3.
    ///
    /// # Errors
    /// [`FileKeyError`].
    pub fn new(key: &[u8], iv: &[u8]) -> Result<Self, FileKeyError> {
        let wrong_key = FileKeyError::KeyLength { found: key.len() };
        let key = Secret::new(key.try_into().map_err(|_| wrong_key)?);
        let wrong_iv = FileKeyError::IvLength { found: iv.len() };
        let iv = match iv.len() {
            12 => FileIv::Short(Zeroizing::new(iv.try_into().map_err(|_| wrong_iv)?)),
            16 => FileIv::Long(Zeroizing::new(iv.try_into().map_err(|_| wrong_iv)?)),
            _ => return Err(wrong_iv),
        };
        Ok(Self { key, iv })
    }

    /// The key: 32 bytes.
    #[must_use]
    pub fn key(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    /// The IV: 12 or 16 bytes.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        match &self.iv {
            FileIv::Short(iv) => iv.as_slice(),
            FileIv::Long(iv) => iv.as_slice(),
        }
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}
