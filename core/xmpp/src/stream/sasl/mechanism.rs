//! Mechanisms that we speak, best first.

use core::fmt;

/// A SASL mechanism of ours.
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
}

impl Mechanism {
    /// Best first.
    const PREFERENCE: [Self; 4] = [
        Self::ScramSha512,
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
    ];

    /// Name in `<mechanism/>` and `<auth mechanism=''/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The best of what is offered.
pub(crate) fn choose(offered: &[String], allow_plain: bool) -> Option<Mechanism> {
    Mechanism::PREFERENCE.into_iter().find(|mechanism| {
        (allow_plain || *mechanism != Mechanism::Plain)
            && offered.iter().any(|name| name == mechanism.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(offered: &[&str], allow_plain: bool) -> Option<Mechanism> {
        let offered: Vec<String> = offered.iter().map(|name| (*name).to_owned()).collect();
        choose(&offered, allow_plain)
    }

    #[test]
    fn the_strongest_hash_wins_whatever_the_order() {
        let all = [
            "PLAIN",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "DIGEST-MD5",
            "SCRAM-SHA-512",
        ];
        assert_eq!(chosen(&all, true), Some(Mechanism::ScramSha512));
        assert_eq!(chosen(&all[..3], true), Some(Mechanism::ScramSha256));
        assert_eq!(chosen(&all[..2], true), Some(Mechanism::ScramSha1));
    }

    #[test]
    fn plain_needs_permission_and_the_rest_is_unknown() {
        assert_eq!(chosen(&["PLAIN", "DIGEST-MD5", "X-OAUTH2"], false), None);
        assert_eq!(
            chosen(&["PLAIN", "DIGEST-MD5"], true),
            Some(Mechanism::Plain)
        );
        assert_eq!(
            chosen(&["scram-sha-1"], false),
            None,
            "names are case-sensitive"
        );
        assert_eq!(chosen(&[], true), None);
    }
}
