//! Names of secrets.

use core::fmt;

/// Name of a secret: 1 to 100 of `a-z 0-9 - _ .`, not starting with a dot. Narrow enough to be a
/// file name, a keychain account and an Android preference key alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// Not a name for a secret; see [`SecretName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret's name is 1 to 100 of a-z, 0-9, '-', '_', '.', and starts with no dot")]
pub struct SecretNameError;

impl SecretName {
    /// Longest name, in bytes. A [`SecretStore`](super::SecretStore) sees longer ones: what is kept beside
    /// a secret has its name and a suffix of up to 16 bytes.
    pub const MAX_BYTES: usize = 100;

    /// Takes a name.
    ///
    /// # Errors
    /// [`SecretNameError`] for anything but the allowed characters and lengths.
    pub fn new(name: impl Into<String>) -> Result<Self, SecretNameError> {
        let name = name.into();
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if name.is_empty()
            || name.len() > Self::MAX_BYTES
            || name.starts_with('.')
            || !name.bytes().all(allowed)
        {
            return Err(SecretNameError);
        }
        Ok(Self(name))
    }

    /// Name of the number that is kept beside a key: it ends in `.generation`, and may be that much longer than
    /// [`MAX_BYTES`](Self::MAX_BYTES).
    pub(crate) fn of_generation(&self) -> Self {
        Self(format!("{}.generation", self.0))
    }

    /// Name under which the next key waits until the database has it.
    pub(crate) fn of_next_key(&self) -> Self {
        Self(format!("{}.next", self.0))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_folder_are_refused() {
        for bad in [
            "", ".", "..", ".hidden", "a/b", "a\\b", "A", "ä", "a b", "a\0",
        ] {
            assert_eq!(SecretName::new(bad), Err(SecretNameError), "{bad:?}");
        }
        assert!(SecretName::new("x".repeat(101)).is_err());
        assert!(SecretName::new("x".repeat(100)).is_ok());
        assert!(SecretName::new("account-1.db_key").is_ok());
    }
}
