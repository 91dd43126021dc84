//! What stops a step. What a *message* can have wrong with it is an [`Outcome`](crate::Outcome), not
//! an error.

use eft_types::DeviceAddress;

use crate::{Fingerprint, Missing, RecordKey, Version};

/// Why a step could not run. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Load these records and call again.
    #[error("{} records are not loaded", .0.len())]
    Missing(Vec<RecordKey>),
    /// There is no account record: [`install`](crate::install) comes first.
    #[error("no identity is installed")]
    NotInstalled,
    /// A record that must exist does not, or is of another kind than its name: the store is damaged.
    #[error("the record {0:?} is lost or damaged")]
    Damaged(RecordKey),
}

impl From<Missing> for StepError {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing.0)
    }
}

/// Why a message could not be encrypted. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// Records are needed, or broken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Nobody to encrypt for.
    #[error("no device to encrypt for")]
    NoDevices,
    /// No session with this device: fetch its bundle and [`initiate`](crate::initiate).
    #[error("no session with {0}")]
    NoSession(DeviceAddress),
    /// The session was made with another key than the one that was trusted.
    #[error("the session with {address} belongs to another key")]
    OtherKey {
        /// The device.
        address: DeviceAddress,
        /// The key that was trusted.
        trusted: Fingerprint,
        /// The key of the session.
        session: Fingerprint,
    },
    /// Our own device needs no message from itself.
    #[error("this device does not encrypt for itself")]
    OwnDevice,
    /// The chain is used up: 2³¹ messages without an answer.
    #[error("the sending chain with {0} is used up")]
    ChainExhausted(DeviceAddress),
}

/// Why no session was made. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InitiateError {
    /// Records are needed, or broken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The device is known under another key. The user decides; see
    /// [`forget_device`](crate::forget_device).
    #[error("the identity key of {address} has changed")]
    IdentityChanged {
        /// The device.
        address: DeviceAddress,
        /// The key it was known by.
        known: Fingerprint,
        /// The key in the bundle.
        found: Fingerprint,
    },
    /// A session with ourselves.
    #[error("this device makes no session with itself")]
    OwnDevice,
    /// A key of the bundle contributes nothing to the secret.
    #[error("a key of the bundle has small order")]
    SmallOrder,
}

/// Why no device was made. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// Records are needed, or broken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is a device already. A second one over it would take the keys of its sessions away.
    #[error("an identity is installed already")]
    AlreadyInstalled,
}

/// Why a bundle is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The identity key is none.
    #[error("identity key: {0}")]
    IdentityKey(#[source] crate::KeyError),
    /// The signed prekey is none.
    #[error("signed prekey: {0}")]
    SignedPreKey(#[source] crate::KeyError),
    /// The identity key did not sign the signed prekey.
    #[error("the signature of the signed prekey is wrong")]
    BadSignature,
    /// No usable prekey. A key exchange without one must be rejected (XEP-0384 §4.2).
    #[error("no usable prekey")]
    NoPreKeys,
}

impl EncryptError {
    /// The records to load, if that is all there is to it.
    #[must_use]
    pub fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(StepError::Missing(keys)) => Some(keys),
            _ => None,
        }
    }
}

impl InitiateError {
    /// The records to load, if that is all there is to it.
    #[must_use]
    pub fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(StepError::Missing(keys)) => Some(keys),
            _ => None,
        }
    }
}

impl InstallError {
    /// The records to load, if that is all there is to it.
    #[must_use]
    pub fn missing(&self) -> Option<&[RecordKey]> {
        match self {
            Self::Step(StepError::Missing(keys)) => Some(keys),
            _ => None,
        }
    }
}

/// Why a stored record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer release.
    #[error("a {kind:?} record of version {found}")]
    UnknownVersion {
        /// The kind of record.
        kind: crate::RecordKind,
        /// The version byte it starts with.
        found: u8,
    },
    /// Not a record of this kind.
    #[error("a damaged {kind:?} record")]
    Damaged {
        /// The kind of record.
        kind: crate::RecordKind,
    },
}

/// Why a stored action cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Written by a newer release.
    #[error("an action of version {found}")]
    UnknownVersion {
        /// The version byte it starts with.
        found: u8,
    },
    /// Not an action.
    #[error("a damaged action")]
    Damaged,
}

/// Why a message is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// The key element is empty, too long, or of no known form.
    #[error("not a message of {version}")]
    NotAMessage {
        /// The protocol that was expected.
        version: Version,
    },
    /// The protocol buffer ends early or has an impossible tag.
    #[error("damaged protocol buffer")]
    Damaged,
    /// A field is missing.
    #[error("field {0} is missing")]
    FieldMissing(&'static str),
    /// A field has an impossible value.
    #[error("field {0} is out of range")]
    OutOfRange(&'static str),
    /// A key is none.
    #[error("field {field}: {error}")]
    Key {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: crate::KeyError,
    },
    /// Authenticated, yet not what a session may carry: a wrong length or padding.
    #[error("the decrypted key material makes no sense")]
    KeyMaterial,
    /// The payload's length, padding or initialisation vector is wrong.
    #[error("the payload makes no sense")]
    Payload,
}
