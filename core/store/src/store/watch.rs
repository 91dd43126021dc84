//! What changed in a list that is on a screen.

use eft_types::{BareJid, MessageId};

use super::Store;
use super::writer::ForeignVersion;
use crate::error::StoreError;
use crate::model::Message;

/// One step that turns what is shown into what is there. Steps are carried out in order; indices count from 0,
/// the newest message, and hold at that step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineChange {
    /// Forget everything shown: this is the list. The first answer, and the one after another process wrote.
    Reset(Vec<Message>),
    /// A message appears.
    Insert {
        /// Where.
        index: usize,
        /// What.
        message: Message,
    },
    /// A message shows something else.
    Update {
        /// Where.
        index: usize,
        /// What now.
        message: Message,
    },
    /// A message goes, or will be inserted at another place.
    Remove {
        /// Where.
        index: usize,
    },
}

/// The newest messages of a conversation as somebody shows them; see [`Store::refresh`].
#[derive(Debug)]
pub struct TimelineWatch {
    peer: BareJid,
    limit: usize,
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    messages: Vec<Message>,
    version: ForeignVersion,
}

impl TimelineWatch {
    /// Watches the newest `limit` messages of a conversation, capped at
    /// [`MAX_PAGE_ROWS`](crate::limits::MAX_PAGE_ROWS). Nothing is shown yet.
    #[must_use]
    pub const fn new(peer: BareJid, limit: usize) -> Self {
        Self {
            peer,
            limit,
            shown: None,
        }
    }

    /// Shows more or fewer, from the next refresh on.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }
}

impl Store {
    /// What to do to what is shown, so that it is what is there. Nothing if nothing changed. After another
    /// process wrote, or the store was suspended, it is a [`TimelineChange::Reset`], even if nothing
    /// of this conversation changed.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing counts as shown that was not before.
    pub fn refresh(&self, watch: &mut TimelineWatch) -> Result<Vec<TimelineChange>, StoreError> {
        // Asked first: what is written in between is seen again by the next refresh.
        let version = self.writer.foreign_version()?;
        let messages = self.timeline(&watch.peer, None, watch.limit)?;
        let changes = match &watch.shown {
            Some(shown) if shown.version == version => steps(&shown.messages, &messages),
            _ => vec![TimelineChange::Reset(messages.clone())],
        };
        watch.shown = Some(Shown { messages, version });
        Ok(changes)
    }
}

/// Steps from one list to another. A message that moved is removed and inserted.
fn steps(from: &[Message], to: &[Message]) -> Vec<TimelineChange> {
    let mut steps = Vec::new();
    let mut left: Vec<&Message> = Vec::with_capacity(from.len());
    let stays = |id: MessageId| to.iter().any(|message| message.id == id);
    for message in from {
        if stays(message.id) {
            left.push(message);
        } else {
            steps.push(TimelineChange::Remove { index: left.len() });
        }
    }
    for (index, message) in to.iter().enumerate() {
        match left.get(index) {
            Some(shown) if shown.id == message.id => {
                if *shown != message {
                    steps.push(TimelineChange::Update {
                        index,
                        message: message.clone(),
                    });
                }
                continue;
            }
            _ => {}
        }
        if let Some(elsewhere) = left.iter().position(|shown| shown.id == message.id) {
            left.remove(elsewhere);
            steps.push(TimelineChange::Remove { index: elsewhere });
        }
        left.insert(index, message);
        steps.push(TimelineChange::Insert {
            index,
            message: message.clone(),
        });
    }
    steps
}
