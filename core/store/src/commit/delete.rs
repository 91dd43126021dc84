//! Deleting messages, so that nothing of them is left.

use eft_types::{MessageId, Timestamp};
use rusqlite::{Transaction, params};

use crate::error::StoreError;
use crate::search;

pub(super) fn messages(transaction: &Transaction<'_>, ids: &[MessageId]) -> Result<(), StoreError> {
    for id in ids {
        delete(transaction, id.as_row())?;
    }
    Ok(())
}

/// Deletes up to `limit` messages received before `before`, oldest first; answers how many. What waits to be
/// sent, or may still become readable, is kept.
pub(crate) fn expire(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let mut find = transaction.prepare_cached(
        "SELECT id FROM message m
         WHERE received < ?1 AND retry IS NULL
           AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = m.id)
         ORDER BY received, id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = find.query_map(params![before.as_millis(), limit], |row| row.get(0))?;
    let ids: Vec<i64> = found.collect::<Result<_, _>>()?;
    for id in &ids {
        delete(transaction, *id)?;
    }
    Ok(ids.len())
}

fn delete(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    search::unindex(transaction, id)?;
    transaction
        .prepare_cached("DELETE FROM message WHERE id = ?1")?
        .execute(params![id])?;
    Ok(())
}
