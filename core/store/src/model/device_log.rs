//! What happened to devices, for the user to read.

use eft_types::{DeviceAddress, Timestamp};

use super::stable_codes;

/// What happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceEventKind {
    /// It stands on the account's list for the first time.
    Appeared,
    /// It was taken off the list.
    Disappeared,
    /// It is on the list again after it had been taken off.
    Returned,
    /// The same id now shows another identity key.
    IdentityChanged,
    /// It stopped advertising a better protocol version than the one left.
    Downgraded,
    /// The user, or a mechanism that the user relies on, verified it.
    Verified,
    /// The user rejected it.
    Distrusted,
    /// The user took a decision about it back.
    Undecided,
    /// The user accepted the older protocol version for it.
    LegacyAccepted,
}

stable_codes!(DeviceEventKind {
    Appeared = 1,
    Disappeared = 2,
    Returned = 3,
    IdentityChanged = 4,
    Downgraded = 5,
    Verified = 6,
    Distrusted = 7,
    Undecided = 8,
    LegacyAccepted = 9,
});

/// A line of the device log: the answer to a server that adds a device of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEvent {
    /// When we noticed.
    pub at: Timestamp,
    /// Which device.
    pub device: DeviceAddress,
    /// What happened.
    pub kind: DeviceEventKind,
    /// For a reader: an old and a new fingerprint, a list's version. Public data only.
    pub detail: Option<String>,
}
