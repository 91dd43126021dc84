//! One login. What an app asks of pushes is in `push`.

mod push;

use std::sync::Arc;

use ::eft::{DistrustedBy, TrustLevel, VerifiedBy};

use crate::connection::{ConnectOptions, SessionInfo};
use crate::conversation::{Conversation, ConversationSummary};
use crate::device::Device;
use crate::error::{EftError, bare_jid, device_address, fingerprint};
use crate::event::{AccountObserver, Event, Subscription};
use crate::message::Message;
use crate::report::Report;
use crate::transfer::{ExportedHistory, IdentityKey};

/// An account on this device.
#[derive(Debug, uniffi::Object)]
pub struct Account {
    pub(crate) inner: ::eft::Account,
}

/// A contact of the account, as the server keeps it (RFC 6121 §2).
#[derive(Clone, Debug, uniffi::Record)]
pub struct Contact {
    /// The contact's address.
    pub jid: String,
    /// The name that the user gave it.
    pub name: Option<String>,
    /// The groups that the user put it into.
    pub groups: Vec<String>,
    /// Whether the contact sees when we are online.
    pub sees_us: bool,
    /// Whether we see when the contact is online. If both see each other, we hear at once of its new devices.
    pub seen_by_us: bool,
}

impl From<::eft::Contact> for Contact {
    fn from(contact: ::eft::Contact) -> Self {
        Self {
            jid: contact.jid.to_string(),
            name: contact.name,
            groups: contact.groups,
            sees_us: contact.sees_us,
            seen_by_us: contact.seen_by_us,
        }
    }
}

#[uniffi::export]
impl Account {
    /// The account's address.
    pub fn jid(&self) -> String {
        self.inner.jid().to_string()
    }

    /// Id of this device (XEP-0384).
    pub fn device_id(&self) -> u32 {
        self.inner.device_id().as_u32()
    }

    /// Fingerprint of this device: eight groups of eight hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.inner.fingerprint().to_string()
    }

    /// Connects and stays connected until `disconnect`. Returns once the device is published.
    ///
    /// # Errors
    /// `Offline`, `AuthRejected`, `Downgraded`, `CertificateRejected`, `ServerTooOld`.
    pub async fn connect(&self, options: ConnectOptions) -> Result<(), EftError> {
        Ok(self.inner.connect(options.into()).await?)
    }

    /// Ends the connection; what was not acknowledged stays queued.
    pub async fn disconnect(&self) {
        self.inner.disconnect().await;
    }

    /// Ends the connection and closes the database. Every later call gets `Suspended`.
    pub async fn shut_down(&self) {
        self.inner.shut_down().await;
    }

    /// Lets go of everything while the app sleeps: the stream stays open on the server, the connection is closed, the
    /// account is free for another process, and no file is open. Until `resume`, everything else gets `Suspended`. To be
    /// called before the system freezes the process.
    ///
    /// # Errors
    /// `StoreDamaged` if the last bytes could not be written; everything is closed all the same.
    pub async fn suspend(&self) -> Result<(), EftError> {
        Ok(self.inner.suspend().await?)
    }

    /// Opens everything again, and connects again if the app wanted a connection. Observers get `Reset` if another
    /// process had the account meanwhile.
    ///
    /// # Errors
    /// `KeyUnavailable`, `StoreDamaged`, `StoreLocked`; the account stays suspended.
    pub async fn resume(&self) -> Result<(), EftError> {
        Ok(self.inner.resume().await?)
    }

    /// Whether somebody looks at the app. While nobody does, the server is asked to hold back what can wait (XEP-0352),
    /// and messages that come are announced: see `announcements`.
    pub fn set_active(&self, active: bool) {
        self.inner.set_active(active);
    }

    /// Asks for no more of the server's archive, on this connection and later ones, until `resume_catch_up`: for a metered
    /// network, or a long absence that the user wants to read later. The newest messages are still fetched; what lies between
    /// is a gap in the timelines. Forgotten when the process ends. A push fetches everything all the same, if no connection is
    /// wanted.
    ///
    /// # Errors
    /// `Suspended`.
    pub async fn pause_catch_up(&self) -> Result<(), EftError> {
        Ok(self.inner.pause_catch_up().await?)
    }

    /// Goes on where `pause_catch_up` stopped. Without a pause nothing happens.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn resume_catch_up(&self) -> Result<(), EftError> {
        Ok(self.inner.resume_catch_up().await?)
    }

    /// The system says that the network changed, or the process was asleep: a connection has a second to show that it
    /// lives, and one that is waited for is tried at once.
    pub fn network_changed(&self) {
        self.inner.network_changed();
    }

    /// Whether the account is connected, now: one of `Connecting`, `Online`, `Offline` and `Disconnected`.
    pub fn connection_state(&self) -> Event {
        ::eft::Event::from(self.inner.connection_state()).into()
    }

    /// How the present connection was made; `None` without one.
    ///
    /// # Errors
    /// `Suspended`.
    pub async fn session_info(&self) -> Result<Option<SessionInfo>, EftError> {
        Ok(self.inner.session_info().await?.map(Into::into))
    }

    /// What is known of the account, and what is wrong with it: why push, OMEMO or login does not work. While the account is
    /// online the server is asked what it can do, for at most some seconds. Without a connection, suspended or closed, the
    /// report says what is known here.
    pub async fn report(&self) -> Report {
        self.inner.report().await.into()
    }

    /// The conversations, the one with the newest message first.
    ///
    /// # Errors
    /// `Suspended`, `StoreDamaged`.
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>, EftError> {
        let found = self.inner.conversations().await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// Messages in which every word of `typed` occurs, by its beginning and without regard to case and accents. Newest
    /// first, those that came before `before`; of one conversation or of all.
    ///
    /// # Errors
    /// `InvalidInput`, `Suspended`, `StoreDamaged`.
    pub async fn search(
        &self,
        typed: String,
        peer: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, EftError> {
        let peer = peer.as_deref().map(bare_jid).transpose()?;
        let before = before.map(::eft::MessageId::from_row);
        let found = self
            .inner
            .search(&typed, peer.as_ref(), before, limit)
            .await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// Writes the history into one file, encrypted by a passphrase (an `age` file): conversations, messages, what is thought
    /// of keys. Never sessions, prekeys, the password, or what waits to be sent; the identity key only if it `Moves`. The
    /// file is there when it is whole, and readable by this user only. Takes some seconds, for the passphrase alone about
    /// one; who gives up waiting finds it there later.
    ///
    /// # Errors
    /// `InvalidInput` for an empty passphrase or a path that cannot be written, `Suspended`, `StoreDamaged`.
    pub async fn export(
        &self,
        path: String,
        passphrase: String,
        identity: IdentityKey,
    ) -> Result<ExportedHistory, EftError> {
        let exported = self
            .inner
            .export(path.as_ref(), &passphrase, identity.into())
            .await?;
        Ok(exported.into())
    }

    /// Turns what was left by `Conversation.leave_text` and `leave_read_mark` into messages and marks. Happens by itself
    /// whenever this process takes the account. Returns how many there were.
    ///
    /// # Errors
    /// `StoreLocked` while another process has the account, `Suspended`, `StoreDamaged`.
    pub async fn collect(&self) -> Result<u32, EftError> {
        Ok(self.inner.collect().await?)
    }

    /// The one-to-one conversation with `peer`.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address.
    pub fn conversation(&self, peer: String) -> Result<Arc<Conversation>, EftError> {
        Ok(Arc::new(Conversation {
            inner: self.inner.conversation(bare_jid(&peer)?),
        }))
    }

    /// The devices known of an account, this one included for the own account.
    ///
    /// # Errors
    /// `InvalidInput`, `Suspended`.
    pub async fn devices(&self, jid: String) -> Result<Vec<Device>, EftError> {
        let devices = self.inner.devices(&bare_jid(&jid)?).await?;
        Ok(devices.into_iter().map(Into::into).collect())
    }

    /// The contact list, in the order of the addresses.
    ///
    /// # Errors
    /// `Offline`: the server keeps the list. `Suspended`.
    pub async fn contacts(&self) -> Result<Vec<Contact>, EftError> {
        let contacts = self.inner.contacts().await?;
        Ok(contacts.into_iter().map(Into::into).collect())
    }

    /// Asks the server for an account's device lists; `devices` then tells what it said.
    ///
    /// # Errors
    /// `InvalidInput`, `Offline`, `Suspended`.
    pub async fn refresh_devices(&self, jid: String) -> Result<(), EftError> {
        Ok(self.inner.refresh_devices(&bare_jid(&jid)?).await?)
    }

    /// Accepts a fingerprint that the user compared with `jid`, digit by digit. From then on every other new
    /// device of `jid` waits for a decision. The device may appear later: a scanned code may come first.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address or no fingerprint, and for this device's own; `Suspended`,
    /// `StoreDamaged`.
    pub async fn verify(&self, jid: String, fingerprint: String) -> Result<(), EftError> {
        let level = TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        };
        self.decide(&jid, &fingerprint, level).await
    }

    /// Rejects a fingerprint: nothing is encrypted to a device that shows it.
    ///
    /// # Errors
    /// As for `verify`.
    pub async fn distrust(&self, jid: String, fingerprint: String) -> Result<(), EftError> {
        let level = TrustLevel::Distrusted {
            by: DistrustedBy::User,
        };
        self.decide(&jid, &fingerprint, level).await
    }

    /// Accepts that a device that spoke `urn:xmpp:omemo:2` before is written to in the older version: the user's
    /// answer to `DeviceDowngraded`. Holds until the device is downgraded anew.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address or no device id, and if the device is not downgraded; `Suspended`,
    /// `StoreDamaged`.
    pub async fn accept_legacy(&self, jid: String, device: u32) -> Result<(), EftError> {
        let device = device_address(&jid, device)?;
        Ok(self.inner.accept_legacy(&device).await?)
    }

    /// Accepts that the server offers weaker mechanisms than it once did: the user's answer where a login was refused
    /// for that (`Downgraded`), and the server's operator says that it is so.
    ///
    /// # Errors
    /// `StoreLocked`, `Suspended`, `StoreDamaged`.
    pub async fn accept_downgrade(&self) -> Result<(), EftError> {
        Ok(self.inner.accept_downgrade().await?)
    }

    /// Logs in with another password from the next connection on: the user's answer to `AuthRejected`, after the password was
    /// changed elsewhere. Changes nothing at the server, and does not connect; a connection that stands is kept.
    ///
    /// # Errors
    /// `StoreLocked`, `Suspended`, `StoreDamaged`.
    pub async fn set_password(&self, password: String) -> Result<(), EftError> {
        Ok(self.inner.set_password(password).await?)
    }

    /// Makes new sessions with every device of `jid`, or of everybody: the user's own remedy when messages cannot be
    /// decrypted. Returns how many will be made.
    ///
    /// # Errors
    /// `InvalidInput`, `Suspended`, `StoreDamaged`.
    pub async fn reset_sessions(&self, jid: Option<String>) -> Result<u32, EftError> {
        let jid = jid.as_deref().map(bare_jid).transpose()?;
        let count = self.inner.reset_sessions(jid.as_ref()).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Tells `observer` what happens from now on, until the subscription is released or the account is closed.
    pub fn subscribe(&self, observer: Arc<dyn AccountObserver>) -> Arc<Subscription> {
        Arc::new(Subscription::start(self.inner.events(), observer))
    }
}

impl Account {
    async fn decide(&self, jid: &str, shown: &str, level: TrustLevel) -> Result<(), EftError> {
        let jid = bare_jid(jid)?;
        Ok(self
            .inner
            .set_trust(&jid, fingerprint(shown)?, level)
            .await?)
    }
}
