//! Reading: one file per model, each from rows to typed values.

mod account;
mod archive;
mod conversation;
mod intake;
mod message;
mod outbox;
mod record;
mod stream;

pub(crate) use account::{
    account, device_log, each_device_event, generations, newest_generation, own_jid, push,
};
pub(crate) use archive::{cursor, cursors, older_history};
pub(crate) use conversation::{conversation, conversations, each_conversation, unread_count};
pub(crate) use intake::intake;
pub(crate) use message::{
    announcements, by_archive_id, by_id, by_origin_id, each_message, timeline, timeline_slice,
    waiting,
};
pub(crate) use outbox::{actions, outbox, outbox_on_stream};
pub(crate) use record::{each_record, load, scan};
pub(crate) use stream::stream;

use eft_types::{BareJid, DeviceId, Jid};

use crate::error::StoreError;
use crate::limits::MAX_PAGE_ROWS;

/// A row does not hold what was written; `what` names table and column.
fn damaged(what: &'static str) -> StoreError {
    StoreError::Damaged {
        detail: what.into(),
    }
}

/// Turns a stored number into its value.
pub(crate) fn coded<T>(
    code: u8,
    from_code: impl Fn(u8) -> Option<T>,
    what: &'static str,
) -> Result<T, StoreError> {
    from_code(code).ok_or_else(|| damaged(what))
}

fn bare_jid(text: &str, what: &'static str) -> Result<BareJid, StoreError> {
    BareJid::new(text).map_err(|_| damaged(what))
}

fn jid(text: &str, what: &'static str) -> Result<Jid, StoreError> {
    Jid::new(text).map_err(|_| damaged(what))
}

fn device_id(number: u32, what: &'static str) -> Result<DeviceId, StoreError> {
    DeviceId::new(number).map_err(|_| damaged(what))
}

/// A caller's limit, as SQL takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit.min(MAX_PAGE_ROWS)).unwrap_or(i64::MAX)
}
