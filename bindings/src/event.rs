//! Observers.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::conversation::OptOut;
use crate::device::Device;
use crate::host::{HostError, dispatcher};
use crate::message::Message;

/// Something that happened; everything it speaks of is on disk already.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Event {
    /// A connection is being made.
    Connecting,
    /// Logged in.
    Online,
    /// The connection is gone.
    Offline {
        /// Stable code of the reason.
        code: String,
        /// The reason for a log.
        reason: String,
        /// When Eft tries again, milliseconds since the epoch; never, if there is none.
        retry_at_ms: Option<i64>,
    },
    /// Not connected because the app wants it so.
    Disconnected,
    /// Catch-up moved on.
    CatchUpProgressed {
        /// Archived stanzas worked through in this run.
        received_count: u64,
        /// Whether the end of the archive was reached, and nothing before it is missing.
        complete: bool,
        /// Whether the newest messages are here already and older ones are known to be missing: `TimelinePage.gaps`.
        gap_open: bool,
        /// Whether it waits for `Account.resume_catch_up`.
        paused: bool,
    },
    /// What was missing somewhere in the timelines is there now, or was found not to exist: pages that showed a gap are to be
    /// read again.
    GapClosed,
    /// A message stands in the timeline now.
    MessageReceived {
        /// The message.
        message: Message,
    },
    /// A message of the timeline changed.
    MessageChanged {
        /// The message as it is now.
        message: Message,
    },
    /// A device appeared on an account's list.
    DeviceAppeared {
        /// The device.
        device: Device,
    },
    /// A device vanished from an account's list.
    DeviceVanished {
        /// The account.
        jid: String,
        /// The device id.
        device: u32,
    },
    /// A device is listed for the legacy version only, and was for the better one: nothing is sent to it until
    /// it is back.
    DeviceDowngraded {
        /// The account.
        jid: String,
        /// The device id.
        device: u32,
    },
    /// A device presented another identity key; nothing of it was accepted.
    IdentityChanged {
        /// The account.
        jid: String,
        /// The device id.
        device: u32,
    },
    /// A contact wishes no more encrypted messages (XEP-0384 §5.9). Nothing is sent to it until the user has
    /// answered: `Conversation.keepEncrypted`.
    OptedOut {
        /// The contact.
        jid: String,
        /// When it came, and the reason given.
        opt_out: OptOut,
    },
    /// The observer was too slow, or another process wrote: read the timeline again.
    Reset,
    /// The database is an older copy of itself: a backup was put back. New prekeys and sessions are being made; what was
    /// received since the copy was made comes from the archive once more, and not all of it can be read.
    RolledBack,
}

impl From<::eft::Event> for Event {
    fn from(event: ::eft::Event) -> Self {
        use ::eft::ConnectionState;
        match event {
            ::eft::Event::ConnectionChanged(ConnectionState::Connecting) => Self::Connecting,
            ::eft::Event::ConnectionChanged(ConnectionState::Online) => Self::Online,
            ::eft::Event::ConnectionChanged(ConnectionState::Offline { error, retry_at }) => {
                Self::Offline {
                    code: error.code().to_owned(),
                    reason: error.to_string(),
                    retry_at_ms: retry_at.map(::eft::Timestamp::as_millis),
                }
            }
            ::eft::Event::ConnectionChanged(ConnectionState::Disconnected) => Self::Disconnected,
            ::eft::Event::CatchUpProgressed(progress) => Self::CatchUpProgressed {
                received_count: progress.received_count,
                complete: progress.complete,
                gap_open: progress.gap_is_open,
                paused: progress.is_paused,
            },
            ::eft::Event::MessageReceived(message) => Self::MessageReceived {
                message: message.into(),
            },
            ::eft::Event::MessageChanged(message) => Self::MessageChanged {
                message: message.into(),
            },
            ::eft::Event::DeviceAppeared { device } => Self::DeviceAppeared {
                device: device.into(),
            },
            ::eft::Event::DeviceVanished { jid, device } => Self::DeviceVanished {
                jid: jid.to_string(),
                device,
            },
            ::eft::Event::DeviceDowngraded { jid, device } => Self::DeviceDowngraded {
                jid: jid.to_string(),
                device,
            },
            ::eft::Event::IdentityChanged { jid, device } => Self::IdentityChanged {
                jid: jid.to_string(),
                device,
            },
            ::eft::Event::OptedOut { jid, opt_out } => Self::OptedOut {
                jid: jid.to_string(),
                opt_out: opt_out.into(),
            },
            ::eft::Event::GapClosed => Self::GapClosed,
            ::eft::Event::RolledBack => Self::RolledBack,
            // Also what a newer core may add: the observer reads again and misses nothing.
            _ => Self::Reset,
        }
    }
}

/// Implemented by the host. Called from one dispatcher thread, one event after the other, with no
/// lock held: calling Eft from inside is fine, blocking delays every observer.
#[uniffi::export(with_foreign)]
pub trait AccountObserver: Send + Sync {
    /// Something happened.
    ///
    /// # Errors
    /// Whatever the host's code throws: it costs the observer this event and no more.
    fn on_event(&self, event: Event) -> Result<(), HostError>;

    /// The account was closed; nothing comes any more. Not called after the subscription was released.
    ///
    /// # Errors
    /// As [`AccountObserver::on_event`].
    fn on_end(&self) -> Result<(), HostError>;
}

/// Lives as long as events are wanted; releasing it unsubscribes.
#[derive(uniffi::Object)]
pub struct Subscription {
    /// Dropped with the subscription, which ends the dispatcher's task.
    _stop: oneshot::Sender<()>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

impl Subscription {
    pub(crate) fn start(mut events: ::eft::Events, observer: Arc<dyn AccountObserver>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        if let Some(dispatcher) = dispatcher() {
            dispatcher.spawn(async move {
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        event = events.next() => match event {
                            // What an observer throws is its own affair.
                            Some(event) => drop(observer.on_event(event.into())),
                            None => return drop(observer.on_end()),
                        },
                    }
                }
            });
        }
        Self { _stop: stop }
    }
}
