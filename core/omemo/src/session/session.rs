//! A session with one device over one protocol.

use eft_types::Timestamp;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::double_ratchet::{ReachError, Reached};
use super::message_key::MessageError;
use super::receiver_chain::{AdvanceError, Skipped};
use super::{
    Accepting, DoubleRatchet, MessageKey, OldChains, ReceiverChain, SkippedKey, TURN, Work,
};
use crate::limits::HEARTBEAT_COUNTER;
use crate::profile::{Direction, OutgoingKeyExchange, Profile, Role};
use crate::wire::{KeyExchange, RatchetMessage};
use crate::{IdentityKey, PublicKey};

/// The record of a session: all that an encrypt changes, and nothing that grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) role: Role,
    pub(crate) their_identity: IdentityKey,
    pub(crate) exchange: ExchangeId,
    /// Whether the peer has sent anything over it. Until then every message of the initiator carries the
    /// key exchange.
    pub(crate) answered: bool,
    pub(crate) ratchet: DoubleRatchet,
    #[serde(with = "crate::record::timestamp")]
    pub(crate) made_at: Timestamp,
}

/// Which key exchange made a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExchangeId {
    pub(crate) ephemeral_key: PublicKey,
    pub(crate) pre_key_id: u32,
    pub(crate) signed_pre_key_id: u32,
}

impl ExchangeId {
    pub(crate) const fn of(exchange: &KeyExchange) -> Self {
        Self {
            ephemeral_key: exchange.ephemeral_key,
            pre_key_id: exchange.pre_key_id,
            signed_pre_key_id: exchange.signed_pre_key_id,
        }
    }
}

/// What stays the same for every message of a step.
#[derive(Clone, Copy)]
pub(crate) struct Parties<'a> {
    pub(crate) profile: &'a dyn Profile,
    pub(crate) our_identity: &'a IdentityKey,
    /// Our device id, for legacy's registration id.
    pub(crate) device: u32,
    /// What the message may still cost.
    pub(crate) work: &'a Work,
}

/// A session after a message.
pub(crate) struct Decrypted {
    pub(crate) session: Session,
    pub(crate) key_material: Zeroizing<Vec<u8>>,
    /// Keys passed over, chain by chain, in the order of their numbers.
    pub(crate) skipped: Vec<(PublicKey, Vec<(u32, MessageKey)>)>,
    /// `None` if they did not change.
    pub(crate) old_chains: Option<OldChains>,
    /// Whether this message asks for a heartbeat. The session has noted it as sent.
    pub(crate) heartbeat: bool,
    /// Whether it is of a chain that the peer has left since.
    pub(crate) late: bool,
    /// Whether it began a chain: the peer has turned its ratchet.
    pub(crate) turned: bool,
}

/// Why a session does not decrypt a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecryptError {
    /// It has been decrypted, or its key has been thrown away.
    Duplicate,
    /// Not authentic as far as this session can tell.
    BadMac,
    /// Authentic, with broken padding.
    Padding,
    /// Too far ahead.
    SkippedTooMany { got: u32, max: u32 },
    /// It has cost too much already, with other keys and sessions.
    TooMuchWork,
}

impl From<MessageError> for DecryptError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::BadMac => Self::BadMac,
            MessageError::Padding => Self::Padding,
        }
    }
}

fn reach_error(error: ReachError, max: u32) -> DecryptError {
    match error {
        ReachError::UnknownChain => DecryptError::BadMac,
        ReachError::Chain(AdvanceError::Past) => DecryptError::Duplicate,
        ReachError::Chain(AdvanceError::TooFar { got }) => {
            DecryptError::SkippedTooMany { got, max }
        }
    }
}

impl Parties<'_> {
    /// `AD` for messages with this peer. Empty if a key is not known in the form that the version needs,
    /// which cannot be: sessions are made from keys in that form.
    fn associated_data(&self, role: Role, direction: Direction, theirs: &IdentityKey) -> Vec<u8> {
        let ours = self.profile.encode_identity(self.our_identity);
        let theirs = self.profile.encode_identity(theirs);
        self.profile.associated_data(
            role,
            direction,
            &ours.unwrap_or_default(),
            &theirs.unwrap_or_default(),
        )
    }
}

fn afford(parties: &Parties<'_>, turns: u32, steps: u32) -> Result<(), DecryptError> {
    // What lies too far ahead is refused before a step is taken.
    let steps = if steps > parties.profile.max_skip() {
        0
    } else {
        steps
    };
    if parties.work.spend(turns.saturating_add(steps)) {
        Ok(())
    } else {
        Err(DecryptError::TooMuchWork)
    }
}

impl SkippedKey {
    /// Decrypts the message that the key was kept for.
    pub(crate) fn decrypt(
        &self,
        parties: &Parties<'_>,
        message: &RatchetMessage,
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let ad = parties.associated_data(self.role, Direction::Received, &self.their_identity);
        Ok(self.key.open(parties.profile, &ad, message)?)
    }
}

impl Session {
    /// Takes from the work that a message may cost what it costs to accept its key exchange: four agreements, a turn,
    /// and the steps.
    pub(crate) fn afford_accepting(
        parties: &Parties<'_>,
        exchange: &KeyExchange,
    ) -> Result<(), DecryptError> {
        afford(parties, 5 * TURN, exchange.message.n)
    }

    /// A session that a key exchange of the peer makes, with its first message.
    pub(crate) fn accept(
        parties: &Parties<'_>,
        accepting: &Accepting,
        exchange: &KeyExchange,
        now: Timestamp,
    ) -> Result<Decrypted, DecryptError> {
        let max = parties.profile.max_skip();
        let message = &exchange.message;
        let reached = accepting
            .reach(&parties.profile.labels(), &message.dh_pub, message.n, max)
            .map_err(|error| reach_error(error, max))?;
        let ad =
            parties.associated_data(Role::Responder, Direction::Received, &exchange.identity_key);
        let key_material = reached.key.open(parties.profile, &ad, message)?;
        let session = Self {
            role: Role::Responder,
            their_identity: exchange.identity_key,
            exchange: ExchangeId::of(exchange),
            answered: true,
            ratchet: reached.ratchet,
            made_at: now,
        };
        Ok(session.decrypted(message, key_material, &reached.skipped, None, Vec::new()))
    }

    /// The same session, for reading only.
    pub(crate) fn retired(self) -> Self {
        Self {
            ratchet: self.ratchet.retired(),
            ..self
        }
    }

    /// Whether the peer has been seen to send under a ratchet key in this session.
    pub(crate) fn knows(&self, old_chains: &OldChains, dh_pub: &PublicKey) -> bool {
        let present = self.ratchet.receiver();
        present.is_some_and(|chain| chain.dh_pub == *dh_pub) || old_chains.find(dh_pub).is_some()
    }

    /// Decrypts a message, on copies. `old_chains` are those of this session.
    pub(crate) fn decrypt(
        &self,
        parties: &Parties<'_>,
        old_chains: &OldChains,
        message: &RatchetMessage,
    ) -> Result<Decrypted, DecryptError> {
        let max = parties.profile.max_skip();
        let ad = parties.associated_data(self.role, Direction::Received, &self.their_identity);
        self.afford(parties, old_chains, message)?;
        if let Some(chain) = old_chains.find(&message.dh_pub) {
            return self.decrypt_late(parties, &ad, (chain, old_chains), message);
        }
        let Reached {
            ratchet,
            key,
            skipped,
            left,
        } = self
            .ratchet
            .reach(&parties.profile.labels(), &message.dh_pub, message.n, max)
            .map_err(|error| reach_error(error, max))?;
        let key_material = key.open(parties.profile, &ad, message)?;
        // Everything below is authentic.
        let mut earlier = Vec::new();
        let old_chains = left.map(|chain| {
            let mut old_chains = old_chains.clone();
            old_chains.push(match chain.skip_to(message.pn, max) {
                Ok((ended, skipped)) => {
                    earlier.push((ended.dh_pub, skipped));
                    ended
                }
                // The sender says that too many messages are missing, or counts as libsignal does. The chain
                // itself still reaches them.
                Err(_) => chain,
            });
            old_chains
        });
        let session = Self {
            ratchet,
            answered: true,
            ..self.clone()
        };
        let turned = !self.knows(&OldChains::default(), &message.dh_pub);
        Ok(Decrypted {
            turned,
            ..session.decrypted(message, key_material, &skipped, old_chains, earlier)
        })
    }

    /// Takes from the work that the message may cost what it costs to try it here.
    fn afford(
        &self,
        parties: &Parties<'_>,
        old_chains: &OldChains,
        message: &RatchetMessage,
    ) -> Result<(), DecryptError> {
        let present = self.ratchet.receiver();
        let chain = present
            .filter(|chain| chain.dh_pub == message.dh_pub)
            .or_else(|| old_chains.find(&message.dh_pub));
        match (chain, &self.ratchet) {
            (Some(chain), _) => afford(parties, 0, message.n.saturating_sub(chain.n())),
            (None, DoubleRatchet::Sending(_)) => afford(parties, TURN, message.n),
            (None, DoubleRatchet::Receiving(_)) => Ok(()),
        }
    }

    /// Decrypts a message of a chain that the peer has left.
    fn decrypt_late(
        &self,
        parties: &Parties<'_>,
        ad: &[u8],
        (chain, old_chains): (&ReceiverChain, &OldChains),
        message: &RatchetMessage,
    ) -> Result<Decrypted, DecryptError> {
        let max = parties.profile.max_skip();
        let advanced = chain
            .advance_to(message.n, max)
            .map_err(|error| reach_error(ReachError::Chain(error), max))?;
        let key_material = advanced.key.open(parties.profile, ad, message)?;
        let mut old_chains = old_chains.clone();
        old_chains.replace(advanced.chain);
        Ok(Decrypted {
            session: self.clone(),
            key_material,
            skipped: vec![(message.dh_pub, advanced.skipped.keys())],
            old_chains: Some(old_chains),
            // The ratchet has turned since.
            heartbeat: false,
            late: true,
            turned: false,
        })
    }

    fn decrypted(
        mut self,
        message: &RatchetMessage,
        key_material: Zeroizing<Vec<u8>>,
        skipped: &Skipped,
        old_chains: Option<OldChains>,
        mut earlier: Vec<(PublicKey, Vec<(u32, MessageKey)>)>,
    ) -> Decrypted {
        let heartbeat = match self.ratchet.receiver_mut() {
            Some(chain) if message.n >= HEARTBEAT_COUNTER && !chain.heartbeat_sent => {
                chain.heartbeat_sent = true;
                true
            }
            _ => false,
        };
        earlier.push((message.dh_pub, skipped.keys()));
        Decrypted {
            session: self,
            key_material,
            skipped: earlier,
            old_chains,
            heartbeat,
            late: false,
            turned: true,
        }
    }

    /// Encrypts key material, on a copy. Returns the session behind it, the data for the device, and whether
    /// that carries the key exchange. `None` when the chain is used up.
    pub(crate) fn encrypt(
        &self,
        parties: &Parties<'_>,
        key_material: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<(Self, Vec<u8>, bool)> {
        let profile = parties.profile;
        // The only Diffie-Hellman here is with a key that gave a contributory one when it was received.
        let (ratchet, header, key) = self.ratchet.advance(&profile.labels(), rng).ok()??;
        let ad = parties.associated_data(self.role, Direction::Sent, &self.their_identity);
        let sealed = key.seal(profile, &ad, &header, key_material);
        let session = Self {
            ratchet,
            ..self.clone()
        };
        if self.answered {
            return Some((session, sealed, false));
        }
        let identity_key = profile.encode_identity(parties.our_identity)?;
        let exchange = OutgoingKeyExchange {
            pre_key_id: self.exchange.pre_key_id,
            signed_pre_key_id: self.exchange.signed_pre_key_id,
            identity_key: &identity_key,
            ephemeral_key: self.exchange.ephemeral_key,
            device: parties.device,
        };
        Some((session, profile.seal_key_exchange(&exchange, &sealed), true))
    }
}
