//! Pushes: where they go, what one brings, and what the user was told of.

use std::time::Duration;

use eft_types::MessageId;

use super::Account;
use crate::command::Command;
use crate::config::ConnectOptions;
use crate::conversation::is_xml_char;
use crate::error::Error;
use crate::message::Message;
use crate::push::{PushHealth, PushRecord, PushTarget};
use crate::push_test::PushTest;
use crate::translate::read;
use crate::wake::WakeOutcome;

impl Account {
    /// A push came. Connects unless the account is connected, catches up, and hangs up again unless the app wanted the
    /// connection; all of it in the time given, which is counted from the call. The stream stays open on the server, so
    /// that it begins to push again at once. To be called with what the system gives to an extension or a job, less what
    /// the caller needs for itself.
    ///
    /// Messages that came are in [`WakeOutcome::notifications`], until [`Account::announced`] or until they are read.
    ///
    /// # Errors
    /// [`Error::Suspended`]; [`Error::KeyUnavailable`] while the device is locked after its start;
    /// [`Error::StoreDamaged`]. What the network does is a [`crate::WakeReason`].
    pub async fn handle_push(
        &self,
        options: ConnectOptions,
        within: Duration,
    ) -> Result<WakeOutcome, Error> {
        self.ask(|reply| Command::HandlePush {
            options,
            within,
            reply,
        })
        .await
    }

    /// Asks the server to push for this device while it is not connected (XEP-0357): now, and again on every stream that is
    /// bound. To be called with each new token. Returns once it is kept; how it goes is [`Account::push_health`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a node or an option that XML cannot carry, [`Error::StoreLocked`],
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn register_push(&self, target: PushTarget) -> Result<(), Error> {
        let texts = target.node.iter().chain(
            target
                .options
                .iter()
                .flat_map(|(name, value)| [name, value]),
        );
        for text in texts {
            if text.is_empty() || !text.chars().all(is_xml_char) {
                return Err(Error::invalid(
                    "a push target with empty or unwritable text",
                ));
            }
        }
        self.ask(|reply| Command::RegisterPush { target, reply })
            .await
    }

    /// Asks the server not to push for this device any more. While there is no connection, it is only forgotten here: the
    /// app's own server has to let the token go.
    ///
    /// # Errors
    /// [`Error::Offline`] if the connection broke meanwhile, [`Error::StoreLocked`], [`Error::Suspended`],
    /// [`Error::StoreDamaged`].
    pub async fn unregister_push(&self) -> Result<(), Error> {
        self.ask(|reply| Command::UnregisterPush { reply }).await
    }

    /// Sees whether a push reaches this device: for a button of the app's settings. The account has to be online. The servers are
    /// asked whether they are there; then this device sends itself a message that nobody keeps, leaves it unacknowledged, and
    /// hangs up like an app that sleeps. The server then has a reason to push. Whoever gets that push calls
    /// [`Account::handle_push`] as always, in this process or in an extension. After at most `within` the account is online again.
    /// Half a minute is enough where pushes work.
    ///
    /// It shows that pushes arrive, not how fast they would at night: the phone is awake and in the user's hand.
    ///
    /// # Errors
    /// [`Error::Offline`] if the account is not online, or the connection was lost before its time; [`Error::Suspended`] also if
    /// the app suspended or disconnected the account meanwhile; [`Error::StoreLocked`], [`Error::StoreDamaged`].
    pub async fn test_push(&self, within: Duration) -> Result<PushTest, Error> {
        self.ask(|reply| Command::TestPush { within, reply }).await
    }

    /// How the registration for pushes stands; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn push_health(&self) -> Result<Option<PushHealth>, Error> {
        self.read(|store| {
            let kept = store.push()?;
            let record = kept.as_ref().map(PushRecord::decode).transpose()?;
            Ok(record.map(|record| record.health()))
        })
        .await
    }

    /// Messages that the user is still to be told of, oldest first: they came while nobody looked at the app, and neither
    /// was their notification said to be up nor were they read. Posting one of them again under the same id changes
    /// nothing for the user, and makes up for a process that died.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn announcements(&self, limit: u32) -> Result<Vec<Message>, Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.read(move |store| {
            let rows = store.announcements(None, limit)?;
            Ok(rows.into_iter().map(read::message).collect())
        })
        .await
    }

    /// The notifications of these messages are up.
    ///
    /// # Errors
    /// [`Error::StoreLocked`] while another process has the account, [`Error::Suspended`], [`Error::StoreDamaged`]. They
    /// are told of once more then.
    pub async fn announced(&self, messages: &[MessageId]) -> Result<(), Error> {
        let messages = messages.to_vec();
        self.ask(|reply| Command::Announced { messages, reply })
            .await
    }
}
