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
    /// Where messages are known to be missing, the newest gap first. A gap belongs to the page of the message below it.
    pub gaps: Vec<TimelineGap>,
    /// Where the next older page begins; `None` at the beginning of what is here of the conversation.
    pub older: Option<TimelineKey>,
}

/// Messages that the server's archive has, or may have, and that are not here yet. It goes when catch-up has read them:
/// [`crate::Event::GapClosed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineGap {
    /// It stands above the message with this index in [`TimelinePage::messages`], the next older one; the number of
    /// messages if there is none.
    pub index: usize,
    /// Whether its messages are being fetched. If not, that waits for a connection or for
    /// [`crate::Account::resume_catch_up`].
    pub is_filling: bool,
}

/// What [`crate::Conversation::load_older`] brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedHistory {
    /// Messages that stand in the timeline now and did not before.
    pub count: u32,
    /// Whether the server has nothing older of the conversation.
    pub at_beginning: bool,
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
