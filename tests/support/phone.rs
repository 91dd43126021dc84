//! An Eft on a data folder of its own, as an app on a phone has it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eft::{
    Account, BareJid, Config, ConnectOptions, Content, Credentials, Delivery, Eft, Error, Event,
    Events, MemorySecretStore, Message, MessageId, ServerAddress, TrustLevel, VerifiedBy,
};

use crate::deadline::{Deadline, TimedOut};
use crate::server::{Login, Server};

/// How long a phone may take for anything that a scenario waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// After this time without an event there is none.
const QUIET: Duration = Duration::from_millis(100);

/// One device of an account.
pub struct Phone {
    /// What the scenario calls it.
    pub name: String,
    /// The account on this device.
    pub account: Account,
    folder: PathBuf,
    secrets: Arc<MemorySecretStore>,
    options: ConnectOptions,
    events: Events,
    /// Events that came while something else was waited for.
    passed_by: Vec<Event>,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone")
            .field("name", &self.name)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Phone {
    /// A new device: makes its database under `folder` and its keys. Does not connect.
    ///
    /// # Errors
    /// Those of [`Eft::add_account`].
    pub async fn new(
        server: &dyn Server,
        login: &Login,
        name: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        let secrets = Arc::new(MemorySecretStore::new());
        let folder = folder.join(name);
        let eft = open(&folder, &secrets)?;
        let account = eft.add_account(credentials(login)).await?;
        let events = account.events();
        Ok(Self {
            name: name.to_owned(),
            account,
            folder,
            secrets,
            options: connect_options(server),
            events,
            passed_by: Vec::new(),
        })
    }

    /// A new device, connected.
    ///
    /// # Errors
    /// Those of [`Eft::add_account`] and [`Account::connect`].
    pub async fn online(
        server: &dyn Server,
        login: &Login,
        name: &str,
        folder: &Path,
    ) -> Result<Self, Error> {
        let phone = Self::new(server, login, name, folder).await?;
        phone.connect().await?;
        Ok(phone)
    }

    /// Connects.
    ///
    /// # Errors
    /// Those of [`Account::connect`].
    pub async fn connect(&self) -> Result<(), Error> {
        self.account.connect(self.options.clone()).await
    }

    /// How this phone reaches its server.
    #[must_use]
    pub fn options(&self) -> &ConnectOptions {
        &self.options
    }

    /// Lets this phone reach its server another way from its next connection on.
    pub fn set_options(&mut self, options: ConnectOptions) {
        self.options = options;
    }

    /// Closes the account and opens it again from the same folder, as after a restart of the app.
    /// Not connected afterwards.
    ///
    /// # Errors
    /// Those of [`Eft::account`].
    pub async fn reopen(&mut self) -> Result<(), Error> {
        self.account.shut_down().await;
        let eft = open(&self.folder, &self.secrets)?;
        self.account = eft.account(self.account.jid()).await?;
        self.events = self.account.events();
        self.passed_by.clear();
        Ok(())
    }

    /// The system has lost the keys of its databases, as it may when a phone is moved or its lock is taken off.
    pub fn lose_keys(&mut self) {
        self.secrets = Arc::new(MemorySecretStore::new());
    }

    /// Gives up the database that cannot be used any more, as an app does after its user said so. Not connected afterwards.
    /// Answers how many messages were saved, and how many places could not be read.
    ///
    /// # Errors
    /// Those of [`Eft::rebuild_account`].
    pub async fn rebuild(&mut self, login: &Login) -> Result<(u64, u64), Error> {
        self.account.shut_down().await;
        let eft = open(&self.folder, &self.secrets)?;
        let rebuilt = eft.rebuild_account(credentials(login)).await?;
        self.account = rebuilt.account;
        self.events = self.account.events();
        self.passed_by.clear();
        Ok((rebuilt.message_count, rebuilt.gap_count))
    }

    /// The same account once more, as another process of the same app has it: a notification extension.
    ///
    /// # Errors
    /// Those of [`Eft::account`].
    pub async fn beside(&self) -> Result<Account, Error> {
        let eft = open(&self.folder, &self.secrets)?.for_extension();
        eft.account(self.account.jid()).await
    }

    /// Where its keys are.
    #[must_use]
    pub fn secrets(&self) -> &MemorySecretStore {
        &self.secrets
    }

    /// Where its data lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Queues a text.
    ///
    /// # Errors
    /// Those of [`eft::Conversation::send`].
    pub async fn send(&self, to: &BareJid, text: &str) -> Result<MessageId, Error> {
        self.account.conversation(to.clone()).send(text).await
    }

    /// The user compares the fingerprint of another device, and accepts it. A device that an account gains later
    /// waits for that on those that it had before.
    ///
    /// # Errors
    /// Those of [`Account::set_trust`].
    pub async fn accept(&self, other: &Self) -> Result<(), Error> {
        let compared = TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        };
        let other = &other.account;
        self.account
            .set_trust(other.jid(), other.fingerprint(), compared)
            .await
    }

    /// Waits for an event that `pick` makes something of; events that it refuses stay for later
    /// waits.
    ///
    /// # Errors
    /// [`TimedOut`] after a minute.
    pub async fn wait<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, TimedOut> {
        if let Some(index) = self
            .passed_by
            .iter()
            .position(|event| pick(event).is_some())
        {
            let event = self.passed_by.remove(index);
            if let Some(picked) = pick(&event) {
                return Ok(picked);
            }
        }
        let deadline = Deadline::after(PATIENCE);
        let timed_out = || TimedOut {
            what: format!("{what} on {}", self.name),
            waited: PATIENCE,
        };
        loop {
            let event = tokio::time::timeout(deadline.remaining(), self.events.next())
                .await
                .ok()
                .flatten()
                .ok_or_else(timed_out)?;
            match pick(&event) {
                Some(picked) => return Ok(picked),
                None => self.passed_by.push(event),
            }
        }
    }

    /// Every message that this phone was told of and that nobody waited for, in order. What is still on its way may be
    /// missing.
    pub async fn heard_so_far(&mut self) -> Vec<Message> {
        while let Ok(Some(event)) = tokio::time::timeout(QUIET, self.events.next()).await {
            self.passed_by.push(event);
        }
        let told = self.passed_by.iter().filter_map(|event| match event {
            Event::MessageReceived(message) => Some(message.clone()),
            _ => None,
        });
        told.collect()
    }

    /// Waits for a message with this text, of whomever.
    ///
    /// # Errors
    /// [`TimedOut`] after a minute.
    pub async fn wait_for_text(&mut self, text: &str) -> Result<Message, TimedOut> {
        self.wait(&format!("the message {text:?}"), |event| match event {
            Event::MessageReceived(message)
                if message.content == Content::Text(text.to_owned()) =>
            {
                Some(message.clone())
            }
            _ => None,
        })
        .await
    }

    /// Waits until the server has a message, or it failed.
    ///
    /// # Errors
    /// [`TimedOut`] after a minute.
    pub async fn wait_until_sent(&mut self, id: MessageId) -> Result<Delivery, TimedOut> {
        self.wait("the server's acknowledgement", |event| match event {
            Event::MessageChanged(message) if message.id == id => match &message.delivery {
                Some(Delivery::Queued | Delivery::Encrypted | Delivery::Sent) | None => None,
                Some(done) => Some(done.clone()),
            },
            _ => None,
        })
        .await
    }

    /// Waits until the archive is read to its end.
    ///
    /// # Errors
    /// [`TimedOut`] after a minute.
    pub async fn wait_until_caught_up(&mut self) -> Result<u64, TimedOut> {
        self.wait("the end of catch-up", |event| match event {
            Event::CatchUpProgressed(progress) if progress.complete => {
                Some(progress.received_count)
            }
            _ => None,
        })
        .await
    }

    /// The whole conversation with `peer`, oldest first.
    ///
    /// # Errors
    /// Those of [`eft::Conversation::timeline`].
    pub async fn history(&self, peer: &BareJid) -> Result<Vec<Message>, Error> {
        history(&self.account, peer).await
    }
}

pub(crate) fn credentials(login: &Login) -> Credentials {
    Credentials {
        jid: login.jid.clone(),
        password: login.password.clone().into(),
    }
}

/// The whole conversation with `peer`, oldest first.
///
/// # Errors
/// Those of [`eft::Conversation::timeline`].
pub async fn history(account: &Account, peer: &BareJid) -> Result<Vec<Message>, Error> {
    let conversation = account.conversation(peer.clone());
    let mut messages = Vec::new();
    let mut before = None;
    loop {
        let page = conversation.timeline(before, 200).await?;
        messages.extend(page.messages);
        match page.older {
            Some(older) => before = Some(older),
            None => break,
        }
    }
    messages.reverse();
    Ok(messages)
}

/// How a client reaches the server of a scenario.
#[must_use]
pub fn connect_options(server: &dyn Server) -> ConnectOptions {
    let address = server.starttls_address();
    ConnectOptions {
        server: Some(ServerAddress {
            host: address.ip().to_string(),
            port: address.port(),
            direct_tls: false,
        }),
        extra_roots_pem: std::fs::read_to_string(server.authority_path()).ok(),
        ..ConnectOptions::default()
    }
}

fn open(folder: &Path, secrets: &Arc<MemorySecretStore>) -> Result<Eft, Error> {
    let secrets: Arc<dyn eft::SecretStore> = Arc::clone(secrets) as _;
    Eft::open(
        Config {
            data_dir: folder.to_owned(),
        },
        secrets,
    )
}
