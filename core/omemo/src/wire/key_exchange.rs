//! A message that makes a session.

use super::RatchetMessage;
use crate::{IdentityKey, PublicKey};

/// What a key exchange of either protocol says, parsed. omemo:2: `OMEMOKeyExchange`; legacy:
/// `PreKeySignalMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyExchange {
    /// Our prekey that the sender used.
    pub(crate) pre_key_id: u32,
    /// Our signed prekey that the sender used.
    pub(crate) signed_pre_key_id: u32,
    /// The sender's identity key.
    pub(crate) identity_key: IdentityKey,
    /// The sender's ephemeral key.
    pub(crate) ephemeral_key: PublicKey,
    /// The message that came with it.
    pub(crate) message: RatchetMessage,
}

/// What a `<key/>` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A message of an existing session.
    Message(RatchetMessage),
    /// A message that makes a session, if that is not made yet.
    KeyExchange(Box<KeyExchange>),
}

impl Incoming {
    pub(crate) const fn message(&self) -> &RatchetMessage {
        match self {
            Self::Message(message) => message,
            Self::KeyExchange(exchange) => &exchange.message,
        }
    }

    pub(crate) const fn is_key_exchange(&self) -> bool {
        matches!(self, Self::KeyExchange(_))
    }
}
