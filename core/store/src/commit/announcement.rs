//! `announcement`: what the user is still to be told of.

use eft_types::MessageId;
use rusqlite::{Transaction, params};

use crate::batch::AnnouncementChange;
use crate::committed::Insertion;
use crate::error::StoreError;

pub(super) fn write(
    transaction: &Transaction<'_>,
    changes: &[AnnouncementChange],
    inserted: &[Insertion],
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            AnnouncementChange::New(message) => {
                if let Some(found) = inserted.get(message.0).filter(|found| found.is_news()) {
                    add(transaction, found.id())?;
                }
            }
            AnnouncementChange::Known(message) => add(transaction, *message)?,
            AnnouncementChange::Done(message) => {
                transaction
                    .prepare_cached("DELETE FROM announcement WHERE message = ?1")?
                    .execute(params![message.as_row()])?;
            }
        }
    }
    Ok(())
}

/// What is read already is not announced any more.
fn add(transaction: &Transaction<'_>, message: MessageId) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO announcement (message)
             SELECT id FROM message WHERE id = ?1 AND unread = 1",
        )?
        .execute(params![message.as_row()])?;
    Ok(())
}
