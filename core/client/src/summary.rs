//! The list of conversations.

use eft_types::BareJid;

use crate::message::Message;
use crate::translate::read;

/// A line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The other side.
    pub peer: BareJid,
    /// Messages that were not read yet.
    pub unread_count: u32,
    /// The newest message.
    pub last_message: Option<Message>,
}

impl From<eft_store::ConversationSummary> for ConversationSummary {
    fn from(found: eft_store::ConversationSummary) -> Self {
        Self {
            peer: found.conversation.peer,
            unread_count: found.unread_count,
            last_message: found.last_message.map(read::message),
        }
    }
}
