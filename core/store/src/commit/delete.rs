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
    // Rows are in the order of arrival, so no index is needed: the first young one is the end. (A clock
    // that was set back in between makes some live longer.)
    let mut find = transaction.prepare_cached(
        "SELECT id, received, retry IS NOT NULL
                OR EXISTS (SELECT 1 FROM outbox o WHERE o.message = m.id)
         FROM message m ORDER BY id",
    )?;
    let mut rows = find.query([])?;
    let mut ids: Vec<i64> = Vec::new();
    while let Some(row) = rows.next()? {
        if ids.len() >= limit || row.get::<_, i64>(1)? >= before.as_millis() {
            break;
        }
        if !row.get::<_, bool>(2)? {
            ids.push(row.get(0)?);
        }
    }
    drop(rows);
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
