//! Folding floods of unreadable messages into counted rows (law 4).

use eft_types::{DeviceId, MessageId, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::error::StoreError;
use crate::limits::{MAX_FAILURES_PER_DEVICE_AND_DAY, MAX_FAILURES_PER_SENDER_AND_DAY};
use crate::model::{Content, NewMessage, UnreadableCause};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The day on which a message counts as a failure; `None` if it is none. The server's day if known:
/// a catch-up brings the failures of many days within a minute.
pub(super) fn failure_day(
    content: &Content,
    server_time: Option<Timestamp>,
    received: Timestamp,
) -> Option<i64> {
    match content {
        Content::Unreadable(unreadable) if unreadable.cause.is_failure() => Some(
            server_time
                .unwrap_or(received)
                .as_millis()
                .div_euclid(DAY_MILLIS),
        ),
        _ => None,
    }
}

/// How a new failure is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// As a row of its own.
    OwnRow,
    /// Counted in a row for this device, or for all devices of the sender.
    Folded { device: Option<DeviceId> },
}

pub(super) fn fate(
    transaction: &Transaction<'_>,
    message: &NewMessage,
    day: i64,
) -> Result<Fate, StoreError> {
    let device = message.sender_device;
    // From the index alone. Rows that count others are counted too: they exist past a limit only.
    let (of_sender, of_device): (u32, u32) = transaction
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE sender_device IS ?3) FROM message
             WHERE sender = ?1 AND failure_day = ?2",
        )?
        .query_row(
            params![message.sender.as_str(), day, device.map(DeviceId::as_u32)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    Ok(if of_device >= MAX_FAILURES_PER_DEVICE_AND_DAY {
        Fate::Folded { device }
    } else if of_sender >= MAX_FAILURES_PER_SENDER_AND_DAY {
        Fate::Folded { device: None }
    } else {
        Fate::OwnRow
    })
}

/// Counts a failure in its row, if the row exists.
pub(super) fn count(
    transaction: &Transaction<'_>,
    conversation: i64,
    message: &NewMessage,
    device: Option<DeviceId>,
    day: i64,
) -> Result<Option<MessageId>, StoreError> {
    Ok(transaction
        .prepare_cached(
            "UPDATE message SET folded_count = folded_count + 1
             WHERE sender = ?1 AND failure_day = ?2 AND sender_device IS ?3
               AND conversation = ?4 AND cause = ?5
             RETURNING id",
        )?
        .query_row(
            params![
                message.sender.as_str(),
                day,
                device.map(DeviceId::as_u32),
                conversation,
                UnreadableCause::Folded.code(),
            ],
            |row| row.get(0).map(MessageId::from_row),
        )
        .optional()?)
}
