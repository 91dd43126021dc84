//! What an export brings, merged with what is here already.
//!
//! What is known stays and may become better; what is not known is added. A message is known by its name in an
//! archive, by its sender's name for it, or, if it has neither, by saying the same at the same time.

mod archive;
mod message;

use std::collections::HashMap;

use eft_types::BareJid;
use rusqlite::{Transaction, params};

use self::archive::Shift;
use super::conversation::{self, ConversationRow};
use super::{device_log, record};
use crate::error::StoreError;
use crate::model::{
    Conversation, ConversationEncryption, ConversationRef, DeviceEvent, ImportedArchive,
    ImportedMessage,
};
use crate::omemo::{
    Changes, KnownDevice, RecordKey, Records, StepError, TrustDecisions, restore_device,
    restore_trust,
};
use crate::read;

/// One import, from its first transaction to its last.
#[derive(Default)]
pub(crate) struct Import {
    /// By archive.
    shifts: HashMap<BareJid, Shift>,
    /// Where the last message went: they come conversation by conversation.
    current: Option<Current>,
    pub(crate) inserted: u64,
    pub(crate) improved: u64,
    pub(crate) known: u64,
}

struct Current {
    peer: BareJid,
    row: ConversationRow,
    /// The place of the last message that was known already: what follows it in the file follows it here.
    anchor: Option<i64>,
}

impl Import {
    pub(crate) fn archive(
        &mut self,
        transaction: &Transaction<'_>,
        own: &BareJid,
        archive: &ImportedArchive,
    ) -> Result<(), StoreError> {
        let shift = archive::join(transaction, own, archive)?;
        self.shifts.insert(archive.jid.clone(), shift);
        Ok(())
    }

    pub(crate) fn message(
        &mut self,
        transaction: &Transaction<'_>,
        own: &BareJid,
        message: &ImportedMessage,
    ) -> Result<(), StoreError> {
        message::import(self, transaction, own, message)
    }
}

/// A decision that was taken here stays. Encryption that was required there is required here, unless the user
/// switched it off here.
pub(crate) fn conversation(
    transaction: &Transaction<'_>,
    imported: &Conversation,
) -> Result<(), StoreError> {
    let known: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM conversation WHERE peer = ?1)")?
        .query_row(params![imported.peer.as_str()], |row| row.get(0))?;
    let named = ConversationRef {
        peer: imported.peer.clone(),
        kind: imported.kind,
    };
    let row = conversation::intern(transaction, &named, imported.created)?;
    transaction
        .prepare_cached(
            "UPDATE conversation
             SET encryption = CASE encryption WHEN ?2 THEN ?3 ELSE encryption END,
                 separate_versions = max(separate_versions, ?4),
                 created = min(created, ?5)
             WHERE id = ?1",
        )?
        .execute(params![
            row.id,
            ConversationEncryption::Undecided.code(),
            imported.encryption.code(),
            imported.separate_versions,
            imported.created.as_millis(),
        ])?;
    // Where the conversation is known, the wish may have been answered meanwhile.
    if let (false, Some(opt_out)) = (known, &imported.opt_out) {
        transaction.execute(
            "UPDATE conversation SET opt_out_at = ?2, opt_out_reason = ?3 WHERE id = ?1",
            params![row.id, opt_out.at.as_millis(), opt_out.reason],
        )?;
    }
    Ok(())
}

pub(crate) fn trust(
    transaction: &Transaction<'_>,
    jid: &BareJid,
    decisions: &TrustDecisions,
) -> Result<(), StoreError> {
    let records = loaded(transaction, &[RecordKey::Trust(jid.clone())])?;
    write(transaction, restore_trust(&records, jid, decisions))
}

pub(crate) fn device(
    transaction: &Transaction<'_>,
    device: &KnownDevice,
) -> Result<(), StoreError> {
    let keys = [
        RecordKey::Account,
        RecordKey::Device(device.address.clone()),
    ];
    let records = loaded(transaction, &keys)?;
    write(transaction, restore_device(&records, device))
}

fn loaded(transaction: &Transaction<'_>, keys: &[RecordKey]) -> Result<Records, StoreError> {
    let mut records = Records::new();
    for (key, record) in read::load(transaction, keys)? {
        records.insert_loaded(key, record);
    }
    Ok(records)
}

fn write(
    transaction: &Transaction<'_>,
    step: Result<Changes, StepError>,
) -> Result<(), StoreError> {
    let changes = step.map_err(|error| StoreError::Damaged {
        detail: format!("records of keys: {error}"),
    })?;
    record::write(transaction, &changes)
}

/// Each line once.
pub(crate) fn device_event(
    transaction: &Transaction<'_>,
    event: &DeviceEvent,
) -> Result<(), StoreError> {
    let known: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM device_log
             WHERE jid = ?1 AND at = ?2 AND device = ?3 AND kind = ?4 AND detail IS ?5)",
        )?
        .query_row(
            params![
                event.device.jid.as_str(),
                event.at.as_millis(),
                event.device.device.as_u32(),
                event.kind.code(),
                event.detail,
            ],
            |row| row.get(0),
        )?;
    if known {
        return Ok(());
    }
    device_log::write(transaction, std::slice::from_ref(event))
}
