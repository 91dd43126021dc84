//! Messages.

use core::fmt;

use eft_types::{DeviceId, Jid, MessageId, OriginId, Timestamp};

use super::{
    ArchiveId, ConversationRef, DeliveryState, Opaque, Place, TimelineKey, Unreadable, stable_codes,
};

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Somebody else.
    Incoming,
    /// We, on this device or another of ours.
    Outgoing,
}

stable_codes!(Direction { Incoming = 1, Outgoing = 2 });

/// How a message was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageEncryption {
    /// Not at all.
    None,
    /// Legacy OMEMO (`eu.siacs.conversations.axolotl`).
    Legacy,
    /// OMEMO 0.8 and later (`urn:xmpp:omemo:2`).
    Omemo2,
    /// Another method, recognised and not spoken.
    Foreign,
}

stable_codes!(MessageEncryption {
    None = 0,
    Legacy = 1,
    Omemo2 = 2,
    Foreign = 3,
});

/// What was thought of the identity key that authenticated a message, when it did. What is thought of it today
/// is asked of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderTrust {
    /// Nobody had decided about it.
    Undecided,
    /// Trusted because it came first: no key of its account was authenticated.
    BlindlyTrusted,
    /// Trusted because the user said so without comparing anything, which does not authenticate it.
    Consented,
    /// Compared with what its owner holds, directly or through a device for which that was done.
    Verified,
    /// Rejected.
    Distrusted,
}

stable_codes!(SenderTrust {
    Undecided = 1,
    BlindlyTrusted = 2,
    Consented = 3,
    Verified = 4,
    Distrusted = 5,
});

/// What a message says. `Debug` shows lengths only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Plaintext {
    /// The text for people.
    pub text: String,
    /// Everything else that the message carries (replies, files, markup), encoded by the caller.
    pub payload: Option<Opaque>,
}

impl Plaintext {
    /// Text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            payload: None,
        }
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext")
            .field("text_bytes", &self.text.len())
            .field("payload", &self.payload)
            .finish()
    }
}

/// What came out of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It can be read.
    Readable(Plaintext),
    /// It cannot, or not yet.
    Unreadable(Unreadable),
}

impl Content {
    /// Whether it can be read.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        matches!(self, Self::Readable(_))
    }
}

/// A message to be inserted. Made by [`NewMessage::incoming`] or [`NewMessage::outgoing`]; set the
/// other fields as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Where it belongs.
    pub conversation: ConversationRef,
    /// Who wrote it, from our view.
    pub direction: Direction,
    /// The author: real bare address; in a room that hides it, the occupant's address. Together
    /// with the conversation it is the scope of `origin_id`.
    pub sender: Jid,
    /// The author's OMEMO device.
    pub sender_device: Option<DeviceId>,
    /// The identity key that authenticated it, Curve25519 form: what is thought of the message is
    /// what is thought of this key, today.
    pub sender_key: Option<[u8; 32]>,
    /// What is thought of that key now, on arrival. `None` if there is none.
    pub sender_trust: Option<SenderTrust>,
    /// The author's id for it.
    pub origin_id: Option<OriginId>,
    /// The archive's id for it.
    pub archive_id: Option<ArchiveId>,
    /// When the server took it (XEP-0203, XEP-0313); `None` for a live message without a stamp.
    /// Only from a server that may say so.
    pub server_time: Option<Timestamp>,
    /// When we took it, or wrote it.
    pub received: Timestamp,
    /// Where it stands in the conversation.
    pub place: Place,
    /// How it was protected.
    pub encryption: MessageEncryption,
    /// What came out.
    pub content: Content,
    /// Progress, for a message that this device sends. `None` for incoming ones.
    pub delivery: Option<DeliveryState>,
    /// Whether it counts as unread until it is marked read.
    pub unread: bool,
}

impl NewMessage {
    /// A message from somebody else: live, in the clear, unread, without ids.
    #[must_use]
    pub const fn incoming(
        conversation: ConversationRef,
        sender: Jid,
        content: Content,
        received: Timestamp,
    ) -> Self {
        Self {
            conversation,
            direction: Direction::Incoming,
            sender,
            sender_device: None,
            sender_key: None,
            sender_trust: None,
            origin_id: None,
            archive_id: None,
            server_time: None,
            received,
            place: Place::Provisional,
            encryption: MessageEncryption::None,
            content,
            delivery: None,
            unread: true,
        }
    }

    /// A message of our own, [`Queued`](DeliveryState::Queued), in the clear.
    #[must_use]
    pub const fn outgoing(
        conversation: ConversationRef,
        own: Jid,
        origin_id: OriginId,
        content: Plaintext,
        now: Timestamp,
    ) -> Self {
        Self {
            conversation,
            direction: Direction::Outgoing,
            sender: own,
            sender_device: None,
            sender_key: None,
            sender_trust: None,
            origin_id: Some(origin_id),
            archive_id: None,
            server_time: None,
            received: now,
            place: Place::Provisional,
            encryption: MessageEncryption::None,
            content: Content::Readable(content),
            delivery: Some(DeliveryState::Queued),
            unread: false,
        }
    }
}

/// A message as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its row.
    pub id: MessageId,
    /// Its position in the conversation, for paging.
    pub key: TimelineKey,
    /// Where it belongs.
    pub conversation: ConversationRef,
    /// Who wrote it, from our view.
    pub direction: Direction,
    /// The author; see [`NewMessage::sender`].
    pub sender: Jid,
    /// The author's OMEMO device.
    pub sender_device: Option<DeviceId>,
    /// The identity key that authenticated it; see [`NewMessage::sender_key`].
    pub sender_key: Option<[u8; 32]>,
    /// What was thought of that key on arrival. `None` if there is none, or if the message came before this was
    /// noted.
    pub sender_trust: Option<SenderTrust>,
    /// The author's id for it.
    pub origin_id: Option<OriginId>,
    /// The archive's id for it.
    pub archive_id: Option<ArchiveId>,
    /// When the server took it.
    pub server_time: Option<Timestamp>,
    /// When we took it, or wrote it.
    pub received: Timestamp,
    /// How it was protected.
    pub encryption: MessageEncryption,
    /// What came out.
    pub content: Content,
    /// Progress, for a message that this device sends.
    pub delivery: Option<DeliveryState>,
    /// Whether it waits to be read.
    pub unread: bool,
    /// For [`UnreadableCause::Folded`](super::UnreadableCause::Folded): how many failures it stands
    /// for. 0 otherwise.
    pub folded_count: u32,
}

impl Message {
    /// The time to show: the server's if known, else ours.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.server_time.unwrap_or(self.received)
    }
}
