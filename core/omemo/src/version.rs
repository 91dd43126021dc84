//! Which OMEMO is spoken.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The two OMEMO protocols in the field. Sessions, prekeys, bundles and device lists are separate
/// per version; identity key, device id and trust are shared.
///
/// Source: XEP-0384 0.9.1 and 0.3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Version {
    /// `eu.siacs.conversations.axolotl`, XEP-0384 version 0.3.0: encrypts body text only.
    Legacy = 1,
    /// `urn:xmpp:omemo:2`, XEP-0384 version 0.8 and later: encrypts whole stanza contents.
    Omemo2 = 2,
}

impl Version {
    /// Both, the older first.
    pub const ALL: [Self; 2] = [Self::Legacy, Self::Omemo2];

    /// Stable number, used in record keys.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// Inverse of [`Version::as_u8`].
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Legacy),
            2 => Some(Self::Omemo2),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy OMEMO",
            Self::Omemo2 => "OMEMO 2",
        })
    }
}
