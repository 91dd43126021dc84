//! Devices and trust, as an app shows them.

use eft_omemo::{Fingerprint, TrustLevel};
use eft_types::DeviceAddress;

/// One device of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Account and device id.
    pub address: DeviceAddress,
    /// Whether it is the one that this store belongs to.
    pub this_device: bool,
    /// Whether one of the account's lists names it now.
    pub listed: bool,
    /// The label that its owner signed (XEP-0384 §5.3.1), if it could be checked.
    pub label: Option<String>,
    /// What people compare; `None` until its bundle was fetched or it wrote to us.
    pub fingerprint: Option<Fingerprint>,
    /// How far it is trusted.
    pub trust: Trust,
    /// Messages written to it since anything came back from it. A device that is read now and then answers by itself
    /// after 53 (XEP-0384 §6): far above that it is asleep for good, most likely. Eft goes on writing to it.
    pub unanswered_count: u32,
}

/// How far a device is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Nobody decided; nothing is encrypted to it.
    Undecided,
    /// Trusted because nobody ever compared a fingerprint with this account.
    BlindlyTrusted,
    /// The user, or a mechanism the user relies on, accepted it.
    Verified,
    /// Nothing is encrypted to it.
    Distrusted,
}

impl Trust {
    /// Short name for people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::BlindlyTrusted => "blindly trusted",
            Self::Verified => "verified",
            Self::Distrusted => "distrusted",
        }
    }
}

impl From<TrustLevel> for Trust {
    fn from(level: TrustLevel) -> Self {
        match level {
            TrustLevel::Undecided => Self::Undecided,
            TrustLevel::BlindlyTrusted => Self::BlindlyTrusted,
            TrustLevel::Verified { .. } => Self::Verified,
            TrustLevel::Distrusted { .. } => Self::Distrusted,
        }
    }
}
