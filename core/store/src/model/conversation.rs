//! Conversations: a contact or a room.

use eft_types::{BareJid, Timestamp};

use super::{Message, stable_codes};

/// With whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    /// One contact (RFC 6121).
    Direct,
    /// A room (XEP-0045).
    Room,
}

stable_codes!(ConversationKind { Direct = 1, Room = 2 });

/// Names a conversation. The row is made when first needed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConversationRef {
    /// The contact's or the room's address.
    pub peer: BareJid,
    /// Contact or room. Fixed by the first mention.
    pub kind: ConversationKind,
}

impl ConversationRef {
    /// A conversation with one contact.
    #[must_use]
    pub const fn direct(peer: BareJid) -> Self {
        Self {
            peer,
            kind: ConversationKind::Direct,
        }
    }

    /// A room.
    #[must_use]
    pub const fn room(room: BareJid) -> Self {
        Self {
            peer: room,
            kind: ConversationKind::Room,
        }
    }
}

/// Whether a conversation is encrypted, and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConversationEncryption {
    /// Nobody decided: the account's default holds.
    Undecided,
    /// Encrypted, and it stays so: no event from outside leads back.
    Required,
    /// The user switched it off for this conversation.
    OffByUser,
}

stable_codes!(ConversationEncryption {
    Undecided = 0,
    Required = 1,
    OffByUser = 2,
});

/// A contact's wish to go on without encryption (XEP-0384 §5.9), not yet answered by the user.
#[derive(Clone, PartialEq, Eq)]
pub struct OptOut {
    /// When it came.
    pub at: Timestamp,
    /// What the contact gave as the reason. Came encrypted: content.
    pub reason: Option<String>,
}

impl core::fmt::Debug for OptOut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OptOut")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A conversation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The contact's or the room's address.
    pub peer: BareJid,
    /// Contact or room.
    pub kind: ConversationKind,
    /// Encryption of what we send.
    pub encryption: ConversationEncryption,
    /// The contact's wish that the user has to answer before anything is sent.
    pub opt_out: Option<OptOut>,
    /// Whether the two OMEMO versions go in stanzas of their own.
    pub separate_versions: bool,
    /// When it was first mentioned.
    pub created: Timestamp,
}

/// A line of the conversation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The conversation.
    pub conversation: Conversation,
    /// Incoming messages not yet marked read.
    pub unread_count: u32,
    /// Newest message in timeline order.
    pub last_message: Option<Message>,
}
