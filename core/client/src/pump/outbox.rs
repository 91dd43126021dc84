//! Rows become stanzas, in order within each conversation.
//!
//! A queued message is plaintext at rest. It is encrypted when the stream is ready and the device
//! lists of both sides are fresh; ratchets and bytes are committed together, and from then on the
//! bytes are fixed: whatever happens, this message is sent as these bytes or not at all.

use std::collections::HashSet;
use std::sync::Arc;

use eft_omemo::Version;
use eft_store::{
    ConversationEncryption, ConversationRef, DeliveryState, Durability, MessageUpdate,
    NewOutboxEntry, OutboxContent, OutboxEntry, OutboxId, SendFailure,
};
use eft_types::{BareJid, MessageId};

use super::audience::Audience;
use super::encrypting::encrypt_row;
use super::link::{InFlight, Phase};
use super::resuming::{note_acked, row, token};
use super::{Pump, delivery, stanza};
use crate::clock;
use crate::error::Error;
use crate::translate::encrypted;
use crate::unit::Unit;

/// Entries read from the outbox and encrypted together: one commit.
const ENTRIES_AT_ONCE: usize = 32;

/// Entries handed to the connection and not acknowledged, at most. Bounds memory, and what has to
/// be sent again after a break.
const IN_FLIGHT_MAX: usize = 128;

/// Entries looked at in one go behind those that wait, so that a long queue to somebody whose keys
/// cannot be had costs little each time.
const SCAN_MAX: usize = 512;

/// One look through the outbox.
struct Scan {
    /// Entries looked at.
    seen_count: usize,
    /// Whom nothing can be encrypted for yet.
    blocked: HashSet<BareJid>,
    /// Whether everything so far was handed over or failed.
    is_contiguous: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            seen_count: 0,
            blocked: HashSet::new(),
            is_contiguous: true,
        }
    }
}

/// What became of one outbox entry.
enum Prepared {
    /// Send these bytes.
    Ready(Outgoing),
    /// It failed; its row says why.
    Failed,
}

/// Bytes on their way to the connection.
struct Outgoing {
    id: OutboxId,
    message: Option<MessageId>,
    stanza: eft_store::Opaque,
}

impl Pump {
    /// Sends what can be sent now, in order within each conversation. One whose keys have to be
    /// waited for holds up itself and no other.
    pub(super) fn advance_outbox(&mut self) -> Result<(), Error> {
        let Some(mut after) = self.link.as_ref().map(|link| link.outbox_cursor) else {
            return Ok(());
        };
        let mut scan = Scan::default();
        while scan.seen_count < SCAN_MAX {
            let Some(link) = self.link.as_ref() else {
                return Ok(());
            };
            if link.phase != Phase::Online
                || !link.is_current
                || link.in_flight.len() >= IN_FLIGHT_MAX
            {
                return Ok(());
            }
            let entries = self.store.outbox(after, ENTRIES_AT_ONCE)?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            after = Some(last.id);
            self.send_entries(entries, &mut scan)?;
        }
        Ok(())
    }

    /// Sends those of these entries that are ready: one commit, then the sending.
    fn send_entries(&mut self, entries: Vec<OutboxEntry>, scan: &mut Scan) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let mut outgoing = Vec::new();
        let mut handled = Vec::new();
        let mut judged = HashSet::new();
        for entry in entries {
            scan.seen_count += 1;
            let id = entry.id;
            if self
                .link
                .as_ref()
                .is_some_and(|link| link.handed_ahead.contains(&id))
            {
                handled.push((id, true));
                continue;
            }
            let to = entry.to.clone().filter(|_| entry.stanza.is_none());
            let is_blocked = to.as_ref().is_some_and(|to| scan.blocked.contains(to));
            let prepared = if is_blocked {
                None
            } else {
                self.prepare(&mut unit, entry)?
            };
            handled.push((id, prepared.is_some()));
            if prepared.is_some() {
                judged.extend(to.clone());
            }
            match prepared {
                Some(Prepared::Ready(ready)) => outgoing.push(ready),
                Some(Prepared::Failed) => {}
                None => scan.blocked.extend(to),
            }
        }
        let mut numbers = Vec::new();
        if let Some(link) = &self.link {
            numbers.extend(link.next_numbers().take(outgoing.len()));
        }
        for (ready, number) in outgoing.iter().zip(&numbers) {
            if let Some(message) = ready.message {
                unit.batch
                    .update_message(message, delivery(DeliveryState::Sent));
            }
            // Another process goes on from here, if this one ends before the server has acknowledged it.
            if let Some(number) = number {
                unit.batch.set_outbox_sequence(ready.id, *number);
            }
        }
        // Law 1: ratchets and bytes are on disk before the first of them is sent.
        if !unit.is_empty() {
            let done = unit.commit(Durability::Full)?;
            self.tell(&done)?;
        }
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        for peer in &judged {
            link.lists.used(peer);
        }
        for (id, is_done) in handled {
            link.outbox_handled(id, is_done, &mut scan.is_contiguous);
        }
        let is_managed = link.is_managed();
        let mut unmanaged = Vec::new();
        let anything = !outgoing.is_empty();
        for (ready, number) in outgoing.into_iter().zip(numbers) {
            let token = token(ready.id);
            let element = stanza::from_bytes(&ready.stanza)?;
            let message = ready.message;
            link.in_flight.insert(token, InFlight { message, number });
            link.send(element, Some(token));
            if !is_managed {
                unmanaged.push(token);
            }
        }
        if anything {
            self.probe_sent();
        }
        // A server without XEP-0198 never says what it has; handing over is the best there is.
        if !unmanaged.is_empty() {
            self.handle_acked(&unmanaged)?;
        }
        Ok(())
    }

    /// Makes one entry ready; `None` if it has to wait.
    fn prepare(
        &mut self,
        unit: &mut Unit<'_>,
        entry: OutboxEntry,
    ) -> Result<Option<Prepared>, Error> {
        if let Some(stanza) = entry.stanza {
            return Ok(Some(Prepared::Ready(Outgoing {
                id: entry.id,
                message: entry.message,
                stanza,
            })));
        }
        let row = match entry.message {
            Some(id) => unit.store().message(id)?,
            None => None,
        };
        let Some(row) = row else {
            // Its message was deleted meanwhile.
            unit.batch.remove_outbox(entry.id);
            return Ok(Some(Prepared::Failed));
        };
        let peer = row.conversation.peer.clone();
        if self.is_opted_out(&peer)? {
            fail(unit, entry.id, row.id, SendFailure::OptedOut, None);
            return Ok(Some(Prepared::Failed));
        }
        let devices = match self.audience(unit, &peer)? {
            Audience::Waiting => return Ok(None),
            Audience::Nobody(reason, detail) => {
                fail(unit, entry.id, row.id, reason, detail);
                return Ok(Some(Prepared::Failed));
            }
            Audience::Devices(devices) => devices,
        };
        let separate = unit
            .store()
            .conversation(&peer)?
            .is_some_and(|found| found.separate_versions);
        let encrypted = encrypt_row(unit, &mut self.rng, &self.own.jid, &row, &devices, separate)?;
        let best = devices
            .by_version()
            .next()
            .map_or(Version::Omemo2, |(version, _)| version);
        unit.batch
            .fix_outbox_bytes(entry.id, encrypted.stanza.clone());
        if let Some(second) = encrypted.second {
            unit.batch.enqueue(NewOutboxEntry {
                content: OutboxContent::Message(row.id),
                stanza: Some(second),
                to: Some(peer.clone()),
                queued: unit.now,
            });
        }
        unit.batch.update_message(
            row.id,
            MessageUpdate::Encryption(encrypted::encryption(best)),
        );
        // Law 5: once encrypted, a conversation stays so.
        unit.batch.set_encryption(
            ConversationRef::direct(peer),
            ConversationEncryption::Required,
            unit.now,
        );
        Ok(Some(Prepared::Ready(Outgoing {
            id: entry.id,
            message: Some(row.id),
            stanza: encrypted.stanza,
        })))
    }

    /// Whether the peer's wish to go on without encryption waits for the user's answer.
    pub(super) fn is_opted_out(&self, peer: &BareJid) -> Result<bool, Error> {
        let conversation = self.store.conversation(peer)?;
        Ok(conversation.is_some_and(|found| found.opt_out.is_some()))
    }

    /// The server has these entries.
    pub(super) fn handle_acked(&mut self, tokens: &[u64]) -> Result<(), Error> {
        let Some(link) = self.link.as_mut() else {
            return Ok(());
        };
        let acked: Vec<_> = tokens
            .iter()
            .filter_map(|token| Some((*token, link.in_flight.remove(token)?)))
            .collect();
        if acked.is_empty() {
            return Ok(());
        }
        link.is_proven = true;
        let last = acked.iter().rev().find_map(|(_, entry)| entry.number);
        let waiting = link
            .in_flight
            .values()
            .filter_map(|entry| entry.message)
            .collect();
        self.commit(|unit, _| {
            let acked = acked
                .iter()
                .map(|(token, entry)| (row(*token), entry.message));
            note_acked(&mut unit.batch, acked, &waiting);
            if last.is_some() {
                unit.batch.count_stream(None, last);
            }
            Ok(())
        })?;
        if let (Some(link), Some(number)) = (self.link.as_mut(), last) {
            link.note_acked(number);
        }
        Ok(())
    }

    /// The server does not take a stanza of this size.
    pub(super) fn fail_too_large(&mut self, token: u64) -> Result<(), Error> {
        let Some(entry) = self
            .link
            .as_mut()
            .and_then(|link| link.in_flight.remove(&token))
        else {
            return Ok(());
        };
        self.commit(|unit, _| {
            unit.batch.remove_outbox(row(token));
            if let Some(message) = entry.message {
                unit.batch.update_message(
                    message,
                    delivery(DeliveryState::Failed {
                        reason: SendFailure::TooLarge,
                        detail: None,
                    }),
                );
            }
            Ok(())
        })
    }
}

/// An entry that will not be sent without the user's doing.
fn fail(
    unit: &mut Unit<'_>,
    entry: OutboxId,
    message: MessageId,
    reason: SendFailure,
    detail: Option<String>,
) {
    unit.batch.remove_outbox(entry);
    unit.batch
        .update_message(message, delivery(DeliveryState::Failed { reason, detail }));
}
