//! What a process without the lease leaves for its holder.

use core::fmt;

use eft_types::{BareJid, MessageId, OriginId, Timestamp};

use super::{ConversationRef, Opaque, Plaintext, stable_codes};

/// Row of the intake. Ids grow in the order of appending and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntakeId(i64);

impl IntakeId {
    /// From the store's row id.
    #[must_use]
    pub const fn from_row(row: i64) -> Self {
        Self(row)
    }

    /// The store's row id.
    #[must_use]
    pub const fn as_row(self) -> i64 {
        self.0
    }
}

impl fmt::Display for IntakeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What any process may append, with or without the lease (law 6): a share sheet, a quick reply of a
/// notification. It touches no ratchet; the holder turns it into messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intake {
    /// A text to send.
    Text {
        /// Where to.
        conversation: ConversationRef,
        /// The message's id from the start, so that the process that appended it can find it later.
        origin_id: OriginId,
        /// What to send.
        plaintext: Plaintext,
    },
    /// A file to send, as the client describes it: where its bytes are, what it is.
    File {
        /// Where to.
        conversation: ConversationRef,
        /// The message's id from the start.
        origin_id: OriginId,
        /// The client's description.
        description: Opaque,
    },
    /// The user has read a conversation up to a message.
    ReadMark {
        /// Whose conversation.
        peer: BareJid,
        /// The last message read.
        up_to: MessageId,
    },
}

/// Number of an [`Intake`]'s kind in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntakeKind {
    Text,
    File,
    ReadMark,
}

stable_codes!(IntakeKind {
    Text = 1,
    File = 2,
    ReadMark = 3,
});

/// An entry of the intake as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntakeEntry {
    /// Its id, and its place in the order.
    pub id: IntakeId,
    /// What was asked for.
    pub intake: Intake,
    /// When it was appended.
    pub queued: Timestamp,
}
