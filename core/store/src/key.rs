//! The key of a database.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, RandomError};

/// Raw 256-bit key of a database, with the 16-byte salt that SQLCipher would otherwise keep in the
/// first bytes of the file. Those bytes hold a plain SQLite header here: iOS ends an app that is
/// suspended with a lock on a file it does not recognise as a database.
///
/// Wiped when dropped; has no `Debug`, no `Clone`, no comparison.
#[derive(ZeroizeOnDrop)]
pub struct StoreKey {
    key: [u8; KEY_BYTES],
    salt: [u8; SALT_BYTES],
}

/// Length of the raw key (AES-256).
pub(crate) const KEY_BYTES: usize = 32;
/// Length of the salt (fixed by SQLCipher).
pub(crate) const SALT_BYTES: usize = 16;

const MAGIC: &[u8; 4] = b"EFTK";
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 16;
const CHECK_LABEL: &[u8] = b"eft-store key record v1";
const RECORD_BYTES: usize = MAGIC.len() + 1 + KEY_BYTES + SALT_BYTES + CHECK_BYTES;

/// Why the bytes of a secret are no key. Says nothing about any database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreKeyError {
    /// Not something this crate wrote: another length, or another beginning.
    #[error("the secret is no database key ({found_bytes} bytes)")]
    NotAKey {
        /// Length of what was found.
        found_bytes: usize,
    },
    /// Written by a newer version of this software.
    #[error("the secret has format {found}, this version knows {known}")]
    UnknownFormat {
        /// Format found.
        found: u8,
        /// Format known here.
        known: u8,
    },
    /// The check value does not fit: bytes were changed since it was written.
    #[error("the secret is damaged")]
    Damaged,
}

impl StoreKey {
    /// Draws a new key and salt from the operating system.
    ///
    /// This is not passed in like other randomness: the key must not be reproducible by a test's
    /// generator, and SQLCipher draws its own randomness beside it.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system has none.
    pub fn generate() -> Result<Self, RandomError> {
        let mut new = Self {
            key: [0; KEY_BYTES],
            salt: [0; SALT_BYTES],
        };
        random::fill(&mut new.key)?;
        random::fill(&mut new.salt)?;
        Ok(new)
    }

    /// Takes a key and salt that the caller made.
    #[must_use]
    pub const fn from_parts(key: [u8; KEY_BYTES], salt: [u8; SALT_BYTES]) -> Self {
        Self { key, salt }
    }

    /// The form in which a [`SecretStore`](crate::SecretStore) keeps it (69 bytes):
    /// `"EFTK" | format (1) | key (32) | salt (16) | check (16)`, where check is the truncated
    /// HMAC-SHA-256 of all before it, under the key itself. The check tells a damaged secret from one that
    /// belongs to another database.
    #[must_use]
    pub fn to_secret(&self) -> Zeroizing<Vec<u8>> {
        let mut secret = Zeroizing::new(Vec::with_capacity(RECORD_BYTES));
        secret.extend_from_slice(MAGIC);
        secret.push(VERSION);
        secret.extend_from_slice(&self.key);
        secret.extend_from_slice(&self.salt);
        let check = self.check(&secret);
        secret.extend_from_slice(&check);
        secret
    }

    /// Reads what [`StoreKey::to_secret`] wrote.
    ///
    /// # Errors
    /// [`StoreKeyError`], by what is wrong with the bytes.
    pub fn from_secret(secret: &[u8]) -> Result<Self, StoreKeyError> {
        let not_a_key = StoreKeyError::NotAKey {
            found_bytes: secret.len(),
        };
        let rest = secret.strip_prefix(MAGIC).ok_or(not_a_key)?;
        let (version, rest) = rest.split_first().ok_or(not_a_key)?;
        if *version != VERSION {
            return Err(StoreKeyError::UnknownFormat {
                found: *version,
                known: VERSION,
            });
        }
        let (key, rest) = rest.split_first_chunk::<KEY_BYTES>().ok_or(not_a_key)?;
        let (salt, check) = rest.split_first_chunk::<SALT_BYTES>().ok_or(not_a_key)?;
        let read = Self {
            key: *key,
            salt: *salt,
        };
        let (body, _) = secret
            .split_at_checked(secret.len().saturating_sub(check.len()))
            .ok_or(not_a_key)?;
        if check.len() != CHECK_BYTES {
            return Err(not_a_key);
        }
        // Not secret against anyone who could time this: whoever reads the secret has the key.
        if read.check(body) != check {
            return Err(StoreKeyError::Damaged);
        }
        Ok(read)
    }

    /// `x'<key><salt>'`: SQLCipher's form of a raw key with its salt.
    pub(crate) fn sqlcipher_key_spec(&self) -> Zeroizing<Vec<u8>> {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut spec = Zeroizing::new(Vec::with_capacity(3 + 2 * (KEY_BYTES + SALT_BYTES)));
        spec.extend_from_slice(b"x'");
        for byte in self.key.iter().chain(&self.salt) {
            for nibble in [byte >> 4, byte & 15] {
                // A nibble is always within the table.
                spec.extend(HEX.get(usize::from(nibble)));
            }
        }
        spec.push(b'\'');
        spec
    }

    /// A second copy, for a connection that is opened later. Not `Clone`: copies are to be seen.
    pub(crate) const fn duplicate(&self) -> Self {
        Self::from_parts(self.key, self.salt)
    }

    pub(crate) const fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    pub(crate) const fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    fn check(&self, body: &[u8]) -> [u8; CHECK_BYTES] {
        let mut check = [0; CHECK_BYTES];
        // HMAC takes a key of any length; the type of its constructor cannot say so.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(CHECK_LABEL);
            mac.update(body);
            let mut full = mac.finalize().into_bytes();
            for (to, from) in check.iter_mut().zip(full.iter()) {
                *to = *from;
            }
            full.as_mut_slice().zeroize();
        }
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StoreKey {
        let mut bytes = [0; KEY_BYTES];
        for (i, byte) in (0..).zip(bytes.iter_mut()) {
            *byte = i;
        }
        StoreKey::from_parts(bytes, [0xab; SALT_BYTES])
    }

    #[test]
    fn a_key_survives_its_secret() {
        let secret = key().to_secret();
        assert_eq!(secret.len(), RECORD_BYTES);
        let read = StoreKey::from_secret(&secret).ok().unwrap();
        assert_eq!(read.key, key().key);
        assert_eq!(read.salt, key().salt);
    }

    #[test]
    fn every_flipped_bit_of_a_secret_is_noticed() {
        let secret = key().to_secret();
        for position in 0..secret.len() * 8 {
            let mut damaged = secret.to_vec();
            damaged[position / 8] ^= 1 << (position % 8);
            let error = StoreKey::from_secret(&damaged).err();
            let expected = match position / 8 {
                0..4 => StoreKeyError::NotAKey {
                    found_bytes: RECORD_BYTES,
                },
                4 => StoreKeyError::UnknownFormat {
                    found: damaged[4],
                    known: VERSION,
                },
                _ => StoreKeyError::Damaged,
            };
            assert_eq!(error, Some(expected), "bit {position}");
        }
    }

    #[test]
    fn every_other_length_is_no_key() {
        let secret = key().to_secret();
        for length in 0..secret.len() {
            assert!(
                StoreKey::from_secret(&secret[..length]).is_err(),
                "{length}"
            );
        }
        let mut long = secret.to_vec();
        long.push(0);
        assert!(StoreKey::from_secret(&long).is_err());
    }

    #[test]
    fn key_spec_is_sqlciphers_raw_form() {
        let spec = key().sqlcipher_key_spec();
        assert_eq!(
            core::str::from_utf8(&spec),
            Ok(
                "x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
                abababababababababababababababab'"
            )
        );
    }

    #[test]
    fn two_generated_keys_differ() {
        let (a, b) = (StoreKey::generate().unwrap(), StoreKey::generate().unwrap());
        assert_ne!(a.key, b.key);
        assert_ne!(a.salt, b.salt);
    }
}
