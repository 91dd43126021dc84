//! `message`.

use eft_types::{BareJid, DeviceAddress, Jid, MessageId, OriginId, StanzaId, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row, params};

use super::{archive, bare_jid, coded, damaged, device_id, jid, rows};
use crate::error::StoreError;
use crate::model::{
    ArchiveId, Content, ConversationKind, ConversationRef, DeliveryState, Direction, Message,
    MessageEncryption, Opaque, Plaintext, RetryTrigger, SenderTrust, TimelineKey, TimelineSlice,
    Unreadable, UnreadableCause,
};

/// Prepares a query over messages; `condition` is what follows `FROM` and its joins.
fn select<'c>(
    connection: &'c Connection,
    condition: &str,
) -> Result<CachedStatement<'c>, StoreError> {
    Ok(connection.prepare_cached(&format!(
        "SELECT m.id, m.place, c.peer, c.kind, m.direction, m.sender, m.sender_device, m.origin_id,
                a.jid, m.stanza_id, m.server_time, m.received, m.encryption, m.body, m.payload,
                m.cause, m.detail, m.ciphertext, m.retry, m.delivery, m.send_failure,
                m.send_failure_detail, m.unread, m.folded_count, m.sender_key,
                m.sender_trust
         FROM message m
         JOIN conversation c ON c.id = m.conversation
         LEFT JOIN archive a ON a.id = m.archive
         {condition}"
    ))?)
}

fn one(
    mut statement: CachedStatement<'_>,
    params: impl Params,
) -> Result<Option<Message>, StoreError> {
    let mut found = statement.query(params)?;
    found.next()?.map(read).transpose()
}

fn all(
    mut statement: CachedStatement<'_>,
    params: impl Params,
) -> Result<Vec<Message>, StoreError> {
    let mut found = statement.query(params)?;
    let mut messages = Vec::new();
    while let Some(row) = found.next()? {
        messages.push(read(row)?);
    }
    Ok(messages)
}

pub(crate) fn by_id(connection: &Connection, id: MessageId) -> Result<Option<Message>, StoreError> {
    one(select(connection, "WHERE m.id = ?1")?, params![id.as_row()])
}

pub(crate) fn by_archive_id(
    connection: &Connection,
    id: &ArchiveId,
) -> Result<Option<Message>, StoreError> {
    by_index(
        connection,
        "SELECT id FROM message
         WHERE archive = (SELECT id FROM archive WHERE jid = ?1) AND stanza_id = ?2",
        params![id.archive.as_str(), id.stanza_id.as_str()],
    )
}

pub(crate) fn by_origin_id(
    connection: &Connection,
    peer: &BareJid,
    sender: &Jid,
    id: &OriginId,
) -> Result<Option<Message>, StoreError> {
    by_index(
        connection,
        "SELECT id FROM message
         WHERE conversation = (SELECT id FROM conversation WHERE peer = ?1)
           AND sender = ?2 AND origin_id = ?3",
        params![peer.as_str(), sender.as_str(), id.as_str()],
    )
}

/// Looks into an index first: most of those who ask expect that there is no such message.
fn by_index(
    connection: &Connection,
    index: &str,
    params: impl Params,
) -> Result<Option<Message>, StoreError> {
    let id = connection
        .prepare_cached(index)?
        .query_row(params, |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => by_id(connection, MessageId::from_row(id)),
        None => Ok(None),
    }
}

/// Every message, one after the other: conversation by conversation, the oldest first. Reads along an index, so it
/// needs no memory for an order.
pub(crate) fn each_message<E: From<StoreError>>(
    connection: &Connection,
    mut take: impl FnMut(Message) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = select(connection, "ORDER BY m.conversation, m.place, m.id")?;
    let mut found = statement.query([]).map_err(StoreError::from)?;
    while let Some(row) = found.next().map_err(StoreError::from)? {
        take(read(row)?)?;
    }
    Ok(())
}

/// Newest first; with `before`, what stands before it.
pub(crate) fn timeline(
    connection: &Connection,
    peer: &BareJid,
    before: Option<TimelineKey>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let statement = select(
        connection,
        "WHERE m.conversation = (SELECT id FROM conversation WHERE peer = ?1)
           AND (m.place, m.id) < (?2, ?3)
         ORDER BY m.place DESC, m.id DESC LIMIT ?4",
    )?;
    let before = before.unwrap_or(TimelineKey::END);
    all(
        statement,
        params![peer.as_str(), before.place, before.id, rows(limit)],
    )
}

/// The same, with the gaps between the messages.
pub(crate) fn timeline_slice(
    connection: &Connection,
    peer: &BareJid,
    before: Option<TimelineKey>,
    limit: usize,
) -> Result<TimelineSlice, StoreError> {
    // One more than asked for tells whether there is an older one.
    let mut messages = timeline(connection, peer, before, limit.saturating_add(1))?;
    let has_older = messages.len() > limit;
    messages.truncate(limit);
    let above = before.unwrap_or(TimelineKey::END).place;
    let gaps = archive::gaps(connection, peer)?
        .into_iter()
        .filter(|edge| *edge < above)
        .map(|edge| {
            messages
                .iter()
                .take_while(|row| row.key.place > edge)
                .count()
        })
        // One at the end of the page stands at the beginning of the next.
        .filter(|index| *index < messages.len() || !has_older)
        .collect();
    Ok(TimelineSlice {
        messages,
        gaps,
        has_older,
    })
}

/// What the user is still to be told of, in the order in which it came.
pub(crate) fn announcements(
    connection: &Connection,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let statement = select(
        connection,
        "JOIN announcement n ON n.message = m.id WHERE n.message > ?1 ORDER BY n.message LIMIT ?2",
    )?;
    let after = after.map_or(i64::MIN, MessageId::as_row);
    all(statement, params![after, rows(limit)])
}

/// Oldest row first.
pub(crate) fn waiting(
    connection: &Connection,
    trigger: RetryTrigger,
    device: Option<&DeviceAddress>,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let after = after.map_or(i64::MIN, MessageId::as_row);
    match device {
        None => all(
            select(
                connection,
                "WHERE m.retry = ?1 AND m.id > ?2 ORDER BY m.id LIMIT ?3",
            )?,
            params![trigger.code(), after, rows(limit)],
        ),
        Some(device) => all(
            select(
                connection,
                "WHERE m.retry = ?1 AND m.sender = ?2 AND m.sender_device = ?3 AND m.id > ?4
                 ORDER BY m.id LIMIT ?5",
            )?,
            params![
                trigger.code(),
                device.jid.as_str(),
                device.device.as_u32(),
                after,
                rows(limit),
            ],
        ),
    }
}

fn read(row: &Row<'_>) -> Result<Message, StoreError> {
    let id = row.get(0)?;
    let archive = row
        .get_ref(8)?
        .as_str_or_null()?
        .map(|text| bare_jid(text, "archive.jid"))
        .transpose()?;
    let stanza_id = row.get::<_, Option<String>>(9)?.map(StanzaId::new);
    Ok(Message {
        id: MessageId::from_row(id),
        key: TimelineKey {
            place: row.get(1)?,
            id,
        },
        conversation: ConversationRef {
            peer: bare_jid(row.get_ref(2)?.as_str()?, "conversation.peer")?,
            kind: coded(
                row.get(3)?,
                ConversationKind::from_code,
                "conversation.kind",
            )?,
        },
        direction: coded(row.get(4)?, Direction::from_code, "message.direction")?,
        sender: jid(row.get_ref(5)?.as_str()?, "message.sender")?,
        sender_device: row
            .get::<_, Option<u32>>(6)?
            .map(|number| device_id(number, "message.sender_device"))
            .transpose()?,
        sender_key: row
            .get_ref(24)?
            .as_blob_or_null()?
            .map(|key| key.try_into().map_err(|_| damaged("message.sender_key")))
            .transpose()?,
        sender_trust: row
            .get::<_, Option<u8>>(25)?
            .map(|code| coded(code, SenderTrust::from_code, "message.sender_trust"))
            .transpose()?,
        origin_id: row.get::<_, Option<String>>(7)?.map(OriginId::new),
        archive_id: archive
            .zip(stanza_id)
            .map(|(archive, stanza_id)| ArchiveId { archive, stanza_id }),
        server_time: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
        received: Timestamp::from_millis(row.get(11)?),
        encryption: coded(
            row.get(12)?,
            MessageEncryption::from_code,
            "message.encryption",
        )?,
        content: content(row)?,
        delivery: delivery(row)?,
        unread: row.get(22)?,
        folded_count: row.get(23)?,
    })
}

fn content(row: &Row<'_>) -> Result<Content, StoreError> {
    let Some(cause) = row.get::<_, Option<u8>>(15)? else {
        return Ok(Content::Readable(Plaintext {
            text: row.get(13)?,
            payload: row.get::<_, Option<Vec<u8>>>(14)?.map(Opaque::from),
        }));
    };
    Ok(Content::Unreadable(Unreadable {
        cause: coded(cause, UnreadableCause::from_code, "message.cause")?,
        detail: row.get(16)?,
        ciphertext: row.get::<_, Option<Vec<u8>>>(17)?.map(Opaque::from),
        retry: row
            .get::<_, Option<u8>>(18)?
            .map(|code| coded(code, RetryTrigger::from_code, "message.retry"))
            .transpose()?,
    }))
}

fn delivery(row: &Row<'_>) -> Result<Option<DeliveryState>, StoreError> {
    row.get::<_, Option<u8>>(19)?
        .map(|code| {
            DeliveryState::from_columns(code, row.get(20)?, row.get(21)?)
                .ok_or_else(|| damaged("message.delivery"))
        })
        .transpose()
}
