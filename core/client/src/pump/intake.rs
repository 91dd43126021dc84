//! What processes without the lease left for its holder: texts to send, and how far the user has read.

use eft_store::{Intake, IntakeEntry, NewMessage, NewOutboxEntry, OutboxContent};

use super::Pump;
use crate::error::Error;
use crate::unit::Unit;

/// Entries that become messages in one commit.
const ENTRIES_AT_ONCE: usize = 64;

impl Pump {
    /// Turns what was left into messages, each in the commit that takes it out of the intake. Returns how many there were.
    pub(super) fn collect_intake(&mut self) -> Result<u32, Error> {
        let own = self.own.jid.clone();
        let mut count = 0;
        let mut after = None;
        loop {
            let entries = self.store.intake(after, ENTRIES_AT_ONCE)?;
            let Some(last) = entries.last() else {
                return Ok(count);
            };
            after = Some(last.id);
            count += u32::try_from(entries.len()).unwrap_or(u32::MAX);
            self.commit(|unit, _| {
                for entry in entries {
                    collect(unit, &own, entry)?;
                }
                Ok(())
            })?;
        }
    }
}

fn collect(unit: &mut Unit<'_>, own: &eft_types::BareJid, entry: IntakeEntry) -> Result<(), Error> {
    match entry.intake {
        Intake::Text {
            conversation,
            origin_id,
            plaintext,
        } => {
            let to = conversation.peer.clone();
            let message = unit.batch.insert_message(NewMessage::outgoing(
                conversation,
                own.clone().into(),
                origin_id,
                plaintext,
                entry.queued,
            ));
            unit.announce(message);
            unit.batch.enqueue(NewOutboxEntry {
                content: OutboxContent::NewMessage(message),
                stanza: None,
                to: Some(to),
                queued: unit.now,
            });
        }
        Intake::ReadMark { peer, up_to } => {
            // The message may have been deleted meanwhile.
            let row = unit.store().message(up_to)?;
            if row.is_some_and(|row| row.conversation.peer == peer) {
                unit.batch.mark_read(peer, up_to);
            }
        }
        // Nothing in this release leaves files; a later one may have, and is to find them.
        Intake::File { .. } => return Ok(()),
    }
    unit.batch.take_intake(entry.id);
    Ok(())
}
