//! Making a session.

use eft_types::Timestamp;
use rand_core::CryptoRng;

use super::{Step, store_session};
use crate::key::{EphemeralKeyPair, RatchetKeyPair};
use crate::profile::Role;
use crate::session::{DoubleRatchet, ExchangeId, OldChains, Session};
use crate::x3dh::{OurExchange, TheirKeys};
use crate::{Effects, Event, InitiateError, RecordKey, Records, StepError, VerifiedBundle};

/// Makes a session with the device that a bundle belongs to. A session that exists is archived, so that
/// messages under way over it can still be decrypted.
///
/// Do this just before the first send, for an action [`BuildSession`](crate::Action::BuildSession), or because
/// the user asks for a new session; never because of a message that could not be decrypted (XEP-0384 §8,
/// MUST NOT).
///
/// # Errors
/// [`InitiateError`].
pub fn initiate(
    records: &Records,
    bundle: &VerifiedBundle,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Effects, InitiateError> {
    let mut step = Step::new(records);
    let (address, version) = (bundle.address(), bundle.version());
    let own_and_theirs = [
        RecordKey::Account,
        RecordKey::Device(address.clone()),
        RecordKey::Trust(address.jid.clone()),
    ];
    let sessions = store_session::rows(address, version);
    step.require(own_and_theirs.into_iter().chain(sessions))?;
    if step.own_address()? == *address {
        return Err(InitiateError::OwnDevice);
    }
    let known = step.device(address)?;
    if let Some(known) = known.filter(|known| !known.identity.matches(bundle.identity_key())) {
        return Err(InitiateError::IdentityChanged {
            address: address.clone(),
            known: known.identity.fingerprint(),
            found: bundle.identity_key().fingerprint(),
        });
    }
    let session = new_session(&step, bundle, now, rng)?;
    store_session::replace(&mut step, address, version, session, OldChains::default())?;
    step.see_identity(address, bundle.identity_key(), now)?;
    step.tell(Event::SessionInitiated {
        address: address.clone(),
        version,
    });
    Ok(step.into_effects())
}

fn new_session(
    step: &Step<'_>,
    bundle: &VerifiedBundle,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Session, InitiateError> {
    let labels = bundle.version().profile().labels();
    let (signed_pre_key_id, signed_pre_key) = bundle.signed_pre_key();
    // A verified bundle holds at least one prekey.
    let spent = spent_pre_keys(step, bundle)?;
    let (pre_key_id, pre_key) = bundle
        .random_pre_key(&spent, rng)
        .ok_or(InitiateError::SmallOrder)?;
    let ephemeral = EphemeralKeyPair::generate(rng);
    let ours = OurExchange {
        identity: &step.account()?.identity,
        ephemeral: &ephemeral,
    };
    let theirs = TheirKeys {
        identity: bundle.identity_key(),
        signed_pre_key: &signed_pre_key,
        pre_key: &pre_key,
    };
    let ratchet = ours
        .initiate(&labels, &theirs)
        .and_then(|secret| {
            DoubleRatchet::initiate(
                &labels,
                &secret,
                RatchetKeyPair::generate(rng),
                &signed_pre_key,
            )
        })
        .map_err(|_| InitiateError::SmallOrder)?;
    Ok(Session {
        role: Role::Initiator,
        their_identity: *bundle.identity_key(),
        exchange: ExchangeId {
            ephemeral_key: ephemeral.public(),
            pre_key_id,
            signed_pre_key_id,
        },
        answered: false,
        ratchet,
        made_at: now,
    })
}

/// Prekeys of exchanges that the peer has not answered: if one arrives, the key is gone.
fn spent_pre_keys(step: &Step<'_>, bundle: &VerifiedBundle) -> Result<Vec<u32>, StepError> {
    let (address, version) = (bundle.address(), bundle.version());
    let archive = step.archived_sessions(address, version)?;
    let archived = archive.sessions.iter().map(|archived| &archived.session);
    Ok(step
        .session(address, version)?
        .into_iter()
        .chain(archived)
        .filter(|session| session.role == Role::Initiator && !session.answered)
        .map(|session| session.exchange.pre_key_id)
        .collect())
}
