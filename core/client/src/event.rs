//! What an account tells the app, in the past tense.

use eft_store::OptOut;
use eft_types::{BareJid, Timestamp};
use tokio::sync::broadcast;

use crate::error::Error;
use crate::message::Message;
use crate::trust::DeviceInfo;

/// How many events an observer may lag behind before it gets [`Event::Reset`] instead.
pub(crate) const EVENT_BUFFER: usize = 1024;

/// Something that happened. Everything an event speaks of is already on disk (law 1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection changed.
    ConnectionChanged(ConnectionState),
    /// Catch-up with the server's archive moved on.
    CatchUpProgressed(CatchUpProgress),
    /// What was missing somewhere in the timelines ([`crate::TimelineGap`]) is there now, or was found not to exist: pages
    /// that showed a gap are to be read again.
    GapClosed,
    /// A message of another device, ours or the peer's, stands in the timeline now.
    MessageReceived(Message),
    /// A message that was already in the timeline changed: its delivery state, or an outcome that
    /// could be improved.
    MessageChanged(Message),
    /// A device appeared on an account's list, our own account included.
    DeviceAppeared {
        /// The device.
        device: DeviceInfo,
    },
    /// A device vanished from an account's list.
    DeviceVanished {
        /// The account.
        jid: BareJid,
        /// Its device id.
        device: u32,
    },
    /// A device that could be reached over `urn:xmpp:omemo:2` is listed for the legacy version only. That
    /// may be its server's doing: nothing is sent to it until it is back on the better list.
    DeviceDowngraded {
        /// The account.
        jid: BareJid,
        /// Its device id.
        device: u32,
    },
    /// A device presented another identity key than the one known for it; nothing of it was
    /// accepted.
    IdentityChanged {
        /// The account.
        jid: BareJid,
        /// Its device id.
        device: u32,
    },
    /// A contact wishes no more encrypted messages (XEP-0384 §5.9). Nothing is sent to it until the
    /// user has answered: [`crate::Conversation::keep_encrypted`].
    OptedOut {
        /// The contact.
        jid: BareJid,
        /// When it came, and the reason given.
        opt_out: OptOut,
    },
    /// This observer was too slow, or another process wrote: read the timeline again.
    Reset,
    /// The database is an older copy of itself: a backup was put back. New prekeys and sessions are being made; messages
    /// that were received since the copy was made come from the archive once more, and not all of them can be read.
    RolledBack,
}

impl From<ConnectionState> for Event {
    fn from(state: ConnectionState) -> Self {
        Self::ConnectionChanged(state)
    }
}

/// Whether the account is connected.
#[derive(Clone, Debug)]
pub enum ConnectionState {
    /// A connection is being made.
    Connecting,
    /// Logged in, devices published, catching up or caught up.
    Online,
    /// Not connected. Eft tries again at `retry_at`, or not at all if there is none.
    Offline {
        /// Why.
        error: Error,
        /// When it is tried again.
        retry_at: Option<Timestamp>,
    },
    /// Not connected because the app wants it so.
    Disconnected,
}

/// How far catch-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatchUpProgress {
    /// Archived stanzas worked through in this run.
    pub received_count: u64,
    /// Whether the end of the archive was reached, and nothing before it is missing.
    pub complete: bool,
    /// Whether the newest messages are here already and older ones are known to be missing: see
    /// [`crate::TimelinePage::gaps`].
    pub gap_is_open: bool,
    /// Whether it waits for [`crate::Account::resume_catch_up`].
    pub is_paused: bool,
}

/// How things stand with the account, for who asks.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) connection: ConnectionState,
    /// Whether the gaps in the timelines are being filled.
    pub(crate) is_filling: bool,
}

/// A subscription. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
}

impl Events {
    pub(crate) const fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self { receiver }
    }

    /// The next event; `None` once the account is closed. Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Event::Reset),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{Config, Credentials, Eft, MemorySecretStore};

    #[tokio::test]
    async fn subscriptions_end_when_the_account_is_closed_and_late_ones_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: folder.path().to_owned(),
        };
        let eft = Eft::open(config, Arc::new(MemorySecretStore::new())).unwrap();
        let account = eft
            .add_account(Credentials {
                jid: "alice@a.example".parse().unwrap(),
                password: "secret".to_owned().into(),
            })
            .await
            .unwrap();
        let mut early = account.events();
        account.shut_down().await;
        // The last word of a connection, and then the end.
        while early.next().await.is_some() {}
        assert!(account.events().next().await.is_none());
    }
}
