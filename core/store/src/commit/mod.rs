//! Writing a batch: one file per table, all inside the transaction of the caller.

mod account;
mod action;
mod announcement;
mod archive;
mod conversation;
mod delete;
mod device_log;
mod flood;
pub(crate) mod import;
mod insert;
mod intake;
mod outbox;
mod place;
mod record;
mod stream;
mod update;

pub(crate) use delete::expire;
pub(crate) use intake::append_intake;

use eft_types::BareJid;
use rusqlite::Transaction;

use self::place::Places;
use crate::batch::Batch;
use crate::committed::Committed;
use crate::error::StoreError;

/// Writes a batch. On an error the caller rolls the transaction back.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    own: &BareJid,
    batch: &Batch,
) -> Result<Committed, StoreError> {
    // Destructured, so that a new field of the batch cannot be forgotten here.
    let Batch {
        changes,
        account,
        conversations,
        wishes,
        messages,
        updates,
        read_marks,
        outbox,
        outbox_count: _,
        actions,
        reopen_archives,
        joins,
        ranges,
        archives,
        older,
        stream,
        device_log,
        intake,
        finish_rollback,
        deletions,
        announcements,
    } = batch;
    intake::take(transaction, intake)?;
    record::write(transaction, changes)?;
    account::write(transaction, account)?;
    if *finish_rollback {
        account::finish_rollback(transaction)?;
    }
    conversation::set_encryption(transaction, conversations)?;
    conversation::set_wishes(transaction, wishes)?;
    if *reopen_archives {
        archive::reopen_all(transaction)?;
    }
    archive::join_ranges(transaction, joins)?;
    archive::begin_ranges(transaction, own, ranges)?;
    let mut places = Places::new(transaction);
    let inserted = messages
        .iter()
        .map(|message| insert::insert(&mut places, own, message))
        .collect::<Result<Vec<_>, _>>()?;
    places.finish()?;
    delete::messages(transaction, deletions)?;
    let updated = update::write(transaction, updates)?;
    announcement::write(transaction, announcements, &inserted)?;
    conversation::mark_read(transaction, read_marks)?;
    let outbox = outbox::write(transaction, outbox, &inserted)?;
    action::write(transaction, actions)?;
    archive::write(transaction, own, archives)?;
    conversation::note_older(transaction, older)?;
    stream::write(transaction, stream)?;
    device_log::write(transaction, device_log)?;
    Ok(Committed {
        messages: inserted,
        outbox,
        updated,
    })
}
