//! One login. Pushes are in `push`, and in `report` what it tells of itself.

mod push;
mod report;

use core::fmt;
use std::path::Path;
use std::sync::Arc;

use eft_omemo::{Fingerprint, TrustLevel};
use eft_store::Store;
use eft_types::{BareJid, DeviceAddress, DeviceId, MessageId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::command::{Command, Reply};
use crate::config::ConnectOptions;
use crate::contact::Contact;
use crate::conversation::Conversation;
use crate::devices;
use crate::error::Error;
use crate::event::{ConnectionState, Event, Events, Standing};
use crate::message::Message;
use crate::reader::Reader;
use crate::session_info::SessionInfo;
use crate::summary::ConversationSummary;
use crate::transfer::{self, ExportedHistory, IdentityKey, Passphrase};
use crate::translate::read;
use crate::trust::DeviceInfo;

/// An account on this device. Cheap to clone; when the last clone and every [`Conversation`] is
/// gone, the connection ends and the database is closed.
#[derive(Clone)]
pub struct Account {
    shared: Arc<Shared>,
}

/// What the handles share with each other; the pump has its own ends of the channels.
pub(crate) struct Shared {
    pub(crate) jid: BareJid,
    pub(crate) device_id: DeviceId,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    /// Weak: subscriptions end when the pump does, however long somebody holds the account.
    pub(crate) events: broadcast::WeakSender<Event>,
    pub(crate) standing: watch::Receiver<Standing>,
    pub(crate) reader: Reader,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("jid", &self.shared.jid)
            .field("device_id", &self.shared.device_id)
            .finish_non_exhaustive()
    }
}

impl Account {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The account's address.
    #[must_use]
    pub fn jid(&self) -> &BareJid {
        &self.shared.jid
    }

    /// Id of this device (XEP-0384).
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        self.shared.device_id
    }

    /// Fingerprint of this device, the same for both OMEMO versions.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.shared.fingerprint
    }

    /// Connects, and stays connected until [`Account::disconnect`]: a broken connection is made
    /// again after a while. Returns once the account is online and its device is published.
    ///
    /// # Errors
    /// The first attempt's: [`Error::Offline`], [`Error::AuthRejected`], [`Error::Downgraded`],
    /// [`Error::CertificateRejected`], [`Error::ServerTooOld`]. It is not tried again by itself
    /// then.
    pub async fn connect(&self, options: ConnectOptions) -> Result<(), Error> {
        self.ask(|reply| Command::Connect { options, reply }).await
    }

    /// Ends the connection. Messages that the server did not acknowledge stay queued.
    pub async fn disconnect(&self) {
        let _ = self.ask(|reply| Command::Disconnect { reply }).await;
    }

    /// Ends the connection and closes the database, for every clone. Later calls get
    /// [`Error::Suspended`].
    pub async fn shut_down(&self) {
        let _ = self.ask(|reply| Command::Close { reply }).await;
    }

    /// Lets go of everything while the app sleeps: what runs is finished or given up, the server is told what is durable and
    /// keeps the stream, the connection is closed, the account is free for another process, and no file is open. Until
    /// [`Account::resume`], everything else gets [`Error::Suspended`]. To be called before the system freezes the process;
    /// iOS ends one that is frozen with a lock in its hands.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if the last bytes could not be written; everything is closed all the same, and nothing that
    /// was acknowledged is lost.
    pub async fn suspend(&self) -> Result<(), Error> {
        self.ask(|reply| Command::Suspend { reply }).await
    }

    /// Opens everything again, and connects again if the app wanted a connection. If another process had the account
    /// meanwhile, observers get [`Event::Reset`].
    ///
    /// # Errors
    /// [`Error::KeyUnavailable`], [`Error::StoreDamaged`], [`Error::StoreLocked`]; the account stays suspended.
    pub async fn resume(&self) -> Result<(), Error> {
        self.ask(|reply| Command::Resume { reply }).await
    }

    /// Whether somebody looks at the app. While nobody does, the server is asked to hold back what can wait (XEP-0352),
    /// messages that come are announced ([`Account::announcements`]), and nothing is done that could wait.
    pub fn set_active(&self, active: bool) {
        let _ = self.shared.commands.send(Command::SetActive { active });
    }

    /// Asks for no more of the server's archive, on this connection and later ones, until
    /// [`Account::resume_catch_up`]: for a metered network, or a long absence that the user wants to read later. What came
    /// stays. The newest messages are still fetched when a connection is made, one or two small pages, so that what is
    /// written now can be shown and answered; what lies between is a gap in the timelines ([`crate::TimelinePage::gaps`]).
    /// Forgotten when the process ends. A push fetches everything all the same, if no connection is wanted.
    ///
    /// # Errors
    /// [`Error::Suspended`].
    pub async fn pause_catch_up(&self) -> Result<(), Error> {
        self.ask(|reply| Command::PauseCatchUp {
            is_paused: true,
            reply,
        })
        .await
    }

    /// Goes on where [`Account::pause_catch_up`] stopped. Without a pause nothing happens.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn resume_catch_up(&self) -> Result<(), Error> {
        self.ask(|reply| Command::PauseCatchUp {
            is_paused: false,
            reply,
        })
        .await
    }

    /// Whether the gaps in the timelines are being filled.
    pub(crate) fn is_filling(&self) -> bool {
        self.shared.standing.borrow().is_filling
    }

    /// The system says that the network changed, or the process was asleep: a connection has a second to show that it
    /// lives, and one that is waited for is tried at once.
    pub fn network_changed(&self) {
        let _ = self.shared.commands.send(Command::NetworkChanged);
    }

    /// Whether the account is connected, now.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.shared.standing.borrow().connection.clone()
    }

    /// How the present connection was made; `None` without one.
    ///
    /// # Errors
    /// [`Error::Suspended`] once the account is closed.
    pub async fn session_info(&self) -> Result<Option<SessionInfo>, Error> {
        self.ask(|reply| Command::Session { reply }).await
    }

    /// The conversations, the one with the newest message first.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>, Error> {
        self.read(|store| {
            let found = store.conversations()?;
            Ok(found.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// Messages in which every word of `typed` occurs, by its beginning and without regard to case and accents; in scripts
    /// without spaces, any run of characters. Newest first, those that came before `before`; of one conversation or of all;
    /// at most [`crate::TIMELINE_PAGE_MAX`].
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn search(
        &self,
        typed: &str,
        peer: Option<&BareJid>,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<Message>, Error> {
        let (typed, peer) = (typed.to_owned(), peer.cloned());
        let limit = usize::try_from(limit.min(crate::TIMELINE_PAGE_MAX)).unwrap_or(usize::MAX);
        self.read(move |store| {
            let rows = store.search(&typed, peer.as_ref(), before, limit)?;
            Ok(rows.into_iter().map(read::message).collect())
        })
        .await
    }

    /// Writes the history into one file, encrypted by a passphrase (an `age` file): conversations, messages, what is thought of
    /// keys. Never sessions, prekeys, the password, or what waits to be sent; the identity key only if it
    /// [`IdentityKey::Moves`]. The file is there when it is whole, and readable by this user only. Takes some seconds, for
    /// the passphrase alone about one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty passphrase or a path that cannot be written, [`Error::Suspended`],
    /// [`Error::StoreDamaged`].
    pub async fn export(
        &self,
        path: &Path,
        passphrase: &str,
        identity: IdentityKey,
    ) -> Result<ExportedHistory, Error> {
        let (path, passphrase) = (path.to_owned(), Passphrase::from(passphrase.to_owned()));
        self.shared
            .reader
            .run_apart(move |store| transfer::export(store, &path, &passphrase, identity))
            .await
    }

    /// Turns what was left by [`crate::Conversation::leave_text`] and [`crate::Conversation::leave_read_mark`], in this process
    /// or another, into messages and marks. Happens by itself whenever this process takes the account: when it connects,
    /// wakes, or writes after a pause. Returns how many there were.
    ///
    /// # Errors
    /// [`Error::StoreLocked`] while another process has the account, [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn collect(&self) -> Result<u32, Error> {
        self.ask(|reply| Command::Collect { reply: Some(reply) })
            .await
    }

    /// Something was left: whoever has the account may look at once.
    pub(crate) fn nudge(&self) {
        let _ = self.shared.commands.send(Command::Collect { reply: None });
    }

    /// The one-to-one conversation with `peer`.
    #[must_use]
    pub fn conversation(&self, peer: BareJid) -> Conversation {
        Conversation::new(self.clone(), peer)
    }

    /// What happens from now on, until the account is closed: [`Events::next`] gives `None` then.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(
            self.shared
                .events
                .upgrade()
                .map_or_else(|| broadcast::channel(1).1, |events| events.subscribe()),
        )
    }

    /// The contact list, in the order of the addresses.
    ///
    /// # Errors
    /// [`Error::Offline`]: the server keeps the list. [`Error::Suspended`].
    pub async fn contacts(&self) -> Result<Vec<Contact>, Error> {
        self.ask(|reply| Command::Contacts { reply }).await
    }

    /// The devices known of an account; for the own account this one is among them. Reads what is
    /// on disk; [`Account::refresh_devices`] asks the server.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn devices(&self, jid: &BareJid) -> Result<Vec<DeviceInfo>, Error> {
        let jid = jid.clone();
        let own = DeviceAddress::new(self.shared.jid.clone(), self.shared.device_id);
        self.read(move |store| devices::of(store, &own, &jid)).await
    }

    /// Asks the server for an account's device lists.
    ///
    /// # Errors
    /// [`Error::Offline`], [`Error::Suspended`].
    pub async fn refresh_devices(&self, jid: &BareJid) -> Result<(), Error> {
        let jid = jid.clone();
        self.ask(|reply| Command::RefreshDevices { jid, reply })
            .await
    }

    /// Carries out the user's decision about a key of `jid`, which need not have been seen yet: a scanned code
    /// may come first.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the key of this device, [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn set_trust(
        &self,
        jid: &BareJid,
        fingerprint: Fingerprint,
        level: TrustLevel,
    ) -> Result<(), Error> {
        // Verifying it would end blind trust in the account's other devices, as if one of those had been compared.
        if *jid == self.shared.jid && fingerprint == self.shared.fingerprint {
            return Err(Error::invalid("this is the key of this device"));
        }
        let jid = jid.clone();
        self.ask(|reply| Command::SetTrust {
            jid,
            fingerprint,
            level,
            reply,
        })
        .await
    }

    /// Accepts that a device is written to in the older version (`eu.siacs.conversations.axolotl`),
    /// although it could be reached over `urn:xmpp:omemo:2` before: the user's answer to
    /// [`Event::DeviceDowngraded`], where the device's owner says that it is so. Holds until the
    /// device is downgraded anew.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the device is not downgraded, [`Error::Suspended`],
    /// [`Error::StoreDamaged`].
    pub async fn accept_legacy(&self, device: &DeviceAddress) -> Result<(), Error> {
        let device = device.clone();
        self.ask(|reply| Command::AcceptLegacy { device, reply })
            .await
    }

    /// Accepts that the server offers weaker mechanisms than it once did: the user's answer where a login was refused
    /// for that ([`Error::Downgraded`]), and the server's operator says that it is so. What is seen at the next login
    /// is the new measure. Not to be called without asking: somebody between us and the server would offer less, too.
    ///
    /// # Errors
    /// [`Error::StoreLocked`], [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn accept_downgrade(&self) -> Result<(), Error> {
        self.ask(|reply| Command::AcceptDowngrade { reply }).await
    }

    /// Logs in with another password from the next connection on: the user's answer to [`Error::AuthRejected`], after the
    /// password was changed elsewhere. Changes nothing at the server, and does not connect; a connection that stands is kept.
    ///
    /// # Errors
    /// [`Error::StoreLocked`], [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn set_password(&self, password: impl Into<Zeroizing<String>>) -> Result<(), Error> {
        let password = password.into();
        self.ask(|reply| Command::SetPassword { password, reply })
            .await
    }

    /// Makes new sessions with every device of `jid` that there is one with, or with every device
    /// of everybody: the user's own remedy when messages cannot be decrypted (XEP-0384 §6 asks for
    /// it; Eft never does this by itself on a failure). The old sessions are kept for what is under
    /// way. Returns how many will be made; each is told to its device by an empty message as soon
    /// as the connection allows.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn reset_sessions(&self, jid: Option<&BareJid>) -> Result<usize, Error> {
        let with = jid.cloned();
        self.ask(|reply| Command::ResetSessions { with, reply })
            .await
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared
            .commands
            .send(command(reply))
            .map_err(|_| Error::Suspended)?;
        answer.await.map_err(|_| Error::Suspended)?
    }

    /// Runs a read on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.shared.reader.run(read).await
    }
}
