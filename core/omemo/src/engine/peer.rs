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
    let step = Step::new(records);
    let session = step.session(address, version)?;
    Ok(session.is_some_and(|session| !session.ratchet.is_used_up()))
}

/// Messages sent to a device since anything last came back that turns the ratchet; 0 without a session. A device that is
/// read now and then answers by itself once this passes
/// [`HEARTBEAT_COUNTER`](crate::limits::HEARTBEAT_COUNTER). One that stays far above that is asleep for good, most
/// likely, and everything since then lies under one chain of keys. Whether to go on writing to it is for people to
/// decide: the engine never leaves a device out by itself.
///
/// # Errors
/// [`StepError::Missing`] if the session's record is not loaded.
pub fn unanswered_count(
    records: &Records,
    address: &DeviceAddress,
    version: Version,
) -> Result<u32, StepError> {
    let step = Step::new(records);
    let session = step.session(address, version)?;
    Ok(session.map_or(0, |session| session.ratchet.unanswered()))
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
