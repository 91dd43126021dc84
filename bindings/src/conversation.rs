//! Sending, and the timeline.

use crate::error::EftError;
use crate::message::Message;

/// A one-to-one conversation.
#[derive(Debug, uniffi::Object)]
pub struct Conversation {
    pub(crate) inner: ::eft::Conversation,
}

/// Part of a timeline, newest message first.
#[derive(Clone, Debug, uniffi::Record)]
pub struct TimelinePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where messages are known to be missing, the newest gap first.
    pub gaps: Vec<TimelineGap>,
    /// Give this to `timeline` for the next older part; `None` at the beginning.
    pub older: Option<String>,
}

/// Messages that the server's archive has, or may have, and that are not here yet. It goes when catch-up has read them:
/// `Event.GapClosed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TimelineGap {
    /// It stands above the message with this index in the page, the next older one; the number of messages if there is none.
    pub index: u32,
    /// Whether its messages are being fetched. If not, that waits for a connection or for `Account.resume_catch_up`.
    pub filling: bool,
}

/// What `Conversation.load_older` brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LoadedHistory {
    /// Messages that stand in the timeline now and did not before.
    pub count: u32,
    /// Whether the server has nothing older of the conversation.
    pub at_beginning: bool,
}

/// A line of the list of conversations.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ConversationSummary {
    /// The other side.
    pub peer: String,
    /// Messages that were not read yet.
    pub unread_count: u32,
    /// The newest message.
    pub last_message: Option<Message>,
}

impl From<::eft::ConversationSummary> for ConversationSummary {
    fn from(summary: ::eft::ConversationSummary) -> Self {
        Self {
            peer: summary.peer.to_string(),
            unread_count: summary.unread_count,
            last_message: summary.last_message.map(Into::into),
        }
    }
}

/// A contact's wish to go on without encryption (XEP-0384 §5.9).
#[derive(Clone, uniffi::Record)]
pub struct OptOut {
    /// When it came, milliseconds since the epoch.
    pub at_ms: i64,
    /// What the contact gave as the reason.
    pub reason: Option<String>,
}

impl std::fmt::Debug for OptOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The reason came encrypted.
        f.debug_struct("OptOut")
            .field("at_ms", &self.at_ms)
            .finish_non_exhaustive()
    }
}

impl From<::eft::OptOut> for OptOut {
    fn from(opt_out: ::eft::OptOut) -> Self {
        Self {
            at_ms: opt_out.at.as_millis(),
            reason: opt_out.reason,
        }
    }
}

#[uniffi::export]
impl Conversation {
    /// The other side.
    pub fn peer(&self) -> String {
        self.inner.peer().to_string()
    }

    /// Queues a text. Returns its row id once it is safe on disk; it is encrypted and sent as soon
    /// as the connection and the device lists allow.
    ///
    /// # Errors
    /// `InvalidInput` for an empty text or one that XML cannot carry, `OptedOut` while an opt-out waits for the
    /// user's answer, `Suspended`.
    pub async fn send(&self, text: String) -> Result<i64, EftError> {
        Ok(self.inner.send(text).await?.as_row())
    }

    /// Leaves a text to be sent by whichever process has the account: for the quick reply of a notification, beside an app
    /// that runs. Returns once it is on disk, with the id by which every device will know the message; it is sent when
    /// that process sees it, at the latest when the app is opened or a push comes.
    ///
    /// # Errors
    /// Those of `send`; `NotAllowed` if thousands wait already.
    pub async fn leave_text(&self, text: String) -> Result<String, EftError> {
        Ok(self.inner.leave_text(text).await?.to_string())
    }

    /// Leaves word that the user has read up to a message, as `leave_text` does.
    ///
    /// # Errors
    /// Those of `leave_text`. A message that is not of this conversation is passed over.
    pub async fn leave_read_mark(&self, up_to: i64) -> Result<(), EftError> {
        let up_to = ::eft::MessageId::from_row(up_to);
        Ok(self.inner.leave_read_mark(up_to).await?)
    }

    /// The user has read up to and including a message. Tells nobody but this device's list of conversations.
    ///
    /// # Errors
    /// `InvalidInput` for what is no message of this conversation, `StoreLocked` while another process has the account,
    /// `Suspended`, `StoreDamaged`.
    pub async fn mark_read(&self, up_to: i64) -> Result<(), EftError> {
        let up_to = ::eft::MessageId::from_row(up_to);
        Ok(self.inner.mark_read(up_to).await?)
    }

    /// The contact's wish to go on without encryption, while the user has not answered it. Until then `send`
    /// gets `OptedOut`.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn opt_out(&self) -> Result<Option<OptOut>, EftError> {
        Ok(self.inner.opt_out().await?.map(Into::into))
    }

    /// The user's answer to it: go on, encrypted as before. Eft sends no plain text.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn keep_encrypted(&self) -> Result<(), EftError> {
        Ok(self.inner.keep_encrypted().await?)
    }

    /// Queues a message of this device again that failed; it keeps its row id and is shown once wherever it is known.
    ///
    /// # Errors
    /// `InvalidInput` for what is no failed message of this conversation, `OptedOut`, `Suspended`.
    pub async fn resend(&self, message: i64) -> Result<(), EftError> {
        Ok(self
            .inner
            .resend(::eft::MessageId::from_row(message))
            .await?)
    }

    /// Whether each OMEMO version goes in a stanza of its own.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn separate_versions(&self) -> Result<bool, EftError> {
        Ok(self.inner.separate_versions().await?)
    }

    /// Sends each OMEMO version in a stanza of its own, for apps that drop a stanza with both.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn set_separate_versions(&self, separate: bool) -> Result<(), EftError> {
        Ok(self.inner.set_separate_versions(separate).await?)
    }

    /// Fetches up to `limit` messages, 250 at most, that stand in the server's archive before all that is here of the
    /// conversation; the server may give fewer at once. No event tells of them: the timeline goes on where it ended. Those
    /// from before this device's time cannot be read, and say so.
    ///
    /// # Errors
    /// `Offline` without a connection, or when it ends; `StoreLocked`, `Suspended`, `StoreDamaged`.
    pub async fn load_older(&self, limit: u32) -> Result<LoadedHistory, EftError> {
        let loaded = self.inner.load_older(limit).await?;
        Ok(LoadedHistory {
            count: loaded.count,
            at_beginning: loaded.at_beginning,
        })
    }

    /// The newest `limit` messages older than the key, or than everything without one.
    ///
    /// # Errors
    /// `InvalidInput` for a key that did not come from here, `Suspended`.
    pub async fn timeline(
        &self,
        before: Option<String>,
        limit: u32,
    ) -> Result<TimelinePage, EftError> {
        let before = before.as_deref().map(str::parse).transpose()?;
        let page = self.inner.timeline(before, limit).await?;
        let gaps = page.gaps.into_iter().map(|gap| TimelineGap {
            index: u32::try_from(gap.index).unwrap_or(u32::MAX),
            filling: gap.is_filling,
        });
        Ok(TimelinePage {
            gaps: gaps.collect(),
            messages: page.messages.into_iter().map(Into::into).collect(),
            older: page.older.map(|key| key.to_string()),
        })
    }
}
