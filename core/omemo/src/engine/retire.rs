//! Sessions that must not be sent with any more.

use eft_types::DeviceAddress;

use super::{Step, store_session};
use crate::{Effects, Records, StepError, Version};

/// Leaves every session with a device for reading only, for good: also where a message comes over one of them, it is not
/// sent with again. A store that was put back to an older state needs it. What its sessions would send next was sent
/// already by the state that is lost, and a message key used twice gives two messages away.
///
/// Afterwards there is no session to encrypt with; [`initiate`](crate::initiate) makes one.
///
/// # Errors
/// [`StepError`].
pub fn retire_sessions(
    records: &Records,
    address: &DeviceAddress,
    version: Version,
) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    let rows = store_session::rows(address, version);
    step.require(rows.clone())?;
    let [session_key, _, archive_key] = rows;
    if let Some(session) = step.session(address, version)?.cloned() {
        step.put(session_key, session.retired());
    }
    let mut archive = step.archived_sessions(address, version)?;
    if !archive.sessions.is_empty() {
        for archived in &mut archive.sessions {
            archived.session = archived.session.clone().retired();
        }
        step.put(archive_key, archive);
    }
    Ok(step.into_effects())
}
