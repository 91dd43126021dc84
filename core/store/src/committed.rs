//! What a commit did.

use eft_types::MessageId;

use crate::batch::{NewMessageRef, NewOutboxRef};
use crate::model::OutboxId;

/// What became of a message that a batch inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// It has a new row: tell the user.
    Inserted(MessageId),
    /// It is known: stay silent. The archive's id and place of this copy were given to the row if
    /// the row had none.
    Duplicate(MessageId),
    /// The row that is known could not be read, and this copy could: tell the user.
    Improved(MessageId),
    /// One failure too many of its sender on that day: counted in the row named.
    Folded(MessageId),
}

impl Insertion {
    /// The row that holds the message now.
    #[must_use]
    pub const fn id(self) -> MessageId {
        match self {
            Self::Inserted(id) | Self::Duplicate(id) | Self::Improved(id) | Self::Folded(id) => id,
        }
    }

    /// Whether the user has something new to see.
    #[must_use]
    pub const fn is_news(self) -> bool {
        matches!(self, Self::Inserted(_) | Self::Improved(_))
    }
}

/// What a commit did. By now it is in the database; how safely, the
/// [`Durability`](crate::Durability) said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub(crate) messages: Vec<Insertion>,
    pub(crate) outbox: Vec<Option<OutboxId>>,
    pub(crate) updated: Vec<MessageId>,
}

impl Committed {
    /// What became of each inserted message, in the order of insertion.
    #[must_use]
    pub fn messages(&self) -> &[Insertion] {
        &self.messages
    }

    /// What became of one inserted message; `None` for a reference of another batch.
    #[must_use]
    pub fn message(&self, message: NewMessageRef) -> Option<Insertion> {
        self.messages.get(message.0).copied()
    }

    /// Row of a new outbox entry. `None` if the entry was dropped because its message was a
    /// duplicate, and for a reference of another batch.
    #[must_use]
    pub fn outbox_entry(&self, entry: NewOutboxRef) -> Option<OutboxId> {
        self.outbox.get(entry.0).copied().flatten()
    }

    /// Messages of earlier commits that an update really changed, each once, oldest row first.
    #[must_use]
    pub fn updated(&self) -> &[MessageId] {
        &self.updated
    }
}
