//! Records about other devices.

use eft_types::{DeviceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::MAX_DEVICES;
use crate::{DeviceList, IdentityKey, ListedDevice};

/// A device whose identity key is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceRecord {
    pub(crate) identity: IdentityKey,
    #[serde(with = "super::timestamp")]
    pub(crate) first_seen: Timestamp,
}

/// A device list as last received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceListRecord {
    devices: Vec<ListedDevice>,
    /// Devices that were on it once, newest first, at most [`MAX_DEVICES`]. The oldest stay: whoever publishes many
    /// new ones must not be able to push off those that we have known for long.
    former: Vec<u32>,
    #[serde(with = "super::timestamp")]
    pub(crate) received_at: Timestamp,
}

impl DeviceListRecord {
    /// The list that follows `before`.
    pub(crate) fn follow(before: Option<&Self>, list: &DeviceList, now: Timestamp) -> Self {
        let mut former: Vec<u32> = Vec::new();
        if let Some(before) = before {
            former.extend(before.devices.iter().map(|device| device.id.as_u32()));
            former.extend(&before.former);
        }
        former.retain(|id| !list.ids().any(|listed| listed.as_u32() == *id));
        let surplus = former.len().saturating_sub(MAX_DEVICES);
        former.drain(..surplus);
        Self {
            devices: list.devices().to_vec(),
            former,
            received_at: now,
        }
    }

    pub(crate) fn list(&self) -> DeviceList {
        DeviceList::new(self.devices.iter().cloned())
    }

    pub(crate) fn contains(&self, id: DeviceId) -> bool {
        self.devices.iter().any(|device| device.id == id)
    }

    /// Whether the device was on the list once and is no more.
    pub(crate) fn was_listed(&self, id: DeviceId) -> bool {
        self.former.contains(&id.as_u32())
    }
}
