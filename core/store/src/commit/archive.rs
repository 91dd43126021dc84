//! `archive`: cursors, and how places count.

use eft_types::{BareJid, StanzaId};
use rusqlite::{Transaction, params};

use super::conversation::ConversationRow;
use crate::error::StoreError;
use crate::model::{ArchiveProgress, ConversationKind, ConversationRef};

/// Archive positions are this far apart; between two of them stands what is provisional.
pub(super) const STEP: i64 = 2;
/// Distance over a part of an archive that has not been read: room for as many positions as no
/// archive has.
pub(super) const GAP: i64 = 1 << 32;

/// Finds an archive, or makes it.
pub(super) fn intern(transaction: &Transaction<'_>, jid: &BareJid) -> Result<i64, StoreError> {
    let mut find = transaction.prepare_cached("SELECT id FROM archive WHERE jid = ?1")?;
    let mut rows = find.query(params![jid.as_str()])?;
    if let Some(row) = rows.next()? {
        return Ok(row.get(0)?);
    }
    transaction
        .prepare_cached("INSERT INTO archive (jid) VALUES (?1)")?
        .execute(params![jid.as_str()])?;
    Ok(transaction.last_insert_rowid())
}

/// The archive that orders a conversation: a room keeps its own, ours keeps the direct ones.
pub(super) fn of_conversation<'a>(
    conversation: &'a ConversationRef,
    row: ConversationRow,
    own: &'a BareJid,
) -> &'a BareJid {
    match row.kind {
        ConversationKind::Direct => own,
        ConversationKind::Room => &conversation.peer,
    }
}

/// Whether a place was given by the archive.
pub(super) const fn is_archived(place: i64) -> bool {
    place % STEP == 0
}

/// The provisional place that follows an archive position.
pub(super) const fn after(place: i64) -> i64 {
    place.saturating_add(1)
}

/// The provisional place that stands before an archive position.
pub(super) const fn before(place: i64) -> i64 {
    place.saturating_sub(1)
}

pub(super) fn reopen_all(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute("UPDATE archive SET at_end = 0 WHERE at_end = 1", [])?;
    Ok(())
}

pub(super) fn advance(
    transaction: &Transaction<'_>,
    own: &BareJid,
    steps: &[ArchiveProgress],
) -> Result<(), StoreError> {
    for step in steps {
        let archive = intern(transaction, &step.archive)?;
        let (id, time) = step.last.as_ref().map_or((None, None), |(id, time)| {
            (Some(StanzaId::as_str(id)), Some(time.as_millis()))
        });
        transaction
            .prepare_cached(
                "UPDATE archive SET last_stanza_id = coalesce(?2, last_stanza_id),
                                    last_time = coalesce(?3, last_time),
                                    at_end = ?4
                 WHERE id = ?1",
            )?
            .execute(params![archive, id, time, step.at_end])?;
        if step.at_end {
            close_gap(transaction, archive, &step.archive, own)?;
        }
    }
    Ok(())
}

/// Nothing more comes from the archive: what was put beyond the gap now follows its last message.
fn close_gap(
    transaction: &Transaction<'_>,
    archive: i64,
    jid: &BareJid,
    own: &BareJid,
) -> Result<(), StoreError> {
    let newest: i64 = transaction
        .prepare_cached("SELECT newest_place FROM archive WHERE id = ?1")?
        .query_row(params![archive], |row| row.get(0))?;
    transaction
        .prepare_cached(
            "UPDATE message SET place = ?1 WHERE place > ?1 AND conversation IN (
                 SELECT id FROM conversation
                 WHERE (kind = ?2 AND ?4 = ?5) OR (kind = ?3 AND peer = ?4))",
        )?
        .execute(params![
            after(newest),
            ConversationKind::Direct.code(),
            ConversationKind::Room.code(),
            jid.as_str(),
            own.as_str(),
        ])?;
    Ok(())
}
