//! Rows become stanzas, in order.
//!
//! A queued message is plaintext at rest. It is encrypted when the stream is ready and the device
//! lists of both sides are fresh; ratchets and bytes are committed together, and from then on the
//! bytes are fixed: whatever happens, this message is sent as these bytes or not at all.

use std::sync::Arc;

use eft_omemo::{
    EncryptError, NotTrusted, Reach, TrustPolicy, TrustedDevice, Version, encrypt, encrypt_needs,
    has_session, permit, reach,
};
use eft_store::{
    ConversationRef, ConversationEncryption, DeliveryState, Durability, MessageUpdate, OutboxEntry,
    OutboxId, SendFailure,
};
use eft_types::{BareJid, DeviceAddress, MessageId};
use rand::rngs::StdRng;

use super::link::Phase;
use super::{Pump, VERSIONS, delivery, stanza};
use crate::clock;
use crate::devices;
use crate::error::Error;
use crate::translate::encrypted;
use crate::unit::Unit;

/// Entries read from the outbox and encrypted together: one commit.
const ENTRIES_AT_ONCE: usize = 32;

/// Entries handed to the connection and not acknowledged, at most. Bounds memory, and what has to
/// be sent again after a break.
const IN_FLIGHT_MAX: usize = 128;

/// Whom a message can be encrypted for.
enum Audience {
    /// These devices.
    Devices(Vec<TrustedDevice>),
    /// Lists or bundles are on their way; ask again when they are here.
    Waiting,
    /// Nobody, until the user does something.
    Nobody(SendFailure, Option<String>),
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
    /// Sends what can be sent now.
    pub(super) fn advance_outbox(&mut self) -> Result<(), Error> {
        loop {
            let Some(link) = self.link.as_ref() else {
                return Ok(());
            };
            if link.phase != Phase::Online
                || !link.catch_up.is_done()
                || link.in_flight.len() >= IN_FLIGHT_MAX
            {
                return Ok(());
            }
            let entries = self.store.outbox(link.outbox_cursor, ENTRIES_AT_ONCE)?;
            if entries.is_empty() || !self.send_entries(entries)? {
                return Ok(());
            }
        }
    }

    /// Sends as many of these entries as are ready, in order. Whether all were.
    fn send_entries(&mut self, entries: Vec<OutboxEntry>) -> Result<bool, Error> {
        let store = Arc::clone(&self.store);
        let mut unit = Unit::begin(&store, clock::now());
        let mut outgoing = Vec::new();
        let mut last = None;
        let mut all = true;
        for entry in entries {
            let id = entry.id;
            match self.prepare(&mut unit, entry)? {
                Some(Prepared::Ready(ready)) => outgoing.push(ready),
                Some(Prepared::Failed) => {}
                // Order is kept: nothing overtakes a message that waits for keys.
                None => {
                    all = false;
                    break;
                }
            }
            last = Some(id);
        }
        for message in outgoing.iter().filter_map(|ready| ready.message) {
            unit.batch
                .update_message(message, delivery(DeliveryState::Sent));
        }
        // Law 1: ratchets and bytes are on disk before the first of them is sent.
        if !unit.is_empty() {
            let done = unit.commit(Durability::Full)?;
            self.tell(&done)?;
        }
        let Some(link) = self.link.as_mut() else {
            return Ok(false);
        };
        if last.is_some() {
            link.outbox_cursor = last;
        }
        let is_managed = link.is_managed();
        let mut unmanaged = Vec::new();
        for ready in outgoing {
            let token = ready.id.as_row().unsigned_abs();
            let element = stanza::from_bytes(&ready.stanza)?;
            link.in_flight.insert(token, ready.message);
            link.send(element, Some(token));
            if !is_managed {
                unmanaged.push(token);
            }
        }
        link.request_ack();
        // A server without XEP-0198 never says what it has; handing over is the best there is.
        if !unmanaged.is_empty() {
            self.handle_acked(&unmanaged)?;
        }
        Ok(all)
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
        let devices = match self.audience(unit, &peer)? {
            Audience::Waiting => return Ok(None),
            Audience::Nobody(reason, detail) => {
                unit.batch.remove_outbox(entry.id);
                unit.batch.update_message(
                    row.id,
                    delivery(DeliveryState::Failed { reason, detail }),
                );
                return Ok(Some(Prepared::Failed));
            }
            Audience::Devices(devices) => devices,
        };
        let stanza = encrypt_row(unit, &mut self.rng, &self.own.jid, &row, &peer, &devices)?;
        unit.batch.fix_outbox_bytes(entry.id, stanza.clone());
        unit.batch.update_message(
            row.id,
            MessageUpdate::Encryption(encrypted::encryption(Version::Omemo2)),
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
            stanza,
        })))
    }

    /// Every device of the peer and every other device of ours that policy lets us write to.
    fn audience(&mut self, unit: &mut Unit<'_>, peer: &BareJid) -> Result<Audience, Error> {
        let own = self.own.clone();
        // Both are asked for at once, even if one is fresh.
        let peer_is_fresh = self.ensure_lists(peer);
        let own_is_fresh = self.ensure_lists(&own.jid);
        if !peer_is_fresh || !own_is_fresh {
            return Ok(Audience::Waiting);
        }
        let mut trusted = Vec::new();
        let mut peer_device_count = 0_usize;
        let mut undecided = Vec::new();
        let mut without_bundle = 0_usize;
        let mut is_waiting = false;
        let jids: Vec<BareJid> = if *peer == own.jid {
            vec![own.jid.clone()]
        } else {
            vec![peer.clone(), own.jid.clone()]
        };
        for address in listed_devices(unit, &jids)? {
            if address == own {
                continue;
            }
            let version = match unit.sure_step(|records| reach(records, &address))? {
                Reach::Omemo2 => Version::Omemo2,
                Reach::Legacy | Reach::Downgraded | Reach::Unlisted => continue,
            };
            if !unit.sure_step(|records| has_session(records, &address, version))? {
                if self
                    .link
                    .as_ref()
                    .is_some_and(|link| link.bundle_is_unavailable(&address, version))
                {
                    without_bundle += 1;
                } else {
                    self.request_bundle(&address, version);
                    is_waiting = true;
                }
                continue;
            }
            match unit.step(|records| permit(TrustPolicy::default(), records, &address))? {
                Ok(device) => {
                    peer_device_count += usize::from(address.jid == *peer);
                    trusted.push(device);
                }
                Err(NotTrusted::Refused { level, .. }) => {
                    // The user's own "no" needs no question; "not yet decided" does.
                    if level == eft_omemo::TrustLevel::Undecided {
                        undecided.push(address.device.to_string());
                    }
                }
                Err(NotTrusted::UnknownDevice { .. }) => without_bundle += 1,
                Err(NotTrusted::Step(error)) => return Err(Error::bug(error.to_string())),
            }
        }
        if is_waiting {
            return Ok(Audience::Waiting);
        }
        if !undecided.is_empty() {
            let detail = format!("undecided devices: {}", undecided.join(", "));
            return Ok(Audience::Nobody(SendFailure::NotTrusted, Some(detail)));
        }
        // Notes to oneself on the only device are for nobody else, and that is fine.
        if peer_device_count == 0 && *peer != own.jid {
            return Ok(if without_bundle > 0 {
                let detail = format!("{without_bundle} device(s) without a usable bundle");
                Audience::Nobody(SendFailure::MissingBundle, Some(detail))
            } else {
                Audience::Nobody(SendFailure::NoRecipients, None)
            });
        }
        if trusted.is_empty() {
            return Ok(Audience::Nobody(SendFailure::NoRecipients, None));
        }
        Ok(Audience::Devices(trusted))
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
        self.commit(|unit, _| {
            for (token, message) in acked {
                let row = i64::try_from(token).unwrap_or(i64::MAX);
                unit.batch.remove_outbox(OutboxId::from_row(row));
                if let Some(message) = message {
                    unit.batch
                        .update_message(message, delivery(DeliveryState::Acked));
                }
            }
            Ok(())
        })
    }

    /// The server does not take a stanza of this size.
    pub(super) fn fail_too_large(&mut self, token: u64) -> Result<(), Error> {
        let Some(message) = self
            .link
            .as_mut()
            .and_then(|link| link.in_flight.remove(&token))
        else {
            return Ok(());
        };
        self.commit(|unit, _| {
            let row = i64::try_from(token).unwrap_or(i64::MAX);
            unit.batch.remove_outbox(OutboxId::from_row(row));
            if let Some(message) = message {
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

/// The devices that the stored lists of these accounts name, each once.
fn listed_devices(unit: &mut Unit<'_>, jids: &[BareJid]) -> Result<Vec<DeviceAddress>, Error> {
    let mut found = Vec::new();
    for jid in jids {
        for version in VERSIONS {
            for device in devices::listed(unit, jid, version)? {
                let address = DeviceAddress::new(jid.clone(), device);
                if !found.contains(&address) {
                    found.push(address);
                }
            }
        }
    }
    Ok(found)
}

/// Encrypts one message; its ratchet steps join the unit.
fn encrypt_row(
    unit: &mut Unit<'_>,
    rng: &mut StdRng,
    own: &BareJid,
    row: &eft_store::Message,
    peer: &BareJid,
    devices: &[TrustedDevice],
) -> Result<eft_store::Opaque, Error> {
    let eft_store::Content::Readable(plaintext) = &row.content else {
        return Err(Error::bug("an unreadable message in the outbox"));
    };
    let origin_id = row
        .origin_id
        .as_ref()
        .ok_or_else(|| Error::bug("an outgoing message without an id"))?;
    let envelope = stanza::envelope(&plaintext.text, own, peer, unit.now, rng)?;
    unit.preload(encrypt_needs(
        Version::Omemo2,
        devices.iter().map(TrustedDevice::address),
    ))?;
    let encrypted = unit
        .step(|records| encrypt(records, Version::Omemo2, envelope.as_bytes(), devices, rng))?
        .map_err(|error: EncryptError| Error::bug(error.to_string()))?;
    unit.apply(encrypted.changes);
    let element = stanza::encrypted_message(peer, origin_id, &encrypted.message);
    stanza::to_bytes(&element)
}
