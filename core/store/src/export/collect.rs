//! From the database to rows, one after the other.

use std::io::Write;
use std::ops::ControlFlow;

use eft_types::{DeviceId, OriginId, Timestamp};
use rusqlite::Connection;

use super::error::ExportError;
use super::lines::LineWriter;
use super::row::{
    ArchiveRow, Bytes, ConversationRow, DeliveryWord, DeviceEventRow, IdentityRow, KeyBytes,
    MessageRow, Row,
};
use super::trust;
use super::words::{
    CauseWord, ConversationEncryptionWord, DeviceEventWord, DirectionWord, EncryptionWord,
    KindWord, SendFailureWord, SenderTrustWord,
};
use crate::error::StoreError;
use crate::model::{Content, DeliveryState, Message, Opaque};
use crate::omemo::{RecordKey, RecordKind, Records, identity_secret};
use crate::read;

/// How many messages there are.
pub(super) fn message_count(connection: &Connection) -> Result<u64, StoreError> {
    Ok(
        connection.query_row("SELECT count(*) FROM message", [], |row| {
            row.get::<_, i64>(0).map(i64::cast_unsigned)
        })?,
    )
}

/// The identity key of this installation.
pub(super) fn identity(connection: &Connection) -> Result<Row, ExportError> {
    let mut records = Records::new();
    for (key, record) in read::load(connection, &[RecordKey::Account])? {
        records.insert_loaded(key, record);
    }
    let secret = identity_secret(&records).map_err(|_| ExportError::NoIdentity)?;
    Ok(Row::Identity(IdentityRow {
        private: secret.as_bytes().to_vec(),
    }))
}

pub(super) fn archives<W: Write>(
    connection: &Connection,
    lines: &mut LineWriter<W>,
) -> Result<(), ExportError> {
    let mut find = connection
        .prepare(
            "SELECT jid, newest_place, oldest_place, last_stanza_id, last_time
             FROM archive ORDER BY id",
        )
        .map_err(StoreError::from)?;
    let mut rows = find.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        let read = || -> rusqlite::Result<ArchiveRow> {
            Ok(ArchiveRow {
                jid: row.get(0)?,
                newest_place: row.get(1)?,
                oldest_place: row.get(2)?,
                last_stanza_id: row.get(3)?,
                last_time: row.get(4)?,
            })
        };
        lines.row(&Row::Archive(read().map_err(StoreError::from)?))?;
    }
    Ok(())
}

pub(super) fn conversations<W: Write>(
    connection: &Connection,
    lines: &mut LineWriter<W>,
) -> Result<(), ExportError> {
    read::each_conversation(connection, |conversation| {
        lines.row(&Row::Conversation(ConversationRow {
            peer: conversation.peer.to_string(),
            kind: KindWord(conversation.kind),
            encryption: ConversationEncryptionWord(conversation.encryption),
            created: conversation.created.as_millis(),
            separate_versions: conversation.separate_versions,
            opt_out_at: conversation
                .opt_out
                .as_ref()
                .map(|opt_out| opt_out.at.as_millis()),
            opt_out_reason: conversation.opt_out.and_then(|opt_out| opt_out.reason),
        }))
    })
}

/// What is thought of keys, and which device has which.
pub(super) fn keys<W: Write>(
    connection: &Connection,
    lines: &mut LineWriter<W>,
) -> Result<(), ExportError> {
    read::each_record(
        connection,
        RecordKind::Trust,
        |key, record| match trust::trust_row(key, record)? {
            Some(row) => lines.row(&row),
            None => Ok(()),
        },
    )?;
    read::each_record(
        connection,
        RecordKind::Device,
        |key, record| match trust::device_row(key, record)? {
            Some(row) => lines.row(&row),
            None => Ok(()),
        },
    )
}

/// In the order of each conversation, the oldest first.
pub(super) fn messages<W: Write>(
    connection: &Connection,
    lines: &mut LineWriter<W>,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<u64, ExportError> {
    let mut count = 0;
    read::each_message(connection, |message| {
        lines.row(&Row::Message(Box::new(message_row(message))))?;
        count += 1;
        match progress(count) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ExportError::Cancelled),
        }
    })?;
    Ok(count)
}

fn message_row(message: Message) -> MessageRow {
    let (text, payload, cause, detail) = match message.content {
        Content::Readable(plaintext) => (Some(plaintext.text), plaintext.payload, None, None),
        // The ciphertext stays behind: no other device reads it.
        Content::Unreadable(unreadable) => (
            None,
            None,
            Some(CauseWord(unreadable.cause)),
            unreadable.detail,
        ),
    };
    let (archive, stanza_id) = match message.archive_id {
        Some(id) => (
            Some(id.archive.to_string()),
            Some(id.stanza_id.as_str().to_owned()),
        ),
        None => (None, None),
    };
    let (send_failure, send_failure_detail) = match &message.delivery {
        Some(DeliveryState::Failed { reason, detail }) => {
            (Some(SendFailureWord(*reason)), detail.clone())
        }
        _ => (None, None),
    };
    MessageRow {
        peer: message.conversation.peer.to_string(),
        place: message.key.place,
        direction: DirectionWord(message.direction),
        sender: message.sender.to_string(),
        sender_device: message.sender_device.map(DeviceId::as_u32),
        sender_key: message.sender_key.map(KeyBytes),
        sender_trust: message.sender_trust.map(SenderTrustWord),
        origin_id: message.origin_id.as_ref().map(text_of_origin),
        archive,
        stanza_id,
        server_time: message.server_time.map(Timestamp::as_millis),
        received: message.received.as_millis(),
        encryption: EncryptionWord(message.encryption),
        text,
        payload: payload.map(Opaque::into_bytes).map(Bytes),
        cause,
        detail,
        folded_count: message.folded_count,
        delivery: message.delivery.as_ref().map(delivery_word),
        send_failure,
        send_failure_detail,
        unread: message.unread,
    }
}

fn text_of_origin(id: &OriginId) -> String {
    id.as_str().to_owned()
}

const fn delivery_word(state: &DeliveryState) -> DeliveryWord {
    match state {
        DeliveryState::Queued | DeliveryState::Encrypted | DeliveryState::Sent => {
            DeliveryWord::Unsent
        }
        DeliveryState::Acked => DeliveryWord::Acked,
        DeliveryState::Delivered => DeliveryWord::Delivered,
        DeliveryState::Displayed => DeliveryWord::Displayed,
        DeliveryState::Failed { .. } => DeliveryWord::Failed,
    }
}

pub(super) fn device_log<W: Write>(
    connection: &Connection,
    lines: &mut LineWriter<W>,
) -> Result<(), ExportError> {
    read::each_device_event(connection, |event| {
        lines.row(&Row::DeviceEvent(DeviceEventRow {
            at: event.at.as_millis(),
            jid: event.device.jid.to_string(),
            device: event.device.device.as_u32(),
            kind: DeviceEventWord(event.kind),
            detail: event.detail,
        }))
    })
}
