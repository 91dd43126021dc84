//! Records about ourselves.

use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::IdentityKeyPair;
use crate::key::{PreKeyPair, SignedPreKeyPair};

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    jid: String,
    #[serde(with = "super::device_id")]
    pub(crate) device: DeviceId,
    pub(crate) identity: IdentityKeyPair,
    #[serde(with = "super::timestamp")]
    pub(crate) installed_at: Timestamp,
}

impl AccountRecord {
    pub(crate) fn new(own: &DeviceAddress, identity: IdentityKeyPair, now: Timestamp) -> Self {
        Self {
            jid: own.jid.to_string(),
            device: own.device,
            identity,
            installed_at: now,
        }
    }

    /// `None` if the record is damaged.
    pub(crate) fn address(&self) -> Option<DeviceAddress> {
        let jid = BareJid::new(&self.jid).ok()?;
        Some(DeviceAddress::new(jid, self.device))
    }
}

/// Which prekeys of one version exist. Ids only grow: one is never given to a second key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PreKeysRecord {
    pub(crate) next_id: u32,
    /// In the bundle.
    pub(crate) published: Vec<u32>,
    /// Used: out of the bundle, the oldest use first, kept until the end of the next catch-up.
    pub(crate) used: Vec<u32>,
    pub(crate) signed: u32,
    #[serde(with = "super::timestamp")]
    pub(crate) signed_at: Timestamp,
    /// The signed prekey before, for exchanges under way.
    pub(crate) previous_signed: Option<u32>,
}

/// One prekey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PreKeyRecord {
    pub(crate) pair: PreKeyPair,
}

/// One signed prekey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedPreKeyRecord {
    pub(crate) pair: SignedPreKeyPair,
    /// Over the key as this version encodes it.
    #[serde(with = "super::signature")]
    pub(crate) signature: [u8; 64],
}
