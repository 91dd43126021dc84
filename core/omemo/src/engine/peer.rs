//! Questions about a peer's device.

use eft_types::DeviceAddress;

use super::Step;
use crate::{IdentityKey, Records, StepError, Version};

/// Whether there is a session to encrypt with.
///
/// # Errors
/// [`StepError::Missing`] if the session's record is not loaded.
pub fn has_session(
    records: &Records,
    address: &DeviceAddress,
    version: Version,
) -> Result<bool, StepError> {
    Ok(Step::new(records).session(address, version)?.is_some())
}

/// The identity key that a device is known by.
///
/// # Errors
/// [`StepError::Missing`] if the device's record is not loaded.
pub fn peer_identity(
    records: &Records,
    address: &DeviceAddress,
) -> Result<Option<IdentityKey>, StepError> {
    Ok(Step::new(records)
        .device(address)?
        .map(|device| device.identity))
}
