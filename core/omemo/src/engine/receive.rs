//! Decrypting.

use eft_types::{DeviceAddress, Timestamp};
use rand_core::CryptoRng;

use super::{Step, pre_keys, store_session};
use crate::key::{PreKeyPair, SignedPreKeyPair};
use crate::limits::MAX_SKIPPED_KEYS;
use crate::payload::OpenError;
use crate::record::{PreKeyRecord, SignedPreKeyRecord};
use crate::session::{
    Accepting, ArchivedSessions, DecryptError, Decrypted, ExchangeId, OldChains, Parties, Session,
    SkippedKey,
};
use crate::trust::level_of;
use crate::wire::{Incoming, KeyExchange, RatchetMessage};
use crate::x3dh::{OurKeys, TheirExchange};
use crate::{
    Action, EmptyReason, EncryptedMessage, Event, IdentityKey, Malformed, Outcome, Plaintext,
    Received, RecordKey, Records, StepError, Version,
};

/// Under which circumstances a message is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveContext {
    /// Whether archives are being caught up with. Prekeys then keep their private half until
    /// [`finish_catch_up`](crate::finish_catch_up).
    pub catch_up: bool,
    /// Whether keys of messages that have not arrived may be thrown away to make room. Forbid it while those
    /// messages may still come from some archive; the outcome is then [`Outcome::WouldEvict`].
    pub may_evict: bool,
    /// The time.
    pub now: Timestamp,
}

/// The records that receiving a message reads in the ordinary case. [`receive`] asks for more when it is not.
#[must_use]
pub fn needs(message: &EncryptedMessage, own: &DeviceAddress) -> Vec<RecordKey> {
    let version = message.version;
    let sender = DeviceAddress::new(message.sender.clone(), message.sid);
    let mut keys = vec![
        RecordKey::Account,
        RecordKey::Device(sender.clone()),
        RecordKey::Trust(sender.jid.clone()),
        RecordKey::DeviceList {
            jid: sender.jid.clone(),
            version,
        },
        RecordKey::Session {
            address: sender.clone(),
            version,
        },
    ];
    for key in message.keys_for(own) {
        let Ok(incoming) = version.profile().parse(&key.data, key.kex) else {
            continue;
        };
        keys.push(skipped_key(&sender, version, incoming.message()));
        if let Incoming::KeyExchange(exchange) = incoming {
            keys.push(RecordKey::PreKeys { version });
            keys.push(RecordKey::PreKey {
                version,
                id: exchange.pre_key_id,
            });
            keys.push(RecordKey::SignedPreKey {
                version,
                id: exchange.signed_pre_key_id,
            });
        }
    }
    keys
}

/// Decrypts a message. Whatever is wrong with the message is an [`Outcome`]; then the changes are empty, and
/// calling again later is harmless.
///
/// # Errors
/// [`StepError`].
pub fn receive(
    records: &Records,
    message: &EncryptedMessage,
    context: ReceiveContext,
    rng: &mut impl CryptoRng,
) -> Result<Received, StepError> {
    let own = Step::new(records).own_address()?;
    let sender = DeviceAddress::new(message.sender.clone(), message.sid);
    if sender == own {
        return Ok(failed(Outcome::FromThisDevice));
    }
    Step::new(records).require(needs(message, &own))?;
    let our_identity = Step::new(records).account()?.identity.public();
    let reception = Reception {
        records,
        message,
        sender,
        context,
        parties: Parties {
            profile: message.version.profile(),
            our_identity: &our_identity,
            device: own.device.as_u32(),
        },
    };
    // Legacy keys name no account: several may have our number, and at most one is ours.
    let mut worst = failed(Outcome::NotForThisDevice);
    for key in message.keys_for(&own) {
        let received = match reception.parties.profile.parse(&key.data, key.kex) {
            Ok(incoming) => reception.receive(&incoming, rng)?,
            Err(malformed) => failed(Outcome::Malformed(malformed)),
        };
        if matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        ) {
            return Ok(received);
        }
        if telling(&received.outcome) > telling(&worst.outcome) {
            worst = received;
        }
    }
    Ok(worst)
}

/// Of several failures the one that says most is reported: the more of the message fitted us, the higher.
const fn telling(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Decrypted { .. } | Outcome::Empty { .. } => 11,
        Outcome::BadPayload => 10,
        Outcome::WouldEvict { .. } => 9,
        Outcome::Duplicate => 8,
        Outcome::SkippedTooMany { .. } => 7,
        Outcome::IdentityChanged { .. } => 6,
        Outcome::UnknownPreKey { .. } | Outcome::UnknownSignedPreKey { .. } => 5,
        Outcome::BadMac => 4,
        Outcome::NoSession => 3,
        Outcome::Malformed(_) => 2,
        Outcome::FromThisDevice => 1,
        Outcome::NotForThisDevice => 0,
    }
}

const fn failed(outcome: Outcome) -> Received {
    Received {
        outcome,
        changes: crate::Changes::new(),
        actions: Vec::new(),
        events: Vec::new(),
    }
}

fn skipped_key(sender: &DeviceAddress, version: Version, message: &RatchetMessage) -> RecordKey {
    RecordKey::SkippedKey {
        address: sender.clone(),
        version,
        dh_pub: *message.dh_pub.as_bytes(),
        n: message.n,
    }
}

/// One key of one message, and all that stays the same while it is tried.
struct Reception<'a> {
    records: &'a Records,
    message: &'a EncryptedMessage,
    sender: DeviceAddress,
    context: ReceiveContext,
    parties: Parties<'a>,
}

/// A stop on the way: the message is not decrypted, or records are lacking.
enum Stop {
    Outcome(Outcome),
    Step(StepError),
}

impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<Outcome> for Stop {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl From<DecryptError> for Stop {
    fn from(error: DecryptError) -> Self {
        Self::Outcome(match error {
            DecryptError::Duplicate => Outcome::Duplicate,
            DecryptError::BadMac => Outcome::BadMac,
            DecryptError::Padding => Outcome::Malformed(Malformed::KeyMaterial),
            DecryptError::SkippedTooMany { got, max } => Outcome::SkippedTooMany { got, max },
        })
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::Outcome(match error {
            OpenError::NotAuthentic => Outcome::BadPayload,
            OpenError::Malformed(malformed) => Outcome::Malformed(malformed),
        })
    }
}

/// Where a message was decrypted.
enum Place {
    Current,
    Archived(usize, ArchivedSessions),
}

impl Reception<'_> {
    /// Tries one key. A failed try has no changes.
    fn receive(
        &self,
        incoming: &Incoming,
        rng: &mut impl CryptoRng,
    ) -> Result<Received, StepError> {
        let mut step = Step::new(self.records);
        let stranger = self.is_stranger(&step)?;
        let outcome = match self.decrypt(&mut step, incoming, rng) {
            Ok(outcome) => outcome,
            Err(Stop::Step(error)) => return Err(error),
            Err(Stop::Outcome(outcome)) => {
                step = Step::new(self.records);
                self.after_failure(&mut step, &outcome)?;
                outcome
            }
        };
        if stranger {
            step.act(Action::RefreshDeviceList {
                jid: self.sender.jid.clone(),
                version: self.version(),
            });
        }
        let effects = step.into_effects();
        Ok(Received {
            outcome,
            changes: effects.changes,
            actions: effects.actions,
            events: effects.events,
        })
    }

    const fn version(&self) -> Version {
        self.message.version
    }

    /// Whether the sender is a device that we have neither met nor seen on a list (XEP-0384 §6: fetch the
    /// list again). A device that we have met and that left its list since is none.
    fn is_stranger(&self, step: &Step<'_>) -> Result<bool, StepError> {
        let listed = step
            .device_list(&self.sender.jid, self.version())?
            .is_some_and(|list| list.contains(self.sender.device));
        Ok(!listed && step.device(&self.sender)?.is_none())
    }

    fn after_failure(&self, step: &mut Step<'_>, outcome: &Outcome) -> Result<(), StepError> {
        match outcome {
            Outcome::IdentityChanged { known, found } => step.tell(Event::IdentityChangeRefused {
                address: self.sender.clone(),
                known: *known,
                found: *found,
            }),
            // The device believes in a session that we do not have. A new one is made only where there is none:
            // never because something could not be decrypted.
            Outcome::NoSession
            | Outcome::UnknownPreKey { .. }
            | Outcome::UnknownSignedPreKey { .. }
                if step.session(&self.sender, self.version())?.is_none() =>
            {
                step.act(Action::BuildSession {
                    to: self.sender.clone(),
                    version: self.version(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn decrypt(
        &self,
        step: &mut Step<'_>,
        incoming: &Incoming,
        rng: &mut impl CryptoRng,
    ) -> Result<Outcome, Stop> {
        let message = incoming.message();
        if let Incoming::KeyExchange(exchange) = incoming {
            self.check_identity(step, &exchange.identity_key)?;
        }
        if let Some(outcome) = self.with_skipped_key(step, message)? {
            return Ok(outcome);
        }
        match incoming {
            Incoming::Message(message) => self.with_any_session(step, message),
            Incoming::KeyExchange(exchange) => self.with_key_exchange(step, exchange, rng),
        }
    }

    fn check_identity(&self, step: &Step<'_>, found: &IdentityKey) -> Result<(), Stop> {
        match step.device(&self.sender)? {
            Some(known) if !known.identity.matches(found) => {
                Err(Stop::Outcome(Outcome::IdentityChanged {
                    known: known.identity.fingerprint(),
                    found: found.fingerprint(),
                }))
            }
            _ => Ok(()),
        }
    }

    /// A message that was passed over before.
    fn with_skipped_key(
        &self,
        step: &mut Step<'_>,
        message: &RatchetMessage,
    ) -> Result<Option<Outcome>, Stop> {
        let row = skipped_key(&self.sender, self.version(), message);
        let Some(skipped) = step.read::<SkippedKey>(&row)? else {
            return Ok(None);
        };
        let key_material = skipped.decrypt(&self.parties, message)?;
        let identity = skipped.their_identity;
        let plaintext = self.open(&key_material)?;
        step.delete(row);
        let mut index = step.skipped_keys(&self.sender, self.version())?;
        index.remove(&message.dh_pub, message.n);
        self.put_index(step, index);
        self.outcome(step, plaintext, &identity).map(Some)
    }

    /// A message without a key exchange: of the current session, else of an archived one.
    fn with_any_session(
        &self,
        step: &mut Step<'_>,
        message: &RatchetMessage,
    ) -> Result<Outcome, Stop> {
        let Some(session) = step.session(&self.sender, self.version())?.cloned() else {
            return Err(Outcome::NoSession.into());
        };
        let old_chains = self.old_chains_for(step, &session, message)?;
        let failure = match session.decrypt(&self.parties, &old_chains, message) {
            Ok(decrypted) => return self.keep(step, decrypted, Place::Current),
            Err(failure) => failure,
        };
        // A session that knows the chain is the one that it belongs to.
        if session.knows(&old_chains, &message.dh_pub) {
            return Err(failure.into());
        }
        let archive = step.archived_sessions(&self.sender, self.version())?;
        for (index, archived) in archive.sessions.iter().enumerate() {
            let (session, old_chains) = (&archived.session, &archived.old_chains);
            match session.decrypt(&self.parties, old_chains, message) {
                Ok(decrypted) => {
                    let place = Place::Archived(index, archive.clone());
                    return self.keep(step, decrypted, place);
                }
                Err(failure) if session.knows(old_chains, &message.dh_pub) => {
                    return Err(failure.into());
                }
                Err(_) => {}
            }
        }
        Err(failure.into())
    }

    /// The old chains of the current session, unless the message is of its present chain: that is the ordinary
    /// case, and spares a row.
    fn old_chains_for(
        &self,
        step: &Step<'_>,
        session: &Session,
        message: &RatchetMessage,
    ) -> Result<OldChains, StepError> {
        if session.knows(&OldChains::default(), &message.dh_pub) {
            return Ok(OldChains::default());
        }
        let [_, old_chains, _] = store_session::rows(&self.sender, self.version());
        step.require([old_chains, self.skipped_index()])?;
        step.old_chains(&self.sender, self.version())
    }

    /// A message with a key exchange: of the session that it made, or of one that it makes now.
    fn with_key_exchange(
        &self,
        step: &mut Step<'_>,
        exchange: &KeyExchange,
        rng: &mut impl CryptoRng,
    ) -> Result<Outcome, Stop> {
        let made = |session: &Session| {
            session.role == crate::profile::Role::Responder
                && session.exchange == ExchangeId::of(exchange)
                && session.their_identity.matches(&exchange.identity_key)
        };
        if let Some(session) = step.session(&self.sender, self.version())?.cloned() {
            if made(&session) {
                let message = &exchange.message;
                let old_chains = self.old_chains_for(step, &session, message)?;
                let decrypted = session.decrypt(&self.parties, &old_chains, message)?;
                return self.keep(step, decrypted, Place::Current);
            }
            let archive = step.archived_sessions(&self.sender, self.version())?;
            let found = archive
                .sessions
                .iter()
                .enumerate()
                .find(|(_, archived)| made(&archived.session));
            if let Some((index, archived)) = found {
                let decrypted = archived.session.decrypt(
                    &self.parties,
                    &archived.old_chains,
                    &exchange.message,
                )?;
                return self.keep(step, decrypted, Place::Archived(index, archive.clone()));
            }
        }
        self.accept(step, exchange, rng)
    }

    /// Makes a session from a key exchange and decrypts its first message.
    fn accept(
        &self,
        step: &mut Step<'_>,
        exchange: &KeyExchange,
        rng: &mut impl CryptoRng,
    ) -> Result<Outcome, Stop> {
        let version = self.version();
        let (signed_pre_key, pre_key) = self.our_keys(step, exchange)?;
        let labels = self.parties.profile.labels();
        let secret = OurKeys {
            identity: &step.account()?.identity,
            signed_pre_key: &signed_pre_key,
            pre_key: &pre_key,
        }
        .accept(
            &labels,
            &TheirExchange {
                identity: &exchange.identity_key,
                ephemeral: &exchange.ephemeral_key,
            },
        )
        // The parser refuses points of small order; should one come through, it authenticates nothing.
        .map_err(|_| Outcome::BadMac)?;
        let accepting = Accepting::new(secret, signed_pre_key.into());
        let decrypted = Session::accept(&self.parties, &accepting, exchange, self.context.now)?;
        let identity = exchange.identity_key;
        let plaintext = self.open(&decrypted.key_material)?;
        // Everything below is authentic.
        self.keep_skipped(step, &decrypted)?;
        store_session::replace(
            step,
            &self.sender,
            version,
            decrypted.session,
            OldChains::default(),
        )?;
        pre_keys::use_pre_key(
            step,
            version,
            exchange.pre_key_id,
            self.context.catch_up,
            rng,
        )?;
        step.see_identity(&self.sender, &identity, self.context.now)?;
        step.tell(Event::SessionAccepted {
            address: self.sender.clone(),
            version,
        });
        step.act(Action::SendEmpty {
            to: self.sender.clone(),
            version,
            reason: EmptyReason::KeyExchangeAnswer,
        });
        self.outcome(step, plaintext, &identity)
    }

    fn our_keys(
        &self,
        step: &Step<'_>,
        exchange: &KeyExchange,
    ) -> Result<(SignedPreKeyPair, PreKeyPair), Stop> {
        let version = self.version();
        let id = exchange.signed_pre_key_id;
        let signed = step
            .read::<SignedPreKeyRecord>(&RecordKey::SignedPreKey { version, id })?
            .ok_or(Outcome::UnknownSignedPreKey { id })?;
        let id = exchange.pre_key_id;
        let pre_key = step
            .read::<PreKeyRecord>(&RecordKey::PreKey { version, id })?
            .ok_or(Outcome::UnknownPreKey { id })?;
        Ok((signed.pair.clone(), pre_key.pair.clone()))
    }

    /// Stores a session after a message of it.
    fn keep(
        &self,
        step: &mut Step<'_>,
        decrypted: Decrypted,
        place: Place,
    ) -> Result<Outcome, Stop> {
        let version = self.version();
        let plaintext = self.open(&decrypted.key_material)?;
        self.keep_skipped(step, &decrypted)?;
        if decrypted.heartbeat {
            step.act(Action::SendEmpty {
                to: self.sender.clone(),
                version,
                reason: EmptyReason::Heartbeat,
            });
        }
        let identity = decrypted.session.their_identity;
        match place {
            Place::Current => {
                let [session_key, chains_key, _] = store_session::rows(&self.sender, version);
                if let Some(old_chains) = decrypted.old_chains {
                    step.put(chains_key, old_chains);
                }
                step.put(session_key, decrypted.session);
            }
            Place::Archived(index, archive) => {
                let old_chains = decrypted.old_chains.unwrap_or_else(|| {
                    archive
                        .sessions
                        .get(index)
                        .map(|archived| archived.old_chains.clone())
                        .unwrap_or_default()
                });
                store_session::promote(
                    step,
                    &self.sender,
                    version,
                    index,
                    decrypted.session,
                    old_chains,
                )?;
            }
        }
        self.outcome(step, plaintext, &identity)
    }

    /// Stores the keys of messages passed over, and throws the oldest away if there are too many.
    fn keep_skipped(&self, step: &mut Step<'_>, decrypted: &Decrypted) -> Result<(), Stop> {
        if decrypted.skipped.iter().all(|(_, keys)| keys.is_empty()) {
            return Ok(());
        }
        let version = self.version();
        let mut index = step.skipped_keys(&self.sender, version)?;
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
        let evicted = index.evict_to(MAX_SKIPPED_KEYS);
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

    fn skipped_index(&self) -> RecordKey {
        RecordKey::SkippedKeys {
            address: self.sender.clone(),
            version: self.version(),
        }
    }

    fn put_index(&self, step: &mut Step<'_>, index: crate::session::SkippedKeys) {
        let key = self.skipped_index();
        if index.is_empty() {
            step.delete(key);
        } else {
            step.put(key, index);
        }
    }

    fn open(&self, key_material: &[u8]) -> Result<Option<Plaintext>, OpenError> {
        let iv = self.message.iv.as_deref();
        let payload = self.message.payload.as_deref();
        let plaintext = self
            .parties
            .profile
            .open_payload(key_material, iv, payload)?;
        Ok(plaintext.map(Plaintext::new))
    }

    fn outcome(
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
