//! `stream`.

use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;
use crate::model::{Opaque, StreamState};

pub(crate) fn stream(connection: &Connection) -> Result<Option<StreamState>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT resume_id, handled_inbound, acked_outbound, details FROM stream")?
        .query_row([], |row| {
            Ok(StreamState {
                resume_id: Opaque::new(row.get::<_, Vec<u8>>(0)?),
                handled_inbound: row.get(1)?,
                acked_outbound: row.get(2)?,
                details: Opaque::new(row.get::<_, Vec<u8>>(3)?),
            })
        })
        .optional()?)
}
