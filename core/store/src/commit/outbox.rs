//! `outbox`.

use eft_types::MessageId;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::batch::OutboxChange;
use crate::committed::Insertion;
use crate::error::StoreError;
use crate::model::{NewOutboxEntry, Opaque, OutboxContent, OutboxId};

/// Carries out the changes in order. The answer has one element per new entry.
pub(super) fn write(
    transaction: &Transaction<'_>,
    changes: &[OutboxChange],
    inserted: &[Insertion],
) -> Result<Vec<Option<OutboxId>>, StoreError> {
    let mut pushed = Vec::new();
    for change in changes {
        match change {
            OutboxChange::Push(entry) => pushed.push(push(transaction, entry, inserted)?),
            OutboxChange::Fix(id, stanza) => fix(transaction, *id, stanza)?,
            OutboxChange::Sequence(id, sequence) => {
                let changed = transaction
                    .prepare_cached("UPDATE outbox SET stream_sequence = ?2 WHERE id = ?1")?
                    .execute(params![id.as_row(), sequence])?;
                if changed == 0 {
                    return Err(StoreError::NoSuchOutboxEntry(*id));
                }
            }
            OutboxChange::ForgetSequences => {
                transaction.execute(
                    "UPDATE outbox SET stream_sequence = NULL WHERE stream_sequence IS NOT NULL",
                    [],
                )?;
            }
            OutboxChange::Remove(id) => {
                transaction
                    .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
                    .execute(params![id.as_row()])?;
            }
        }
    }
    Ok(pushed)
}

fn push(
    transaction: &Transaction<'_>,
    entry: &NewOutboxEntry,
    inserted: &[Insertion],
) -> Result<Option<OutboxId>, StoreError> {
    let message = match entry.content {
        OutboxContent::Control => None,
        OutboxContent::Message(id) => {
            if !message_exists(transaction, id)? {
                return Err(StoreError::NoSuchMessage(id));
            }
            Some(id)
        }
        OutboxContent::NewMessage(message) => {
            match inserted
                .get(message.0)
                .ok_or(StoreError::ForeignReference)?
            {
                Insertion::Inserted(id) => Some(*id),
                // It was written down before, with an entry of its own.
                Insertion::Duplicate(_) | Insertion::Improved(_) | Insertion::Folded(_) => {
                    return Ok(None);
                }
            }
        }
    };
    transaction
        .prepare_cached(
            "INSERT INTO outbox (message, recipient, stanza, queued) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            message.map(MessageId::as_row),
            entry.to.as_ref().map(|to| to.as_str()),
            entry.stanza.as_ref().map(Opaque::as_bytes),
            entry.queued.as_millis(),
        ])?;
    Ok(Some(OutboxId::from_row(transaction.last_insert_rowid())))
}

fn fix(transaction: &Transaction<'_>, id: OutboxId, stanza: &Opaque) -> Result<(), StoreError> {
    let fixed: bool = transaction
        .prepare_cached("SELECT stanza IS NOT NULL FROM outbox WHERE id = ?1")?
        .query_row(params![id.as_row()], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NoSuchOutboxEntry(id))?;
    if fixed {
        return Err(StoreError::OutboxEntryFixed(id));
    }
    transaction
        .prepare_cached("UPDATE outbox SET stanza = ?2 WHERE id = ?1")?
        .execute(params![id.as_row(), stanza.as_bytes()])?;
    Ok(())
}

fn message_exists(transaction: &Transaction<'_>, id: MessageId) -> Result<bool, StoreError> {
    Ok(transaction
        .prepare_cached("SELECT 1 FROM message WHERE id = ?1")?
        .exists(params![id.as_row()])?)
}
