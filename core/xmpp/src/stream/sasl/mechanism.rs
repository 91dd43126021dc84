//! Mechanisms that we speak, weakest first.

use core::fmt;

/// A SASL mechanism for a password. The order is that of strength: what proves that nobody sits
/// between (`-PLUS`) is above what only hashes better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// The password itself; only by explicit permission.
    Plain,
    /// RFC 5802.
    ScramSha1,
    /// RFC 7677.
    ScramSha256,
    /// RFC 7677's construction with SHA-512, as servers deploy it.
    ScramSha512,
    /// RFC 5802 with channel binding.
    ScramSha1Plus,
    /// RFC 7677 with channel binding.
    ScramSha256Plus,
    /// The same with SHA-512.
    ScramSha512Plus,
}

impl Mechanism {
    /// Weakest first.
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::ScramSha1,
        Self::ScramSha256,
        Self::ScramSha512,
        Self::ScramSha1Plus,
        Self::ScramSha256Plus,
        Self::ScramSha512Plus,
    ];

    /// Name in `<mechanism/>` and `<auth mechanism=''/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha512Plus => "SCRAM-SHA-512-PLUS",
        }
    }

    /// Reads a name; names are case-sensitive (RFC 4422 §3.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }

    /// The proof covers the TLS connection (RFC 5802 §6).
    #[must_use]
    pub const fn binds_channel(self) -> bool {
        matches!(
            self,
            Self::ScramSha1Plus | Self::ScramSha256Plus | Self::ScramSha512Plus
        )
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_case_matters() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
        }
        assert_eq!(Mechanism::from_name("scram-sha-1"), None);
        assert_eq!(Mechanism::from_name("DIGEST-MD5"), None);
    }

    #[test]
    fn channel_binding_outranks_any_hash_and_plain_is_last() {
        assert!(Mechanism::ScramSha1Plus > Mechanism::ScramSha512);
        assert!(Mechanism::ScramSha256 > Mechanism::ScramSha1);
        assert!(Mechanism::ALL.is_sorted());
        assert_eq!(Mechanism::ALL[0], Mechanism::Plain);
    }
}
