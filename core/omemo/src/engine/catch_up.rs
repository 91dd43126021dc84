//! The end of catching up with archives.

use super::Step;
use super::pre_keys::delete_used;
use crate::{Effects, Records, StepError};

/// Deletes the private keys of prekeys that were used before or during catch-up. Call it when every archive is at its
/// end, and carry out the actions that piled up (one bundle per version, one empty message per device).
///
/// Source: XEP-0384 §6.
///
/// # Errors
/// [`StepError`].
pub fn finish_catch_up(records: &Records) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    delete_used(&mut step)?;
    Ok(step.into_effects())
}
