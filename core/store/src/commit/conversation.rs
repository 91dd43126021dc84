//! `conversation`.

use eft_types::{BareJid, MessageId, StanzaId, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::batch::ConversationWish;
use crate::error::StoreError;
use crate::limits::shortened;
use crate::model::{ConversationEncryption, ConversationKind, ConversationRef, OlderHistory};
use crate::read::coded;

/// A conversation's row and its kind as first mentioned.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConversationRow {
    pub(super) id: i64,
    pub(super) kind: ConversationKind,
}

/// Finds a conversation, or makes it.
pub(super) fn intern(
    transaction: &Transaction<'_>,
    conversation: &ConversationRef,
    now: Timestamp,
) -> Result<ConversationRow, StoreError> {
    let mut find =
        transaction.prepare_cached("SELECT id, kind FROM conversation WHERE peer = ?1")?;
    let mut rows = find.query(params![conversation.peer.as_str()])?;
    if let Some(row) = rows.next()? {
        return Ok(ConversationRow {
            id: row.get(0)?,
            kind: coded(
                row.get(1)?,
                ConversationKind::from_code,
                "conversation.kind",
            )?,
        });
    }
    transaction
        .prepare_cached("INSERT INTO conversation (peer, kind, created) VALUES (?1, ?2, ?3)")?
        .execute(params![
            conversation.peer.as_str(),
            conversation.kind.code(),
            now.as_millis(),
        ])?;
    Ok(ConversationRow {
        id: transaction.last_insert_rowid(),
        kind: conversation.kind,
    })
}

pub(super) fn set_encryption(
    transaction: &Transaction<'_>,
    decisions: &[(ConversationRef, ConversationEncryption, Timestamp)],
) -> Result<(), StoreError> {
    for (conversation, encryption, now) in decisions {
        let row = intern(transaction, conversation, *now)?;
        if *encryption != ConversationEncryption::Undecided {
            transaction.execute(
                "UPDATE conversation SET encryption = ?2 WHERE id = ?1",
                params![row.id, encryption.code()],
            )?;
        }
    }
    Ok(())
}

pub(super) fn set_wishes(
    transaction: &Transaction<'_>,
    wishes: &[(ConversationRef, ConversationWish, Timestamp)],
) -> Result<(), StoreError> {
    for (conversation, wish, now) in wishes {
        let row = intern(transaction, conversation, *now)?;
        match wish {
            ConversationWish::OptOut(opt_out) => {
                let reason = opt_out
                    .as_ref()
                    .and_then(|opt_out| opt_out.reason.as_deref());
                transaction.execute(
                    "UPDATE conversation SET opt_out_at = ?2, opt_out_reason = ?3 WHERE id = ?1",
                    params![
                        row.id,
                        opt_out.as_ref().map(|opt_out| opt_out.at.as_millis()),
                        reason.map(shortened),
                    ],
                )?;
            }
            ConversationWish::SeparateVersions(separate) => {
                transaction.execute(
                    "UPDATE conversation SET separate_versions = ?2 WHERE id = ?1",
                    params![row.id, separate],
                )?;
            }
        }
    }
    Ok(())
}

pub(super) fn note_older(
    transaction: &Transaction<'_>,
    notes: &[(ConversationRef, OlderHistory, Timestamp)],
) -> Result<(), StoreError> {
    for (conversation, older, now) in notes {
        let row = intern(transaction, conversation, *now)?;
        transaction.execute(
            "UPDATE conversation SET older_stanza_id = coalesce(?2, older_stanza_id),
                                     older_at_beginning = ?3
             WHERE id = ?1",
            params![
                row.id,
                older.first.as_ref().map(StanzaId::as_str),
                older.at_beginning,
            ],
        )?;
    }
    Ok(())
}

pub(super) fn mark_read(
    transaction: &Transaction<'_>,
    marks: &[(BareJid, MessageId)],
) -> Result<(), StoreError> {
    for (peer, up_to) in marks {
        let place: Option<(i64, i64)> = transaction
            .prepare_cached(
                "SELECT m.conversation, m.place FROM message m
                 JOIN conversation c ON c.id = m.conversation
                 WHERE m.id = ?1 AND c.peer = ?2",
            )?
            .query_row(params![up_to.as_row(), peer.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (conversation, place) = place.ok_or(StoreError::NoSuchMessage(*up_to))?;
        transaction
            .prepare_cached(
                "UPDATE message SET unread = 0
                 WHERE conversation = ?1 AND unread = 1 AND (place, id) <= (?2, ?3)",
            )?
            .execute(params![conversation, place, up_to.as_row()])?;
        transaction
            .prepare_cached(
                "DELETE FROM announcement WHERE message IN (
                     SELECT a.message FROM announcement a JOIN message m ON m.id = a.message
                     WHERE m.conversation = ?1 AND (m.place, m.id) <= (?2, ?3))",
            )?
            .execute(params![conversation, place, up_to.as_row()])?;
    }
    Ok(())
}
