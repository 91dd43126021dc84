//! What a stanza, or one element of it, turned out to be.

use eft_omemo::Version;
use eft_store::{
    Content, MessageEncryption, Opaque, Plaintext, SenderTrust, Unreadable, UnreadableCause,
};
use eft_types::DeviceId;

use crate::pump::pending::Position;
use crate::translate::encrypted;

/// What a stanza, or one element of it, turned out to be.
pub(super) enum Found {
    /// Nothing to keep: a control message, or not for us.
    Nothing,
    /// Read before.
    Duplicate,
    /// Read, and nothing of it belongs in a timeline.
    Transient,
    /// A message, readable or not.
    Message(Read),
}

impl Found {
    /// Of two elements of one stanza: text before anything; what was read before needs no row for
    /// the other element's failure; a real failure before "not for us".
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Message(read) => match &read.content {
                Content::Unreadable(unreadable)
                    if unreadable.cause == UnreadableCause::NotForThisDevice =>
                {
                    1
                }
                Content::Unreadable(_) => 2,
                Content::Readable(_) => 4,
            },
            Self::Duplicate | Self::Transient => 3,
        }
    }
}

/// A message that is to become a row.
pub(super) struct Read {
    pub(super) encryption: MessageEncryption,
    pub(super) device: Option<DeviceId>,
    /// The identity key that authenticated it.
    pub(super) key: Option<[u8; 32]>,
    /// What is thought of that key.
    pub(super) trust: Option<SenderTrust>,
    /// Where it stands in its chain, if it has to wait for others of it.
    pub(super) position: Option<Position>,
    pub(super) content: Content,
}

impl Read {
    pub(super) fn unreadable(
        version: Version,
        device: Option<DeviceId>,
        unreadable: Unreadable,
    ) -> Self {
        Self {
            encryption: encrypted::encryption(version),
            device,
            key: None,
            trust: None,
            position: None,
            content: Content::Unreadable(unreadable),
        }
    }

    pub(super) fn text(
        version: Version,
        device: Option<DeviceId>,
        text: String,
        payload: Option<Opaque>,
    ) -> Self {
        Self {
            encryption: encrypted::encryption(version),
            device,
            key: None,
            trust: None,
            position: None,
            content: Content::Readable(Plaintext { text, payload }),
        }
    }
}
