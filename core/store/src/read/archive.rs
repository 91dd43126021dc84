//! `archive`, `archive_range`.

use eft_types::{BareJid, StanzaId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::bare_jid;
use crate::error::StoreError;
use crate::model::{ArchiveCursor, ArchivePoint, ArchiveRange, ConversationKind, OlderHistory};

const COLUMNS: &str = "id, jid, first_stanza_id, first_time, last_stanza_id, last_time, at_end";

pub(crate) fn cursor(
    connection: &Connection,
    archive: &BareJid,
) -> Result<Option<ArchiveCursor>, StoreError> {
    let mut find =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM archive WHERE jid = ?1"))?;
    let mut rows = find.query(params![archive.as_str()])?;
    rows.next()?.map(|row| read(connection, row)).transpose()
}

/// In the order of addresses.
pub(crate) fn cursors(connection: &Connection) -> Result<Vec<ArchiveCursor>, StoreError> {
    let mut find =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM archive ORDER BY jid"))?;
    let mut rows = find.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(read(connection, row)?);
    }
    Ok(cursors)
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<ArchiveCursor, StoreError> {
    let ranges = ranges(connection, row.get(0)?)?;
    let newest_at_end: bool = row.get(6)?;
    Ok(ArchiveCursor {
        archive: bare_jid(row.get_ref(1)?.as_str()?, "archive.jid")?,
        first: point(row, 2)?,
        last: point(row, 4)?,
        at_end: newest_at_end && ranges.is_empty(),
        newest_at_end,
        ranges,
    })
}

/// Two columns, of which either both are NULL or none.
fn point(row: &Row<'_>, column: usize) -> Result<Option<ArchivePoint>, StoreError> {
    let id: Option<String> = row.get(column)?;
    let time: Option<i64> = row.get(column + 1)?;
    Ok(id.map(StanzaId::new).zip(time.map(Timestamp::from_millis)))
}

fn ranges(connection: &Connection, archive: i64) -> Result<Vec<ArchiveRange>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT first_stanza_id, first_time, last_stanza_id, last_time, oldest_place, newest_place
         FROM archive_range WHERE archive = ?1 ORDER BY oldest_place",
    )?;
    let mut rows = find.query(params![archive])?;
    let mut ranges = Vec::new();
    while let Some(row) = rows.next()? {
        let end = |column| -> Result<ArchivePoint, StoreError> {
            Ok((
                StanzaId::new(row.get::<_, String>(column)?),
                Timestamp::from_millis(row.get(column + 1)?),
            ))
        };
        ranges.push(ArchiveRange {
            first: end(0)?,
            last: end(2)?,
            oldest_place: row.get(4)?,
            newest_place: row.get(5)?,
        });
    }
    Ok(ranges)
}

/// Places in a conversation before which messages of its archive are known to be missing, the newest first.
pub(super) fn gaps(connection: &Connection, peer: &BareJid) -> Result<Vec<i64>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT r.oldest_place FROM conversation c
         JOIN archive a ON a.jid = CASE c.kind WHEN ?2 THEN c.peer ELSE (SELECT jid FROM account) END
         JOIN archive_range r ON r.archive = a.id
         WHERE c.peer = ?1 ORDER BY r.oldest_place DESC",
    )?;
    let found = find.query_map(
        params![peer.as_str(), ConversationKind::Room.code()],
        |row| row.get(0),
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// How far back a conversation is known. What lies beyond a gap does not count.
pub(crate) fn older_history(
    connection: &Connection,
    peer: &BareJid,
) -> Result<OlderHistory, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT coalesce(c.older_stanza_id,
                    (SELECT m.stanza_id FROM message m
                     WHERE m.conversation = c.id AND m.archive = a.id AND m.place <= a.newest_place + 1
                     ORDER BY m.place, m.id LIMIT 1)),
                c.older_at_beginning OR a.at_beginning
         FROM conversation c
         JOIN archive a ON a.jid = CASE c.kind WHEN ?2 THEN c.peer ELSE (SELECT jid FROM account) END
         WHERE c.peer = ?1",
    )?;
    let mut rows = find.query(params![peer.as_str(), ConversationKind::Room.code()])?;
    let Some(row) = rows.next()? else {
        return Ok(OlderHistory {
            first: None,
            at_beginning: false,
        });
    };
    Ok(OlderHistory {
        first: row.get::<_, Option<String>>(0)?.map(StanzaId::new),
        at_beginning: row.get(1)?,
    })
}
