//! Messages that arrive, and whether what becomes of them is right.

use super::{Parcel, World};
use crate::limits::ARCHIVED_SESSIONS;
use crate::wire::Incoming;
use crate::{Event, Outcome, RecordKey};

impl World {
    /// Hands a message to its device and judges what becomes of it.
    pub(super) fn deliver(&mut self, node: usize, index: usize) {
        let parcel = self.nodes[node].mailbox.remove(index);
        let waited = self.key_waits(&parcel);
        let outcome = self.nodes[node].device.receive(&parcel.message);
        let (from, to, version) = parcel.pair;
        let accepted = |event: &Event| matches!(event, Event::SessionAccepted { .. });
        if self.nodes[node].device.events.iter().any(accepted)
            && let Some((pre_key, ephemeral)) = exchange_of(&parcel)
        {
            self.nodes[node].used.insert((version, pre_key), ephemeral);
        }
        self.note_events(node);
        let read = match (&outcome, &parcel.text) {
            (
                Outcome::Decrypted {
                    plaintext, device, ..
                },
                Some(text),
            ) => {
                plaintext.as_bytes() == text.as_bytes()
                    && *device == self.nodes[from].device.address
            }
            (Outcome::Empty { device }, None) => *device == self.nodes[from].device.address,
            _ => false,
        };
        if read {
            self.delivered += 1;
            // Only a message that was sent after the sender was rolled back is of a session that the sender still
            // writes over; one from before revives one that it may not have. A message whose key waited revives none.
            if parcel.epoch != self.nodes[from].epoch {
                self.tainted.insert((to, from, version), true);
            } else if !waited {
                self.tainted.insert((to, from, version), false);
            }
            let place = self.pick(32);
            let read = &mut self.nodes[node].read;
            if read.len() < 32 {
                read.push(parcel);
            } else {
                read[place] = parcel;
            }
        } else if self.is_excused(&parcel, &outcome) {
            self.excused += 1;
            if parcel.text.is_some() {
                self.unread.insert((to, from, version));
            }
        } else {
            let what = parcel.text.as_deref().unwrap_or("empty");
            self.violations
                .push(format!("{version} {what:?} {from} -> {to}: {outcome:?}"));
        }
    }

    /// Whether the message's key was stored when a later one arrived.
    pub(super) fn key_waits(&self, parcel: &Parcel) -> bool {
        let (from, to, version) = parcel.pair;
        let device = &self.nodes[to].device;
        let position = parcel
            .message
            .chain_position(&device.address)
            .unwrap()
            .unwrap();
        let key = RecordKey::SkippedKey {
            address: self.nodes[from].device.address.clone(),
            version,
            dh_pub: position.dh_pub,
            n: position.n,
        };
        device.row_size(&key).is_some()
    }

    /// Whether the model knows a reason why this message cannot be read.
    pub(super) fn is_excused(&self, parcel: &Parcel, outcome: &Outcome) -> bool {
        let (from, to, version) = parcel.pair;
        let receiver = &self.nodes[to];
        let sessions = self.made.get(&(to, from, version)).copied().unwrap_or(0);
        let fell_out = sessions.saturating_sub(parcel.sessions) as usize >= ARCHIVED_SESSIONS;
        match outcome {
            Outcome::Decrypted { .. } | Outcome::Empty { .. } => false,
            Outcome::UnknownPreKey { id } => {
                let other = exchange_of(parcel).is_some_and(|(_, ephemeral)| {
                    let user = receiver.used.get(&(version, *id));
                    user.is_some_and(|user| *user != ephemeral)
                });
                other || fell_out || parcel.may_be_lost
            }
            Outcome::UnknownSignedPreKey { .. } => {
                let rotations = receiver.rotations.get(&version).copied().unwrap_or(0);
                rotations >= parcel.rotations + 2 || parcel.may_be_lost
            }
            Outcome::BadMac => fell_out || parcel.may_be_lost,
            Outcome::NoSession | Outcome::KeyUsed | Outcome::Duplicate => parcel.may_be_lost,
            _ => false,
        }
    }

    /// What was read comes once more.
    pub(super) fn repeat(&mut self, node: usize) {
        if self.nodes[node].read.is_empty() {
            return;
        }
        let index = self.pick(self.nodes[node].read.len());
        let parcel = self.nodes[node].read[index].clone();
        let before = self.nodes[node].device.snapshot();
        let outcome = self.nodes[node].device.receive(&parcel.message);
        let (from, to, version) = parcel.pair;
        let sessions = self.made.get(&(to, from, version)).copied().unwrap_or(0);
        let fell_out = sessions.saturating_sub(parcel.sessions) as usize >= ARCHIVED_SESSIONS;
        let is_silent = outcome == Outcome::Duplicate
            || (fell_out
                && matches!(
                    outcome,
                    Outcome::BadMac
                        | Outcome::UnknownPreKey { .. }
                        | Outcome::UnknownSignedPreKey { .. }
                ));
        if !is_silent || !self.nodes[node].device.is_as(&before) {
            self.violations
                .push(format!("again {version} {from} -> {to}: {outcome:?}"));
        }
    }
}

/// Prekey and ephemeral key of a parcel that makes a session.
fn exchange_of(parcel: &Parcel) -> Option<(u32, [u8; 32])> {
    let key = parcel.message.keys.first()?;
    let profile = parcel.pair.2.profile();
    match profile.parse(&key.data, key.kex).ok()? {
        Incoming::KeyExchange(exchange) => {
            Some((exchange.pre_key_id, *exchange.ephemeral_key.as_bytes()))
        }
        Incoming::Message(_) => None,
    }
}
