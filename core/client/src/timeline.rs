//! Paging through a conversation.

use core::fmt;
use core::str::FromStr;

use crate::error::Error;
use crate::message::Message;

/// Part of a timeline, newest message first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelinePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where the next older page begins; `None` at the beginning of the conversation.
    pub older: Option<TimelineKey>,
}

/// A place in a timeline. Belongs to the reading in progress, not for keeping: a message that
/// turns out to stand elsewhere in the archive gets another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineKey(pub(crate) eft_store::TimelineKey);

impl fmt::Display for TimelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TimelineKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self)
            .map_err(|_| Error::invalid("not a key of a timeline"))
    }
}
