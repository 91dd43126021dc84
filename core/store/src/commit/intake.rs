//! `intake`: appended by any process, taken out by the holder of the lease.

use eft_types::{OriginId, Timestamp};
use rusqlite::{Transaction, named_params, params};

use crate::error::StoreError;
use crate::limits::MAX_INTAKE_ROWS;
use crate::model::{Intake, IntakeId, IntakeKind, Opaque};

/// The one write that needs no lease.
pub(crate) fn append_intake(
    transaction: &Transaction<'_>,
    intake: &Intake,
    queued: Timestamp,
) -> Result<IntakeId, StoreError> {
    let waiting: u32 =
        transaction.query_row("SELECT count(*) FROM intake", [], |row| row.get(0))?;
    if waiting >= MAX_INTAKE_ROWS {
        return Err(StoreError::IntakeFull);
    }
    let (kind, conversation, origin_id, peer) = match intake {
        Intake::Text {
            conversation,
            origin_id,
            ..
        } => (
            IntakeKind::Text,
            Some(conversation),
            Some(origin_id),
            &conversation.peer,
        ),
        Intake::File {
            conversation,
            origin_id,
            ..
        } => (
            IntakeKind::File,
            Some(conversation),
            Some(origin_id),
            &conversation.peer,
        ),
        Intake::ReadMark { peer, .. } => (IntakeKind::ReadMark, None, None, peer),
    };
    let (body, payload) = match intake {
        Intake::Text { plaintext, .. } => {
            (Some(plaintext.text.as_str()), plaintext.payload.as_ref())
        }
        Intake::File { description, .. } => (None, Some(description)),
        Intake::ReadMark { .. } => (None, None),
    };
    let message = match intake {
        Intake::ReadMark { up_to, .. } => Some(up_to.as_row()),
        Intake::Text { .. } | Intake::File { .. } => None,
    };
    transaction
        .prepare_cached(
            "INSERT INTO intake
                 (kind, peer, conversation_kind, origin_id, body, payload, message, queued)
             VALUES
                 (:kind, :peer, :conversation_kind, :origin_id, :body, :payload, :message, :queued)",
        )?
        .execute(named_params! {
            ":kind": kind.code(),
            ":peer": peer.as_str(),
            ":conversation_kind": conversation.map(|conversation| conversation.kind.code()),
            ":origin_id": origin_id.map(OriginId::as_str),
            ":body": body,
            ":payload": payload.map(Opaque::as_bytes),
            ":message": message,
            ":queued": queued.as_millis(),
        })?;
    Ok(IntakeId::from_row(transaction.last_insert_rowid()))
}

/// Each entry becomes something once: one that is gone fails the batch.
pub(super) fn take(transaction: &Transaction<'_>, taken: &[IntakeId]) -> Result<(), StoreError> {
    for id in taken {
        let removed = transaction
            .prepare_cached("DELETE FROM intake WHERE id = ?1")?
            .execute(params![id.as_row()])?;
        if removed == 0 {
            return Err(StoreError::NoSuchIntakeEntry(*id));
        }
    }
    Ok(())
}
