//! Which session a message belongs to.

use eft_types::DeviceAddress;
use rand_core::CryptoRng;

use super::keep::Place;
use super::stop::Stop;
use super::{ReceiveContext, skipped_key};
use crate::engine::{Step, store_session};
use crate::profile::Role;
use crate::session::{ExchangeId, OldChains, Parties, Session, SkippedKey};
use crate::wire::{Incoming, KeyExchange, RatchetMessage};
use crate::{
    Action, EncryptedMessage, Event, IdentityKey, Outcome, Received, Records, StepError, Version,
};

/// One key of one message, and all that stays the same while it is tried.
pub(super) struct Reception<'a> {
    pub(super) records: &'a Records,
    pub(super) message: &'a EncryptedMessage,
    pub(super) sender: DeviceAddress,
    pub(super) context: ReceiveContext,
    pub(super) parties: Parties<'a>,
}

impl Reception<'_> {
    /// Tries one key. A failed try has no changes.
    pub(super) fn receive(
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
                let outcome = self.told_from_a_repetition(outcome, incoming.message())?;
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

    pub(super) const fn version(&self) -> Version {
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
            Outcome::KeyUsed => step.tell(Event::TwoRatchetsSeen {
                address: self.sender.clone(),
                version: self.version(),
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
        self.delete_skipped(step, message)?;
        self.note_as_seen(step, message)?;
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
            Ok(decrypted) => return self.keep(step, message, decrypted, Place::Current),
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
                    return self.keep(step, message, decrypted, place);
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
            session.role == Role::Responder
                && session.exchange == ExchangeId::of(exchange)
                && session.their_identity.matches(&exchange.identity_key)
        };
        if let Some(session) = step.session(&self.sender, self.version())?.cloned() {
            if made(&session) {
                let message = &exchange.message;
                let old_chains = self.old_chains_for(step, &session, message)?;
                let decrypted = session.decrypt(&self.parties, &old_chains, message)?;
                return self.keep(step, message, decrypted, Place::Current);
            }
            let archive = step.archived_sessions(&self.sender, self.version())?;
            let found = archive
                .sessions
                .iter()
                .enumerate()
                .find(|(_, archived)| made(&archived.session));
            if let Some((index, archived)) = found {
                let message = &exchange.message;
                let decrypted =
                    archived
                        .session
                        .decrypt(&self.parties, &archived.old_chains, message)?;
                let place = Place::Archived(index, archive.clone());
                return self.keep(step, message, decrypted, place);
            }
        }
        self.accept(step, exchange, rng)
    }
}
