//! Decrypting.
//!
//! | File | What |
//! |---|---|
//! | `reception` | which session a message belongs to |
//! | `accept` | a session that a message makes |
//! | `keep` | what is stored once a message is authentic |
//! | `stop` | why a message is not decrypted |

mod accept;
mod keep;
mod reception;
mod stop;

use eft_types::{DeviceAddress, Timestamp};
use rand_core::CryptoRng;

use self::reception::Reception;
use super::Step;
use crate::session::{Parties, Work};
use crate::wire::{Incoming, RatchetMessage};
use crate::{EncryptedMessage, Outcome, Received, RecordKey, Records, StepError, Version};

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
        RecordKey::SeenMessages {
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
            keys.push(RecordKey::SkippedKeys {
                address: sender.clone(),
                version,
            });
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
/// Source: XEP-0384 §4.5 and §5.6; Double Ratchet §3.5.
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
    let work = Work::for_one_message();
    let reception = Reception {
        records,
        message,
        sender,
        context,
        parties: Parties {
            profile: message.version.profile(),
            our_identity: &our_identity,
            device: own.device.as_u32(),
            work: &work,
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
        Outcome::Decrypted { .. } | Outcome::Empty { .. } => 12,
        Outcome::BadPayload => 11,
        Outcome::WouldEvict { .. } => 10,
        Outcome::Duplicate => 9,
        Outcome::KeyUsed => 8,
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
