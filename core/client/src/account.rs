//! One login.

use core::fmt;
use std::sync::Arc;

use eft_omemo::{Fingerprint, TrustLevel};
use eft_store::Store;
use eft_types::{BareJid, DeviceAddress, DeviceId};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::command::{Command, Reply};
use crate::config::ConnectOptions;
use crate::contact::Contact;
use crate::conversation::Conversation;
use crate::devices;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::reader::Reader;
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
    /// The first attempt's: [`Error::Offline`], [`Error::AuthRejected`],
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
    /// for that ([`Error::AuthRejected`]), and the server's operator says that it is so. What is seen at the next login
    /// is the new measure. Not to be called without asking: somebody between us and the server would offer less, too.
    ///
    /// # Errors
    /// [`Error::StoreLocked`], [`Error::Suspended`], [`Error::StoreDamaged`].
    pub async fn accept_downgrade(&self) -> Result<(), Error> {
        self.ask(|reply| Command::AcceptDowngrade { reply }).await
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
