//! Pushes: where they go, what one brings, and what the user was told of.

use std::time::Duration;

use super::Account;
use crate::connection::ConnectOptions;
use crate::error::EftError;
use crate::message::Message;
use crate::push::{PushHealth, PushTarget};
use crate::push_test::PushTest;
use crate::wake::WakeOutcome;

#[uniffi::export]
impl Account {
    /// A push came. Connects unless the account is connected, catches up, and hangs up again unless the app wanted the
    /// connection; all of it within so many milliseconds of the call. To be called with what the system gives to an
    /// extension or a job, less what the caller needs for itself.
    ///
    /// # Errors
    /// `Suspended`; `KeyUnavailable` while the device is locked after its start; `StoreDamaged`. What the network does is
    /// a `WakeReason`.
    pub async fn handle_push(
        &self,
        options: ConnectOptions,
        within_ms: u32,
    ) -> Result<WakeOutcome, EftError> {
        let within = Duration::from_millis(within_ms.into());
        Ok(self.inner.handle_push(options.into(), within).await?.into())
    }

    /// Asks the server to push for this device while it is not connected (XEP-0357): now, and again on every stream that is
    /// bound. To be called with each new token. Returns once it is kept; how it goes is `push_health`.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address, and for a node or an option that XML cannot carry; `StoreLocked`,
    /// `Suspended`, `StoreDamaged`.
    pub async fn register_push(&self, target: PushTarget) -> Result<(), EftError> {
        Ok(self.inner.register_push(target.try_into()?).await?)
    }

    /// Asks the server not to push for this device any more. While there is no connection, it is only forgotten here: the
    /// app's own server has to let the token go.
    ///
    /// # Errors
    /// `Offline` if the connection broke meanwhile, `StoreLocked`, `Suspended`, `StoreDamaged`.
    pub async fn unregister_push(&self) -> Result<(), EftError> {
        Ok(self.inner.unregister_push().await?)
    }

    /// Sees whether a push reaches this device: for a button of the app's settings. The account has to be online. This device
    /// sends itself a message that nobody keeps, leaves it unacknowledged, and hangs up like an app that sleeps, so that the
    /// server pushes. Whoever gets that push calls `handle_push` as always, here or in an extension. After at most so many
    /// milliseconds the account is online again.
    ///
    /// # Errors
    /// `Offline` if the account is not online, or the connection was lost before its time; `Suspended` also if the account was
    /// suspended or disconnected meanwhile; `StoreLocked`, `StoreDamaged`.
    pub async fn test_push(&self, within_ms: u32) -> Result<PushTest, EftError> {
        let within = Duration::from_millis(within_ms.into());
        Ok(self.inner.test_push(within).await?.into())
    }

    /// How the registration for pushes stands; `None` if there is none.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn push_health(&self) -> Result<Option<PushHealth>, EftError> {
        Ok(self.inner.push_health().await?.map(Into::into))
    }

    /// Messages that the user is still to be told of, oldest first: they came while nobody looked at the app, and neither
    /// was their notification said to be up nor were they read.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn announcements(&self, limit: u32) -> Result<Vec<Message>, EftError> {
        let messages = self.inner.announcements(limit).await?;
        Ok(messages.into_iter().map(Into::into).collect())
    }

    /// The notifications of these messages are up.
    ///
    /// # Errors
    /// `StoreLocked` while another process has the account, `Suspended`, `StoreDamaged`. They are told of once more then.
    pub async fn announced(&self, messages: Vec<i64>) -> Result<(), EftError> {
        let messages: Vec<_> = messages
            .into_iter()
            .map(::eft::MessageId::from_row)
            .collect();
        Ok(self.inner.announced(&messages).await?)
    }
}
