//! One imported message.

use eft_types::{BareJid, MessageId};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Current, Import};
use crate::commit::archive::{self, after, is_archived};
use crate::commit::conversation::{self, ConversationRow};
use crate::commit::flood::failure_day;
use crate::commit::insert::{self, Known, NewRow, find_known, write_new_row};
use crate::commit::update;
use crate::error::StoreError;
use crate::model::{Content, DeliveryState, ImportedMessage, NewMessage};

pub(super) fn import(
    import: &mut Import,
    transaction: &Transaction<'_>,
    own: &BareJid,
    imported: &ImportedMessage,
) -> Result<(), StoreError> {
    let message = &imported.message;
    let conversation = enter(import, transaction, message)?;
    let named_by = message
        .archive_id
        .as_ref()
        .map(|id| archive::intern(transaction, &id.archive))
        .transpose()?;
    let known = match find_known(transaction, conversation, named_by, message)? {
        None if message.archive_id.is_none() && message.origin_id.is_none() => {
            find_nameless(transaction, conversation, message)?
        }
        found => found,
    };
    if let Some(known) = known {
        match improve(transaction, &known, named_by, message)? {
            true => import.improved += 1,
            false => import.known += 1,
        }
        if let Some(current) = &mut import.current {
            current.anchor = Some(if is_archived(known.place) {
                after(known.place)
            } else {
                known.place
            });
        }
        return Ok(());
    }
    let row = NewRow {
        conversation: conversation.id,
        place: place(import, transaction, own, conversation, imported)?,
        named_by,
        failure_day: failure_day(&message.content, message.server_time, message.received),
        folded_count: imported.folded_count,
    };
    write_new_row(transaction, &row, message)?;
    import.inserted += 1;
    Ok(())
}

/// Goes to the message's conversation.
fn enter(
    import: &mut Import,
    transaction: &Transaction<'_>,
    message: &NewMessage,
) -> Result<ConversationRow, StoreError> {
    let peer = &message.conversation.peer;
    if let Some(current) = &import.current
        && current.peer == *peer
    {
        return Ok(current.row);
    }
    let row = conversation::intern(transaction, &message.conversation, message.received)?;
    import.current = Some(Current {
        peer: peer.clone(),
        row,
        anchor: None,
    });
    Ok(row)
}

/// Behind the last message that was here already; before all that is here if there was none.
fn place(
    import: &mut Import,
    transaction: &Transaction<'_>,
    own: &BareJid,
    conversation: ConversationRow,
    imported: &ImportedMessage,
) -> Result<i64, StoreError> {
    if let Some(anchor) = import.current.as_ref().and_then(|current| current.anchor) {
        return Ok(anchor);
    }
    let archive = archive::of_conversation(&imported.message.conversation, conversation, own);
    match import.shifts.get_mut(archive) {
        Some(shift) => shift.place(transaction, archive, imported.place),
        None => Err(StoreError::Bug {
            detail: "an imported message before its archive".into(),
        }),
    }
}

/// A message without a name that says the same, by the same sender, taken in at the same millisecond.
fn find_nameless(
    transaction: &Transaction<'_>,
    conversation: ConversationRow,
    message: &NewMessage,
) -> Result<Option<Known>, StoreError> {
    let (body, cause) = match &message.content {
        Content::Readable(plaintext) => (Some(plaintext.text.as_str()), None),
        Content::Unreadable(unreadable) => (None, Some(unreadable.cause.code())),
    };
    Ok(transaction
        .prepare_cached(
            "SELECT id, place FROM message
             WHERE conversation = ?1 AND received = ?2 AND stanza_id IS NULL AND origin_id IS NULL
               AND sender = ?3 AND sender_device IS ?4 AND body IS ?5 AND cause IS ?6",
        )?
        .query_row(
            params![
                conversation.id,
                message.received.as_millis(),
                message.sender.as_str(),
                message.sender_device.map(eft_types::DeviceId::as_u32),
                body,
                cause,
            ],
            |row| {
                Ok(Known {
                    id: MessageId::from_row(row.get(0)?),
                    place: row.get(1)?,
                    unnamed: true,
                    is_named_otherwise: false,
                    readable: body.is_some(),
                })
            },
        )
        .optional()?)
}

/// Gives a known row what the import knows better. Answers whether it can be read only now.
fn improve(
    transaction: &Transaction<'_>,
    known: &Known,
    named_by: Option<i64>,
    message: &NewMessage,
) -> Result<bool, StoreError> {
    insert::complete(transaction, known, named_by, message)?;
    if let Some(state) = message.delivery.as_ref().filter(|state| is_progress(state)) {
        update::delivery(transaction, known.id, state)?;
    }
    insert::make_readable(transaction, known, message)
}

/// A receipt is news; that it was not sent from there is not.
const fn is_progress(state: &DeliveryState) -> bool {
    matches!(
        state,
        DeliveryState::Acked | DeliveryState::Delivered | DeliveryState::Displayed
    )
}
