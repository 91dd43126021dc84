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
    /// Give this to `timeline` for the next older part; `None` at the beginning.
    pub older: Option<String>,
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
    /// `InvalidInput` for an empty text or one that XML cannot carry, `Suspended`.
    pub async fn send(&self, text: String) -> Result<i64, EftError> {
        Ok(self.inner.send(text).await?.as_row())
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
        Ok(TimelinePage {
            messages: page.messages.into_iter().map(Into::into).collect(),
            older: page.older.map(|key| key.to_string()),
        })
    }
}
