//! What binds a device to its identity key, as a value that goes from one installation to the next.

use eft_types::{DeviceAddress, Timestamp};

use super::Step;
use crate::record::DeviceRecord;
use crate::{Changes, IdentityKey, RecordKey, Records, StepError};

/// A device whose identity key is known. One that shows another key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// The device.
    pub address: DeviceAddress,
    /// Its key, in the form or forms that it has shown.
    pub identity: IdentityKey,
    /// When it showed its key for the first time.
    pub first_seen: Timestamp,
}

/// What is known of a device, for an export; `None` if its key is not known.
///
/// # Errors
/// [`StepError::Missing`] if the device's record is not loaded.
pub fn known_device(
    records: &Records,
    address: &DeviceAddress,
) -> Result<Option<KnownDevice>, StepError> {
    let step = Step::new(records);
    Ok(step.device(address)?.map(|device| KnownDevice {
        address: address.clone(),
        identity: device.identity,
        first_seen: device.first_seen,
    }))
}

/// Binds a device to its identity key as another installation knew it, from its export. A device that is known here by
/// another key stays bound to that one, and so does this device to its own.
///
/// # Errors
/// [`StepError::Missing`] if the account's or the device's record is not loaded.
pub fn restore_device(records: &Records, restored: &KnownDevice) -> Result<Changes, StepError> {
    let mut step = Step::new(records);
    let key = RecordKey::Device(restored.address.clone());
    step.require([RecordKey::Account, key.clone()])?;
    let is_ours = match step.own_address() {
        Ok(own) => own == restored.address,
        Err(StepError::NotInstalled) => false,
        Err(error) => return Err(error),
    };
    let known = step.device(&restored.address)?;
    if is_ours || known.is_some_and(|known| !known.identity.matches(&restored.identity)) {
        return Ok(step.into_changes());
    }
    let merged = known.map_or_else(
        || DeviceRecord {
            identity: restored.identity,
            first_seen: restored.first_seen,
        },
        |known| DeviceRecord {
            // The one of omemo:2 has both forms.
            identity: match known.identity.ed25519() {
                Some(_) => known.identity,
                None => restored.identity,
            },
            first_seen: known.first_seen.min(restored.first_seen),
        },
    );
    if known != Some(&merged) {
        step.put(key, merged);
    }
    Ok(step.into_changes())
}
