//! `archive`.

use eft_types::{BareJid, StanzaId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::bare_jid;
use crate::error::StoreError;
use crate::model::ArchiveCursor;

pub(crate) fn cursor(
    connection: &Connection,
    archive: &BareJid,
) -> Result<Option<ArchiveCursor>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT jid, last_stanza_id, last_time, at_end FROM archive WHERE jid = ?1",
    )?;
    let mut rows = find.query(params![archive.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// In the order of addresses.
pub(crate) fn cursors(connection: &Connection) -> Result<Vec<ArchiveCursor>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT jid, last_stanza_id, last_time, at_end FROM archive ORDER BY jid",
    )?;
    let mut rows = find.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(read(row)?);
    }
    Ok(cursors)
}

fn read(row: &Row<'_>) -> Result<ArchiveCursor, StoreError> {
    let id: Option<String> = row.get(1)?;
    let time: Option<i64> = row.get(2)?;
    Ok(ArchiveCursor {
        archive: bare_jid(row.get_ref(0)?.as_str()?, "archive.jid")?,
        last: id.map(StanzaId::new).zip(time.map(Timestamp::from_millis)),
        at_end: row.get(3)?,
    })
}
