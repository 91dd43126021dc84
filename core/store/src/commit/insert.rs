//! Inserting messages, each once.

use eft_types::{BareJid, DeviceId, MessageId, OriginId, StanzaId, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, named_params, params};

use super::archive;
use super::conversation::ConversationRow;
use super::flood::{self, Fate};
use super::place::{Places, Position};
use super::update;
use crate::committed::Insertion;
use crate::error::StoreError;
use crate::limits::shortened;
use crate::model::{
    Content, DeliveryState, NewMessage, Opaque, Place, RetryTrigger, SenderTrust, Unreadable,
    UnreadableCause,
};

pub(super) fn insert(
    places: &mut Places<'_, '_>,
    own: &BareJid,
    message: &NewMessage,
) -> Result<Insertion, StoreError> {
    let transaction = places.transaction();
    let conversation = places.conversation(&message.conversation, message.received)?;
    let named_by = message
        .archive_id
        .as_ref()
        .map(|id| places.archive(&id.archive))
        .transpose()?;
    let day = flood::failure_day(&message.content, message.server_time, message.received);
    if let Some(day) = day {
        if let Some(known) = find_known(transaction, conversation, named_by, message)? {
            return merge(places, own, conversation, &known, named_by, message);
        }
        if let Fate::Folded { device } = flood::fate(transaction, message, day)? {
            return fold(places, own, conversation, message, device, day);
        }
    }
    let archive = archive::of_conversation(&message.conversation, conversation, own);
    let before = places.ends(archive)?;
    let row = NewRow {
        conversation: conversation.id,
        place: places.next(archive, message.place)?.place,
        named_by,
        failure_day: day,
        folded_count: 0,
    };
    // Nearly all are new, so that is tried first: the indexes know both names.
    if let Some(id) = write_row(transaction, &row, message)? {
        return Ok(Insertion::Inserted(id));
    }
    places.take_back(archive, before);
    match find_known(transaction, conversation, named_by, message)? {
        Some(known) => merge(places, own, conversation, &known, named_by, message),
        None => Err(StoreError::Bug {
            detail: "a message that is neither new nor known".into(),
        }),
    }
}

/// A row that a copy of the message made before.
pub(super) struct Known {
    pub(super) id: MessageId,
    pub(super) place: i64,
    /// No archive has named it.
    pub(super) unnamed: bool,
    /// An archive has named it, and not as the copy.
    pub(super) is_named_otherwise: bool,
    pub(super) readable: bool,
}

/// First by the archive's name, which is the stronger one, then by the sender's.
pub(super) fn find_known(
    transaction: &Transaction<'_>,
    conversation: ConversationRow,
    named_by: Option<i64>,
    message: &NewMessage,
) -> Result<Option<Known>, StoreError> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Known {
            id: MessageId::from_row(row.get(0)?),
            place: row.get(1)?,
            unnamed: row.get(2)?,
            is_named_otherwise: row.get(3)?,
            readable: row.get(4)?,
        })
    };
    if let (Some(archive), Some(id)) = (named_by, &message.archive_id) {
        let known = transaction
            .prepare_cached(
                "SELECT id, place, stanza_id IS NULL, 0, cause IS NULL FROM message
                 WHERE archive = ?1 AND stanza_id = ?2",
            )?
            .query_row(params![archive, id.stanza_id.as_str()], read)
            .optional()?;
        if known.is_some() {
            return Ok(known);
        }
    }
    let Some(origin_id) = &message.origin_id else {
        return Ok(None);
    };
    Ok(transaction
        .prepare_cached(
            "SELECT id, place, stanza_id IS NULL, stanza_id IS NOT NULL, cause IS NULL FROM message
             WHERE conversation = ?1 AND sender = ?2 AND origin_id = ?3",
        )?
        .query_row(
            params![conversation.id, message.sender.as_str(), origin_id.as_str()],
            read,
        )
        .optional()?)
}

/// Gives a known row what this copy knows better.
fn merge(
    places: &mut Places<'_, '_>,
    own: &BareJid,
    conversation: ConversationRow,
    known: &Known,
    named_by: Option<i64>,
    message: &NewMessage,
) -> Result<Insertion, StoreError> {
    let transaction = places.transaction();
    let archive = archive::of_conversation(&message.conversation, conversation, own);
    // Sent twice: the newest part of the archive is read before the gap is filled, and this copy stands before the one that
    // gave the row its place.
    let is_earlier = message.place == Place::ArchiveNewer
        && message.archive_id.is_some()
        && places.is_beyond_gap(archive, known.place)?;
    if is_earlier {
        rename(transaction, known, named_by, message)?;
    } else {
        complete(transaction, known, named_by, message)?;
    }
    // A copy that an archive names otherwise has a place of its own, behind the row's.
    let has_place = archive::is_archived(known.place) || known.is_named_otherwise;
    if is_earlier || (message.place != Place::Provisional && !has_place) {
        let position = places.next(archive, message.place)?;
        settle(transaction, conversation, known, position)?;
    }
    Ok(match make_readable(transaction, known, message)? {
        true => Insertion::Improved(known.id),
        false => Insertion::Duplicate(known.id),
    })
}

/// Gives a known row the name and the time of an earlier copy.
fn rename(
    transaction: &Transaction<'_>,
    known: &Known,
    named_by: Option<i64>,
    message: &NewMessage,
) -> Result<(), StoreError> {
    if let (Some(archive), Some(id)) = (named_by, &message.archive_id) {
        update::name(transaction, known.id, archive, &id.stanza_id)?;
    }
    if let Some(time) = message.server_time {
        update::earlier_server_time(transaction, known.id, time)?;
    }
    Ok(())
}

/// Gives a known row the archive's name and the server's time, where it has none.
pub(super) fn complete(
    transaction: &Transaction<'_>,
    known: &Known,
    named_by: Option<i64>,
    message: &NewMessage,
) -> Result<(), StoreError> {
    if let (true, Some(archive), Some(id)) = (known.unnamed, named_by, &message.archive_id) {
        update::name(transaction, known.id, archive, &id.stanza_id)?;
    }
    if let Some(time) = message.server_time {
        update::server_time(transaction, known.id, time)?;
    }
    Ok(())
}

/// Gives a known row that could not be read the content of a copy that can. Answers whether it did.
pub(super) fn make_readable(
    transaction: &Transaction<'_>,
    known: &Known,
    message: &NewMessage,
) -> Result<bool, StoreError> {
    if known.readable || !message.content.is_readable() {
        return Ok(false);
    }
    update::content(
        transaction,
        known.id,
        &message.content,
        message.encryption,
        message.sender_key.as_ref(),
    )?;
    if let Some(trust) = message.sender_trust {
        update::sender_trust(transaction, known.id, trust)?;
    }
    Ok(true)
}

/// Moves a message from its provisional place to its archive position. What no archive has named
/// keeps its neighbours: what stood before the message now stands before its position, what arrived
/// after it follows it.
fn settle(
    transaction: &Transaction<'_>,
    conversation: ConversationRow,
    known: &Known,
    position: Position,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE message SET place = ?2 WHERE id = ?1")?
        .execute(params![known.id.as_row(), position.place])?;
    transaction
        .prepare_cached(
            "UPDATE message SET place = ?5
             WHERE conversation = ?1 AND place > ?2 AND (place, id) < (?3, ?4) AND place < ?6
               AND stanza_id IS NULL",
        )?
        .execute(params![
            conversation.id,
            position.newest,
            known.place,
            known.id.as_row(),
            archive::before(position.place),
            position.ceiling,
        ])?;
    // What follows it in another part of the archive stays there.
    if known.place > position.ceiling {
        return Ok(());
    }
    transaction
        .prepare_cached(
            "UPDATE message SET place = ?4
             WHERE conversation = ?1 AND place = ?2 AND id > ?3 AND stanza_id IS NULL
               AND id < coalesce(
                   (SELECT min(id) FROM message
                    WHERE conversation = ?1 AND place = ?2 AND id > ?3 AND stanza_id IS NOT NULL),
                   ?5)",
        )?
        .execute(params![
            conversation.id,
            known.place,
            known.id.as_row(),
            archive::after(position.place),
            i64::MAX,
        ])?;
    Ok(())
}

/// Counts a failure that is one too many.
fn fold(
    places: &mut Places<'_, '_>,
    own: &BareJid,
    conversation: ConversationRow,
    message: &NewMessage,
    device: Option<DeviceId>,
    day: i64,
) -> Result<Insertion, StoreError> {
    let transaction = places.transaction();
    if let Some(id) = flood::count(transaction, conversation.id, message, device, day)? {
        return Ok(Insertion::Folded(id));
    }
    let first = NewMessage {
        sender_device: device,
        origin_id: None,
        archive_id: None,
        content: Content::Unreadable(Unreadable::for_good(UnreadableCause::Folded)),
        delivery: None,
        ..message.clone()
    };
    let archive = archive::of_conversation(&message.conversation, conversation, own);
    let row = NewRow {
        conversation: conversation.id,
        place: places.next(archive, Place::Provisional)?.place,
        named_by: None,
        failure_day: Some(day),
        folded_count: 1,
    };
    Ok(Insertion::Folded(write_new_row(transaction, &row, &first)?))
}

/// Columns of a new row that the message itself does not say.
pub(super) struct NewRow {
    pub(super) conversation: i64,
    pub(super) place: i64,
    pub(super) named_by: Option<i64>,
    pub(super) failure_day: Option<i64>,
    pub(super) folded_count: u32,
}

/// Writes a new row for a message that is known to be new.
pub(super) fn write_new_row(
    transaction: &Transaction<'_>,
    row: &NewRow,
    message: &NewMessage,
) -> Result<MessageId, StoreError> {
    write_row(transaction, row, message)?.ok_or_else(|| StoreError::Bug {
        detail: "a new message has the name of another".into(),
    })
}

/// Writes a new row; `None` if another one has one of the message's names.
fn write_row(
    transaction: &Transaction<'_>,
    row: &NewRow,
    message: &NewMessage,
) -> Result<Option<MessageId>, StoreError> {
    let (readable, unreadable) = match &message.content {
        Content::Readable(plaintext) => (Some(plaintext), None),
        Content::Unreadable(unreadable) => (None, Some(unreadable)),
    };
    let (send_failure, send_failure_detail) = update::failure_columns(message.delivery.as_ref());
    let written = transaction
        .prepare_cached(
            "INSERT INTO message (
                 conversation, place, direction, sender, sender_device, sender_key, sender_trust, origin_id, archive,
                 stanza_id, server_time, received, encryption, body, payload, cause, detail,
                 ciphertext, retry, failure_day, folded_count, delivery, send_failure,
                 send_failure_detail, unread)
             VALUES (
                 :conversation, :place, :direction, :sender, :sender_device, :sender_key, :sender_trust, :origin_id, :archive,
                 :stanza_id, :server_time, :received, :encryption, :body, :payload, :cause, :detail,
                 :ciphertext, :retry, :failure_day, :folded_count, :delivery, :send_failure,
                 :send_failure_detail, :unread)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":conversation": row.conversation,
            ":place": row.place,
            ":direction": message.direction.code(),
            ":sender": message.sender.as_str(),
            ":sender_device": message.sender_device.map(DeviceId::as_u32),
            ":sender_key": message.sender_key.as_ref().map(<[u8; 32]>::as_slice),
            ":sender_trust": message.sender_trust.map(SenderTrust::code),
            ":origin_id": message.origin_id.as_ref().map(OriginId::as_str),
            ":archive": row.named_by,
            ":stanza_id": message.archive_id.as_ref().map(|id| StanzaId::as_str(&id.stanza_id)),
            ":server_time": message.server_time.map(Timestamp::as_millis),
            ":received": message.received.as_millis(),
            ":encryption": message.encryption.code(),
            ":body": readable.map(|plaintext| plaintext.text.as_str()),
            ":payload": readable
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
            ":failure_day": row.failure_day,
            ":folded_count": row.folded_count,
            ":delivery": message.delivery.as_ref().map(DeliveryState::code),
            ":send_failure": send_failure,
            ":send_failure_detail": send_failure_detail,
            ":unread": message.unread,
        })?;
    Ok((written > 0).then(|| MessageId::from_row(transaction.last_insert_rowid())))
}
