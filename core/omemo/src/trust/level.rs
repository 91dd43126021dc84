//! How far an identity key is trusted, and why.

use serde::{Deserialize, Serialize};

/// What is thought of one identity key of one account.
///
/// Source: XEP-0384 §8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrustLevel {
    /// Nobody decided. Content never goes to such a device.
    Undecided,
    /// First seen while no key of its account was authenticated: nobody compared anything.
    BlindlyTrusted,
    /// Trusted, for this reason.
    Verified {
        /// What the trust rests on.
        by: VerifiedBy,
    },
    /// Content never goes to such a device, whatever the policy.
    Distrusted {
        /// Who said so.
        by: DistrustedBy,
    },
}

/// What trust rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VerifiedBy {
    /// The user said yes when asked, without comparing anything. This does not authenticate the key.
    Consent,
    /// The user compared the fingerprint.
    Fingerprint,
    /// The user scanned the peer's code or opened a verification URI.
    Code,
    /// An authenticated device said so (XEP-0450).
    TrustMessage,
    /// It is the key of this installation.
    Ourselves,
}

impl VerifiedBy {
    /// Whether the key was compared with what its owner holds, directly or through a device for which that
    /// was done.
    #[must_use]
    pub const fn authenticates(self) -> bool {
        !matches!(self, Self::Consent)
    }
}

/// Who withdrew trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DistrustedBy {
    /// The user.
    User,
    /// An authenticated device (XEP-0450).
    TrustMessage,
}

impl TrustLevel {
    /// What is thought of the key of this installation.
    pub(crate) const OURSELVES: Self = Self::Verified {
        by: VerifiedBy::Ourselves,
    };

    /// Whether somebody decided, rather than nobody.
    pub(crate) const fn is_decided(self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Distrusted { .. })
    }

    /// What the level is worth to another installation: the key of ours is there one that the user vouches for by
    /// bringing it along, and that nobody compared.
    pub(crate) const fn elsewhere(self) -> Self {
        match self {
            Self::OURSELVES => Self::Verified {
                by: VerifiedBy::Consent,
            },
            level => level,
        }
    }

    /// Whether the key is authenticated: verified by more than consent.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Verified { by } if by.authenticates())
    }
}
