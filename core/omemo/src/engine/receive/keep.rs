//! What is stored once a message is authentic.

use super::reception::Reception;
use super::skipped_key;
use super::stop::Stop;
use crate::engine::{Step, store_session};
use crate::limits::{MAX_SKIPPED_KEYS, SKIPPED_KEY_TURNS};
use crate::payload::OpenError;
use crate::session::{ArchivedSessions, Decrypted, Seen, SeenMessages, SkippedKey, SkippedKeys};
use crate::trust::level_of;
use crate::wire::RatchetMessage;
use crate::{Action, EmptyReason, Event, IdentityKey, Outcome, Plaintext, RecordKey, StepError};

/// Where a message was decrypted.
pub(super) enum Place {
    /// By the current session.
    Current,
    /// By the archived session of this index.
    Archived(usize, ArchivedSessions),
}

impl Reception<'_> {
    /// Stores a session after a message of it.
    pub(super) fn keep(
        &self,
        step: &mut Step<'_>,
        message: &RatchetMessage,
        decrypted: Decrypted,
        place: Place,
    ) -> Result<Outcome, Stop> {
        let version = self.version();
        let plaintext = self.open(&decrypted.key_material)?;
        self.keep_skipped(step, &decrypted)?;
        self.note_as_seen(step, message)?;
        if decrypted.heartbeat {
            step.act(Action::SendEmpty {
                to: self.sender.clone(),
                version,
                reason: EmptyReason::Heartbeat,
            });
        }
        let identity = decrypted.session.their_identity;
        let [session_key, chains_key, archive_key] = store_session::rows(&self.sender, version);
        match place {
            Place::Current => {
                if let Some(old_chains) = decrypted.old_chains {
                    step.put(chains_key, old_chains);
                }
                step.put(session_key, decrypted.session);
            }
            Place::Archived(index, mut archive) => {
                let Some(place) = archive.sessions.get_mut(index) else {
                    return Err(StepError::Damaged(archive_key).into());
                };
                let former = core::mem::take(&mut place.old_chains);
                let old_chains = decrypted.old_chains.unwrap_or(former);
                if decrypted.late || decrypted.session.ratchet.is_used_up() {
                    // It says nothing about which session the peer writes over now; or nothing can be sent over this one.
                    place.session = decrypted.session;
                    place.old_chains = old_chains;
                    step.put(archive_key, archive);
                } else {
                    archive.sessions.remove(index);
                    step.put(archive_key, archive);
                    let sender = &self.sender;
                    store_session::replace(step, sender, version, decrypted.session, old_chains)?;
                }
            }
        }
        self.outcome(step, plaintext, &identity)
    }

    /// Stores the keys of messages passed over, and throws away those that are too many or too old.
    pub(super) fn keep_skipped(
        &self,
        step: &mut Step<'_>,
        decrypted: &Decrypted,
    ) -> Result<(), Stop> {
        let skips = decrypted.skipped.iter().any(|(_, keys)| !keys.is_empty());
        if !skips && !decrypted.turned {
            return Ok(());
        }
        let version = self.version();
        let mut index = step.skipped_keys(&self.sender, version)?;
        if !skips && index.is_empty() {
            return Ok(());
        }
        if decrypted.turned {
            index.turn();
        }
        for (dh_pub, keys) in &decrypted.skipped {
            let Some((first, _)) = keys.first() else {
                continue;
            };
            let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            index.push(*dh_pub, *first, count);
            for (n, key) in keys {
                let row = RecordKey::SkippedKey {
                    address: self.sender.clone(),
                    version,
                    dh_pub: *dh_pub.as_bytes(),
                    n: *n,
                };
                step.put(
                    row,
                    SkippedKey {
                        key: key.clone(),
                        role: decrypted.session.role,
                        their_identity: decrypted.session.their_identity,
                    },
                );
            }
        }
        let mut evicted = index.evict_to(MAX_SKIPPED_KEYS);
        if self.context.may_evict {
            evicted.extend(index.expire(SKIPPED_KEY_TURNS));
        }
        let count = u32::try_from(evicted.len()).unwrap_or(u32::MAX);
        if count > 0 && !self.context.may_evict {
            return Err(Outcome::WouldEvict { count }.into());
        }
        for (dh_pub, n) in evicted {
            step.delete(RecordKey::SkippedKey {
                address: self.sender.clone(),
                version,
                dh_pub: *dh_pub.as_bytes(),
                n,
            });
        }
        if count > 0 {
            step.tell(Event::SkippedKeysEvicted {
                address: self.sender.clone(),
                version,
                count,
            });
        }
        self.put_index(step, index);
        Ok(())
    }

    /// Remembers that a message was read.
    pub(super) fn note_as_seen(
        &self,
        step: &mut Step<'_>,
        message: &RatchetMessage,
    ) -> Result<(), StepError> {
        let key = self.seen_messages();
        let mut seen = step
            .read::<SeenMessages>(&key)?
            .cloned()
            .unwrap_or_default();
        seen.push(message);
        step.put(key, seen);
        Ok(())
    }

    /// A message that was read before is a repetition, also where its chain or session is gone since. One whose place in
    /// the chain is used up by another is none.
    pub(super) fn told_from_a_repetition(
        &self,
        outcome: Outcome,
        message: &RatchetMessage,
    ) -> Result<Outcome, StepError> {
        if !matches!(
            outcome,
            Outcome::Duplicate
                | Outcome::BadMac
                | Outcome::UnknownPreKey { .. }
                | Outcome::UnknownSignedPreKey { .. }
        ) {
            return Ok(outcome);
        }
        let step = Step::new(self.records);
        let seen = step.read::<SeenMessages>(&self.seen_messages())?;
        Ok(match seen.map(|seen| seen.look(message)) {
            Some(Seen::Same) => Outcome::Duplicate,
            Some(Seen::Other) if outcome == Outcome::Duplicate => Outcome::KeyUsed,
            _ => outcome,
        })
    }

    fn seen_messages(&self) -> RecordKey {
        RecordKey::SeenMessages {
            address: self.sender.clone(),
            version: self.version(),
        }
    }

    /// Deletes a skipped key that was used.
    pub(super) fn delete_skipped(
        &self,
        step: &mut Step<'_>,
        message: &RatchetMessage,
    ) -> Result<(), StepError> {
        let mut index = step.skipped_keys(&self.sender, self.version())?;
        index.remove(&message.dh_pub, message.n);
        self.put_index(step, index);
        step.delete(skipped_key(&self.sender, self.version(), message));
        Ok(())
    }

    pub(super) fn skipped_index(&self) -> RecordKey {
        RecordKey::SkippedKeys {
            address: self.sender.clone(),
            version: self.version(),
        }
    }

    fn put_index(&self, step: &mut Step<'_>, index: SkippedKeys) {
        let key = self.skipped_index();
        if index.is_empty() {
            step.delete(key);
        } else {
            step.put(key, index);
        }
    }

    /// Decrypts the payload; `None` if the message is empty.
    pub(super) fn open(&self, key_material: &[u8]) -> Result<Option<Plaintext>, OpenError> {
        let iv = self.message.iv.as_deref();
        let payload = self.message.payload.as_deref();
        let plaintext = self
            .parties
            .profile
            .open_payload(key_material, iv, payload)?;
        Ok(plaintext.map(Plaintext::new))
    }

    /// What the message is, for the caller.
    pub(super) fn outcome(
        &self,
        step: &Step<'_>,
        plaintext: Option<Plaintext>,
        identity: &IdentityKey,
    ) -> Result<Outcome, Stop> {
        let device = self.sender.clone();
        let Some(plaintext) = plaintext else {
            return Ok(Outcome::Empty { device });
        };
        let fingerprint = identity.fingerprint();
        let trust = level_of(step, &device.jid, fingerprint)?;
        Ok(Outcome::Decrypted {
            plaintext,
            device,
            fingerprint,
            trust,
        })
    }
}
