//! `archive`, `archive_range`: how far archives were read, and how places count.

use eft_types::BareJid;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::conversation::ConversationRow;
use crate::batch::ArchiveStep;
use crate::error::StoreError;
use crate::model::{ArchivePoint, ArchiveProgress, ConversationKind, ConversationRef};

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

/// Begins ranges, each behind all that is known of its archive. Where the archive was not read to its end, something may
/// stand beyond that already: it stands beyond the new range now.
pub(super) fn begin_ranges(
    transaction: &Transaction<'_>,
    own: &BareJid,
    ranges: &[(BareJid, ArchivePoint)],
) -> Result<(), StoreError> {
    for (jid, (id, time)) in ranges {
        let archive = intern(transaction, jid)?;
        let newest = newest_place(transaction, archive)?;
        let base = newest.saturating_add(GAP);
        transaction
            .prepare_cached(
                "INSERT INTO archive_range (archive, first_stanza_id, first_time, last_stanza_id,
                                            last_time, oldest_place, newest_place)
                 VALUES (?1, ?2, ?3, ?2, ?3, ?4, ?4)",
            )?
            .execute(params![archive, id.as_str(), time.as_millis(), base])?;
        let beyond = after(base.saturating_add(GAP));
        move_beyond(transaction, own, jid, after(newest), beyond)?;
    }
    Ok(())
}

pub(super) fn write(
    transaction: &Transaction<'_>,
    own: &BareJid,
    steps: &[ArchiveStep],
) -> Result<(), StoreError> {
    for step in steps {
        match step {
            ArchiveStep::Advance(progress) => advance(transaction, own, false, progress)?,
            ArchiveStep::Extend(progress) => advance(transaction, own, true, progress)?,
            ArchiveStep::Begin {
                archive,
                first,
                at_beginning,
            } => note_first(transaction, archive, first.as_ref(), *at_beginning)?,
        }
    }
    Ok(())
}

/// Notes how far a part of an archive was read: the contiguous one, or the newest range.
fn advance(
    transaction: &Transaction<'_>,
    own: &BareJid,
    is_range: bool,
    step: &ArchiveProgress,
) -> Result<(), StoreError> {
    let archive = intern(transaction, &step.archive)?;
    let (id, time) = columns(step.last.as_ref());
    let part = match is_range {
        true => {
            "UPDATE archive_range SET last_stanza_id = coalesce(?2, last_stanza_id),
                                      last_time = coalesce(?3, last_time)
             WHERE id = (SELECT id FROM archive_range WHERE archive = ?1
                         ORDER BY oldest_place DESC LIMIT 1)"
        }
        false => {
            "UPDATE archive SET last_stanza_id = coalesce(?2, last_stanza_id),
                                last_time = coalesce(?3, last_time)
             WHERE id = ?1"
        }
    };
    transaction
        .prepare_cached(part)?
        .execute(params![archive, id, time])?;
    let has_ranges = transaction
        .prepare_cached("SELECT 1 FROM archive_range WHERE archive = ?1")?
        .exists(params![archive])?;
    // The end of its newest part is the end of the archive.
    match has_ranges == is_range {
        true => set_at_end(transaction, own, archive, step),
        false => Ok(()),
    }
}

/// Joins the oldest range of each.
pub(super) fn join_ranges(
    transaction: &Transaction<'_>,
    jids: &[BareJid],
) -> Result<(), StoreError> {
    jids.iter().try_for_each(|jid| join(transaction, jid))
}

/// The contiguous part takes the range in. Places stay what they are: between the two it jumps.
fn join(transaction: &Transaction<'_>, jid: &BareJid) -> Result<(), StoreError> {
    let archive = intern(transaction, jid)?;
    let range: Option<i64> = transaction
        .prepare_cached(
            "SELECT id FROM archive_range WHERE archive = ?1 ORDER BY oldest_place LIMIT 1",
        )?
        .query_row(params![archive], |row| row.get(0))
        .optional()?;
    let Some(range) = range else {
        return Ok(());
    };
    transaction
        .prepare_cached(
            "UPDATE archive SET (last_stanza_id, last_time, newest_place) =
                 (SELECT last_stanza_id, last_time, newest_place FROM archive_range WHERE id = ?2)
             WHERE id = ?1",
        )?
        .execute(params![archive, range])?;
    transaction
        .prepare_cached("DELETE FROM archive_range WHERE id = ?1")?
        .execute(params![range])?;
    Ok(())
}

fn note_first(
    transaction: &Transaction<'_>,
    jid: &BareJid,
    first: Option<&ArchivePoint>,
    at_beginning: bool,
) -> Result<(), StoreError> {
    let archive = intern(transaction, jid)?;
    let (id, time) = columns(first);
    transaction
        .prepare_cached(
            "UPDATE archive SET first_stanza_id = ?2, first_time = ?3, at_beginning = ?4
             WHERE id = ?1 AND first_stanza_id IS NULL",
        )?
        .execute(params![archive, id, time, at_beginning])?;
    Ok(())
}

fn columns(point: Option<&ArchivePoint>) -> (Option<&str>, Option<i64>) {
    point.map_or((None, None), |(id, time)| {
        (Some(id.as_str()), Some(time.as_millis()))
    })
}

/// The newest position of an archive, be it in the contiguous part or in a range.
fn newest_place(transaction: &Transaction<'_>, archive: i64) -> Result<i64, StoreError> {
    Ok(transaction
        .prepare_cached(
            "SELECT max(a.newest_place, coalesce(
                 (SELECT max(r.newest_place) FROM archive_range r WHERE r.archive = a.id),
                 a.newest_place))
             FROM archive a WHERE a.id = ?1",
        )?
        .query_row(params![archive], |row| row.get(0))?)
}

/// Notes whether the archive was read to its end. If so, nothing more comes from it there: what was put beyond a gap now
/// follows its last message.
fn set_at_end(
    transaction: &Transaction<'_>,
    own: &BareJid,
    archive: i64,
    step: &ArchiveProgress,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE archive SET at_end = ?2 WHERE id = ?1")?
        .execute(params![archive, step.at_end])?;
    if step.at_end {
        let newest = newest_place(transaction, archive)?;
        move_beyond(transaction, own, &step.archive, newest, after(newest))?;
    }
    Ok(())
}

/// Moves what stands beyond a place, in every conversation that the archive orders.
fn move_beyond(
    transaction: &Transaction<'_>,
    own: &BareJid,
    jid: &BareJid,
    beyond: i64,
    to: i64,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE message SET place = ?2 WHERE place > ?1 AND conversation IN (
                 SELECT id FROM conversation
                 WHERE (kind = ?3 AND ?5 = ?6) OR (kind = ?4 AND peer = ?5))",
        )?
        .execute(params![
            beyond,
            to,
            ConversationKind::Direct.code(),
            ConversationKind::Room.code(),
            jid.as_str(),
            own.as_str(),
        ])?;
    Ok(())
}
