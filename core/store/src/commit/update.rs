//! Changing messages that have their row.

use std::collections::BTreeSet;

use eft_types::{MessageId, StanzaId, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, named_params, params};

use super::{archive, flood};
use crate::batch::MessageUpdate;
use crate::error::StoreError;
use crate::limits::shortened;
use crate::model::{
    ArchiveId, Content, DeliveryState, MessageEncryption, Opaque, RetryTrigger, SenderTrust,
};
use crate::search;

/// Carries out the updates in order; answers which rows really changed.
pub(super) fn write(
    transaction: &Transaction<'_>,
    updates: &[(MessageId, MessageUpdate)],
) -> Result<Vec<MessageId>, StoreError> {
    let mut changed = BTreeSet::new();
    for (id, update) in updates {
        let really = match update {
            MessageUpdate::Content {
                content: new,
                encryption,
                sender_key,
            } => content(transaction, *id, new, *encryption, sender_key.as_ref())?,
            MessageUpdate::SenderTrust(trust) => sender_trust(transaction, *id, *trust)?,
            MessageUpdate::Delivery(state) => delivery(transaction, *id, state)?,
            MessageUpdate::ArchiveId(archive_id) => bind(transaction, *id, archive_id)?,
            MessageUpdate::Encryption(encryption) => {
                let changed = transaction
                    .prepare_cached("UPDATE message SET encryption = ?2 WHERE id = ?1")?
                    .execute(params![id.as_row(), encryption.code()])?;
                if changed == 0 {
                    return Err(StoreError::NoSuchMessage(*id));
                }
                true
            }
        };
        if really {
            changed.insert(*id);
        }
    }
    Ok(changed.into_iter().collect())
}

/// Replaces the content of a message that cannot be read. One that can is left alone.
pub(super) fn content(
    transaction: &Transaction<'_>,
    id: MessageId,
    content: &Content,
    encryption: MessageEncryption,
    sender_key: Option<&[u8; 32]>,
) -> Result<bool, StoreError> {
    let (readable, server_time, received): (bool, Option<i64>, i64) = transaction
        .prepare_cached("SELECT cause IS NULL, server_time, received FROM message WHERE id = ?1")?
        .query_row(params![id.as_row()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?
        .ok_or(StoreError::NoSuchMessage(id))?;
    if readable {
        return Ok(false);
    }
    let (plaintext, unreadable) = match content {
        Content::Readable(plaintext) => (Some(plaintext), None),
        Content::Unreadable(unreadable) => (None, Some(unreadable)),
    };
    let failure_day = flood::failure_day(
        content,
        server_time.map(Timestamp::from_millis),
        Timestamp::from_millis(received),
    );
    transaction
        .prepare_cached(
            "UPDATE message SET body = :body, payload = :payload, cause = :cause,
                                detail = :detail, ciphertext = :ciphertext, retry = :retry,
                                failure_day = :failure_day, encryption = :encryption,
                                sender_key = :sender_key
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": id.as_row(),
            ":body": plaintext.map(|plaintext| plaintext.text.as_str()),
            ":payload": plaintext
                .and_then(|plaintext| plaintext.payload.as_ref())
                .map(Opaque::as_bytes),
            ":cause": unreadable.map(|unreadable| unreadable.cause.code()),
            ":detail": unreadable
                .and_then(|unreadable| unreadable.detail.as_deref())
                .map(shortened),
            ":ciphertext": unreadable
                .and_then(|unreadable| unreadable.ciphertext.as_ref())
                .map(Opaque::as_bytes),
            ":retry": unreadable
                .and_then(|unreadable| unreadable.retry)
                .map(RetryTrigger::code),
            ":failure_day": failure_day,
            ":encryption": encryption.code(),
            ":sender_key": sender_key.map(<[u8; 32]>::as_slice),
        })?;
    // What cannot be read is in no index.
    if plaintext.is_some() {
        search::reindex(transaction, id.as_row())?;
    }
    Ok(true)
}

/// Notes what is thought of the key that authenticated a message, once.
pub(super) fn sender_trust(
    transaction: &Transaction<'_>,
    id: MessageId,
    trust: SenderTrust,
) -> Result<bool, StoreError> {
    let changed = transaction
        .prepare_cached(
            "UPDATE message SET sender_trust = ?2
             WHERE id = ?1 AND sender_trust IS NULL AND sender_key IS NOT NULL",
        )?
        .execute(params![id.as_row(), trust.code()])?;
    if changed > 0 {
        return Ok(true);
    }
    let exists = transaction
        .prepare_cached("SELECT 1 FROM message WHERE id = ?1")?
        .exists(params![id.as_row()])?;
    match exists {
        true => Ok(false),
        false => Err(StoreError::NoSuchMessage(id)),
    }
}

/// Gives a message the archive's name for it.
pub(super) fn name(
    transaction: &Transaction<'_>,
    id: MessageId,
    archive: i64,
    stanza_id: &StanzaId,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE message SET archive = ?2, stanza_id = ?3 WHERE id = ?1")?
        .execute(params![id.as_row(), archive, stanza_id.as_str()])?;
    Ok(())
}

/// Notes when the server took a message, once.
pub(super) fn server_time(
    transaction: &Transaction<'_>,
    id: MessageId,
    time: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE message SET server_time = ?2 WHERE id = ?1 AND server_time IS NULL",
        )?
        .execute(params![id.as_row(), time.as_millis()])?;
    Ok(())
}

/// The same where an earlier copy is found.
pub(super) fn earlier_server_time(
    transaction: &Transaction<'_>,
    id: MessageId,
    time: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE message SET server_time = ?2
             WHERE id = ?1 AND (server_time IS NULL OR server_time > ?2)",
        )?
        .execute(params![id.as_row(), time.as_millis()])?;
    Ok(())
}

/// The columns that tell why sending failed.
pub(super) fn failure_columns(state: Option<&DeliveryState>) -> (Option<u8>, Option<&str>) {
    match state {
        Some(DeliveryState::Failed { reason, detail }) => {
            (Some(reason.code()), detail.as_deref().map(shortened))
        }
        _ => (None, None),
    }
}

/// Moves a message of ours forward. Answers whether it moved.
pub(super) fn delivery(
    transaction: &Transaction<'_>,
    id: MessageId,
    next: &DeliveryState,
) -> Result<bool, StoreError> {
    let current: Option<(u8, Option<u8>)> = {
        let (code, reason): (Option<u8>, Option<u8>) = transaction
            .prepare_cached("SELECT delivery, send_failure FROM message WHERE id = ?1")?
            .query_row(params![id.as_row()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or(StoreError::NoSuchMessage(id))?;
        code.map(|code| (code, reason))
    };
    if let Some((code, reason)) = current {
        let current =
            DeliveryState::from_columns(code, reason, None).ok_or_else(|| StoreError::Damaged {
                detail: "message.delivery".into(),
            })?;
        if !current.may_become(next) {
            return Ok(false);
        }
    }
    let (reason, detail) = failure_columns(Some(next));
    transaction
        .prepare_cached(
            "UPDATE message SET delivery = ?2, send_failure = ?3, send_failure_detail = ?4
             WHERE id = ?1",
        )?
        .execute(params![id.as_row(), next.code(), reason, detail])?;
    Ok(true)
}

fn bind(
    transaction: &Transaction<'_>,
    id: MessageId,
    archive_id: &ArchiveId,
) -> Result<bool, StoreError> {
    let unnamed: bool = transaction
        .prepare_cached("SELECT stanza_id IS NULL FROM message WHERE id = ?1")?
        .query_row(params![id.as_row()], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NoSuchMessage(id))?;
    let archive = archive::intern(transaction, &archive_id.archive)?;
    let taken = transaction
        .prepare_cached("SELECT 1 FROM message WHERE archive = ?1 AND stanza_id = ?2")?
        .exists(params![archive, archive_id.stanza_id.as_str()])?;
    if !unnamed || taken {
        return Ok(false);
    }
    name(transaction, id, archive, &archive_id.stanza_id)?;
    Ok(true)
}
