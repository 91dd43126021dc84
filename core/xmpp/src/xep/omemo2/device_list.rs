//! The list of an account's devices (XEP-0384 §4.3).

use eft_types::DeviceId;

use super::Parsed;
use crate::xep::text::decode_base64;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Id of the only item of the device list node (§4.3).
pub const DEVICES_ITEM: &str = "current";

/// The list of an account's devices.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceList {
    /// Devices in order, each once. May be empty.
    pub devices: Vec<ListedDevice>,
}

/// A device on the list. Label and signature are kept as they were written: whoever publishes the
/// list again must carry those of other devices along unchanged, and cannot sign them anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// Its id.
    pub id: DeviceId,
    /// Name that its user gave it. Unverified.
    pub label: Option<String>,
    /// Base64 of the signature over the label.
    pub label_signature: Option<String>,
}

impl ListedDevice {
    /// Decoded [`Self::label_signature`].
    #[must_use]
    pub fn label_signature_bytes(&self) -> Option<Vec<u8>> {
        decode_base64(self.label_signature.as_deref()?)
    }
}

impl DeviceList {
    /// `<devices/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let devices = self.devices.iter().map(|device| {
            element("device", ns::OMEMO_2)
                .with_attr("id", device.id.to_string())
                .with_attr_if("label", device.label.as_deref())
                .with_attr_if("labelsig", device.label_signature.as_deref())
        });
        element("devices", ns::OMEMO_2).with_children(devices)
    }

    /// Reads `<devices/>`; `None` if it is something else.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Parsed<Self>> {
        if !element.is("devices", ns::OMEMO_2) {
            return None;
        }
        let mut devices: Vec<ListedDevice> = Vec::new();
        let mut rubbish_count = 0;
        for child in element.children() {
            let id = child
                .attr("id")
                .and_then(|id| id.trim().parse::<DeviceId>().ok());
            match id.filter(|_| child.is("device", ns::OMEMO_2)) {
                Some(id) if devices.iter().all(|device| device.id != id) => {
                    devices.push(ListedDevice {
                        id,
                        label: child.attr("label").map(str::to_owned),
                        label_signature: child.attr("labelsig").map(str::to_owned),
                    })
                }
                _ => rubbish_count += 1,
            }
        }
        Some(Parsed {
            value: Self { devices },
            rubbish_count,
        })
    }
}
