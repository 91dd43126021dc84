//! Which devices an account publishes.

use eft_types::DeviceId;
use serde::{Deserialize, Serialize};

use crate::IdentityKey;
use crate::limits::{MAX_DEVICES, MAX_LABEL_BYTES};

/// An account's device list of one version: no id twice, at most [`MAX_DEVICES`].
///
/// Source: XEP-0384 §5.3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList {
    devices: Vec<ListedDevice>,
    truncated: bool,
}

/// An entry of a device list.
///
/// Source: XEP-0384 §5.3.1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListedDevice {
    /// The device.
    #[serde(with = "crate::record::device_id")]
    pub id: DeviceId,
    /// Its label with signature, as it stands on the list (omemo:2 only).
    pub label: Option<DeviceLabel>,
}

/// A label that a device gave itself, kept as received: whoever publishes the list again has to carry it
/// along unchanged (XEP-0384 §5.3.1), and cannot sign it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeviceLabel {
    text: String,
    signature: Vec<u8>,
}

impl DeviceLabel {
    /// A label as received. `None` for one of more than [`MAX_LABEL_BYTES`].
    #[must_use]
    pub fn new(text: impl Into<String>, signature: impl Into<Vec<u8>>) -> Option<Self> {
        let (text, signature) = (text.into(), signature.into());
        (text.len() <= MAX_LABEL_BYTES && signature.len() <= MAX_LABEL_BYTES)
            .then_some(Self { text, signature })
    }

    /// The text, if the device with this key signed it. A label without a valid signature must be ignored
    /// (XEP-0384 §5.3.1), so there is no other way to it for showing.
    #[must_use]
    pub fn verified_text(&self, identity: &IdentityKey) -> Option<&str> {
        // Labels exist in omemo:2 only, where the Ed25519 form is known.
        (identity.ed25519().is_some() && identity.verify(self.text.as_bytes(), &self.signature))
            .then_some(self.text.as_str())
    }

    /// `label` and the bytes of `labelsig`, for publishing again. Not for showing.
    #[must_use]
    pub fn to_wire(&self) -> (&str, &[u8]) {
        (&self.text, &self.signature)
    }
}

impl ListedDevice {
    /// An entry without a label.
    #[must_use]
    pub const fn unlabelled(id: DeviceId) -> Self {
        Self { id, label: None }
    }
}

impl DeviceList {
    /// A list as received: of entries with the same id the first stays, and everything past
    /// [`MAX_DEVICES`] is dropped.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = ListedDevice>) -> Self {
        let mut list = Self::default();
        for entry in entries {
            if list.contains(entry.id) {
                continue;
            }
            if list.devices.len() == MAX_DEVICES {
                list.truncated = true;
                break;
            }
            list.devices.push(entry);
        }
        list
    }

    /// A list of ids without labels.
    #[must_use]
    pub fn of_ids(ids: impl IntoIterator<Item = DeviceId>) -> Self {
        Self::new(ids.into_iter().map(ListedDevice::unlabelled))
    }

    /// The entries, in the order of the list.
    #[must_use]
    pub fn devices(&self) -> &[ListedDevice] {
        &self.devices
    }

    /// The ids, in the order of the list.
    pub fn ids(&self) -> impl Iterator<Item = DeviceId> {
        self.devices.iter().map(|device| device.id)
    }

    /// Whether a device is on it.
    #[must_use]
    pub fn contains(&self, id: DeviceId) -> bool {
        self.ids().any(|listed| listed == id)
    }

    /// Whether entries were dropped because there were too many.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}
