//! A session that a message makes.

use rand_core::CryptoRng;

use super::reception::Reception;
use super::stop::Stop;
use crate::engine::{Step, pre_keys, store_session};
use crate::key::{PreKeyPair, SignedPreKeyPair};
use crate::record::{PreKeyRecord, SignedPreKeyRecord};
use crate::session::{Accepting, OldChains, Session};
use crate::wire::KeyExchange;
use crate::x3dh::{OurKeys, TheirExchange};
use crate::{Action, EmptyReason, Event, Outcome, RecordKey};

impl Reception<'_> {
    /// Makes a session from a key exchange and decrypts its first message.
    pub(super) fn accept(
        &self,
        step: &mut Step<'_>,
        exchange: &KeyExchange,
        rng: &mut impl CryptoRng,
    ) -> Result<Outcome, Stop> {
        let version = self.version();
        let (signed_pre_key, pre_key) = self.our_keys(step, exchange)?;
        Session::afford_accepting(&self.parties, exchange)?;
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
        self.note_as_seen(step, &exchange.message)?;
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
}
