//! `outbox` and `action`.

use eft_types::{MessageId, Timestamp};
use rusqlite::{Connection, Rows, params};

use super::{bare_jid, rows};
use crate::error::StoreError;
use crate::model::{Opaque, OutboxEntry, OutboxId};
use crate::omemo::Action;

/// In the order of sending.
pub(crate) fn outbox(
    connection: &Connection,
    after: Option<OutboxId>,
    limit: usize,
) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT id, message, stanza, recipient, queued, stream_sequence FROM outbox
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let after = after.map_or(i64::MIN, OutboxId::as_row);
    entries(find.query(params![after, rows(limit)])?)
}

/// What has a number on the current stream, in the order of rows.
pub(crate) fn outbox_on_stream(connection: &Connection) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT id, message, stanza, recipient, queued, stream_sequence FROM outbox
         WHERE stream_sequence IS NOT NULL ORDER BY id",
    )?;
    entries(find.query([])?)
}

fn entries(mut found: Rows<'_>) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(OutboxEntry {
            id: OutboxId::from_row(row.get(0)?),
            message: row.get::<_, Option<i64>>(1)?.map(MessageId::from_row),
            stanza: row.get::<_, Option<Vec<u8>>>(2)?.map(Opaque::from),
            to: row
                .get_ref(3)?
                .as_str_or_null()?
                .map(|text| bare_jid(text, "outbox.recipient"))
                .transpose()?,
            queued: Timestamp::from_millis(row.get(4)?),
            stream_sequence: row.get(5)?,
        });
    }
    Ok(entries)
}

/// In the order in which they were first asked for.
pub(crate) fn actions(connection: &Connection) -> Result<Vec<Action>, StoreError> {
    let mut find = connection.prepare_cached("SELECT value FROM action ORDER BY id")?;
    let mut rows = find.query([])?;
    let mut actions = Vec::new();
    while let Some(row) = rows.next()? {
        let action =
            Action::decode(row.get_ref(0)?.as_blob()?).map_err(|error| StoreError::Damaged {
                detail: format!("action: {error}"),
            })?;
        actions.push(action);
    }
    Ok(actions)
}
