//! `device_log`.

use rusqlite::{Transaction, params};

use crate::error::StoreError;
use crate::limits::shortened;
use crate::model::DeviceEvent;

pub(super) fn write(
    transaction: &Transaction<'_>,
    events: &[DeviceEvent],
) -> Result<(), StoreError> {
    for event in events {
        transaction
            .prepare_cached(
                "INSERT INTO device_log (at, jid, device, kind, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                event.at.as_millis(),
                event.device.jid.as_str(),
                event.device.device.as_u32(),
                event.kind.code(),
                event.detail.as_deref().map(shortened),
            ])?;
    }
    Ok(())
}
