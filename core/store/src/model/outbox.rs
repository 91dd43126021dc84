//! What waits to be sent, in order.

use core::fmt;

use eft_types::{BareJid, MessageId, Timestamp};

use super::Opaque;
use crate::batch::NewMessageRef;

/// Row of the outbox. Ids grow; the order of ids is the order of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(i64);

impl OutboxId {
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

impl fmt::Display for OutboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an outbox entry sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxContent {
    /// A message of an earlier commit (sent again, or queued without its bytes).
    Message(MessageId),
    /// A message of the same batch. Dropped if that message turns out to be a duplicate: it has
    /// its own entry already, or was sent.
    NewMessage(NewMessageRef),
    /// A stanza without a message row: a receipt, a marker, an empty OMEMO message, a chat state
    /// that must not get lost.
    Control,
}

/// A new outbox entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutboxEntry {
    /// What it sends.
    pub content: OutboxContent,
    /// The bytes on the wire, once they are fixed. An encrypted stanza has them from the commit
    /// that moved its ratchet: encrypting twice would use two message keys.
    pub stanza: Option<Opaque>,
    /// Whom it goes to, for entries that a conversation wants to find or drop.
    pub to: Option<BareJid>,
    /// When it was queued.
    pub queued: Timestamp,
}

/// An outbox entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its id, and its place in the order.
    pub id: OutboxId,
    /// The message it sends; `None` for a control stanza.
    pub message: Option<MessageId>,
    /// The bytes on the wire, once they are fixed.
    pub stanza: Option<Opaque>,
    /// Whom it goes to.
    pub to: Option<BareJid>,
    /// When it was queued.
    pub queued: Timestamp,
    /// Its number on the current stream (XEP-0198, counted from 1, wraps at 2³²); `None` while it
    /// has not been handed to one.
    pub stream_sequence: Option<u32>,
}
