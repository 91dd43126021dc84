//! The end of catching up with archives.

use super::Step;
use crate::{Effects, RecordKey, Records, StepError, Version};

/// Deletes the private keys of prekeys that were used during catch-up. Call it when every archive is at its
/// end, and carry out the actions that piled up (one bundle per version, one empty message per device).
///
/// # Errors
/// [`StepError`].
pub fn finish_catch_up(records: &Records) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    step.require(Version::ALL.map(|version| RecordKey::PreKeys { version }))?;
    for version in Version::ALL {
        let mut index = step.pre_keys(version)?.clone();
        if index.used.is_empty() {
            continue;
        }
        for id in core::mem::take(&mut index.used) {
            step.delete(RecordKey::PreKey { version, id });
        }
        step.put(RecordKey::PreKeys { version }, index);
    }
    Ok(step.into_effects())
}
