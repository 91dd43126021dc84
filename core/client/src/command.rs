//! What the handles ask of the account's thread, in the imperative.

use std::time::Duration;

use eft_omemo::{Fingerprint, TrustLevel};
use eft_types::{BareJid, DeviceAddress, MessageId};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::config::ConnectOptions;
use crate::contact::Contact;
use crate::error::Error;
use crate::push::PushTarget;
use crate::push_test::PushTest;
use crate::report::Report;
use crate::session_info::SessionInfo;
use crate::timeline::LoadedHistory;
use crate::wake::WakeOutcome;

/// Where the answer to a command goes. A caller that stopped waiting is no error.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

impl Command {
    /// Whether it writes, so that this process has to hold the account.
    pub(crate) const fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Connect { .. }
                | Self::Disconnect { .. }
                | Self::Contacts { .. }
                | Self::RefreshDevices { .. }
                | Self::Close { .. }
                | Self::Suspend { .. }
                | Self::Resume { .. }
                | Self::PauseCatchUp { .. }
                | Self::SetActive { .. }
                | Self::NetworkChanged
                | Self::Session { .. }
                | Self::LookAtServer { .. }
                | Self::Report { .. }
                | Self::HandlePush { .. }
                | Self::Collect { reply: None }
        )
    }

    /// Answers with an error.
    pub(crate) fn refuse(self, error: Error) {
        match self {
            Self::Connect { reply, .. }
            | Self::Disconnect { reply }
            | Self::KeepEncrypted { reply, .. }
            | Self::SeparateVersions { reply, .. }
            | Self::Resend { reply, .. }
            | Self::AcceptLegacy { reply, .. }
            | Self::AcceptDowngrade { reply }
            | Self::SetPassword { reply, .. }
            | Self::SetTrust { reply, .. }
            | Self::RefreshDevices { reply, .. }
            | Self::Suspend { reply }
            | Self::Resume { reply }
            | Self::MarkRead { reply, .. }
            | Self::PauseCatchUp { reply, .. }
            | Self::Announced { reply, .. }
            | Self::RegisterPush { reply, .. }
            | Self::UnregisterPush { reply }
            | Self::LookAtServer { reply }
            | Self::Close { reply } => drop(reply.send(Err(error))),
            Self::Send { reply, .. } => drop(reply.send(Err(error))),
            Self::ResetSessions { reply, .. } => drop(reply.send(Err(error))),
            Self::Contacts { reply } => drop(reply.send(Err(error))),
            Self::Session { reply } => drop(reply.send(Err(error))),
            Self::Report { reply } => drop(reply.send(Err(error))),
            Self::LoadOlder { reply, .. } => drop(reply.send(Err(error))),
            Self::HandlePush { reply, .. } => drop(reply.send(Err(error))),
            Self::TestPush { reply, .. } => drop(reply.send(Err(error))),
            Self::Collect { reply } => {
                if let Some(reply) = reply {
                    drop(reply.send(Err(error)));
                }
            }
            Self::SetActive { .. } | Self::NetworkChanged => {}
        }
    }
}

/// A command.
pub(crate) enum Command {
    /// Connect and stay connected. Answered when the account is online, or why it cannot be.
    Connect {
        options: ConnectOptions,
        reply: Reply<()>,
    },
    /// End the connection and do not make another.
    Disconnect { reply: Reply<()> },
    /// Put a text into the outbox. Answered when it is on disk.
    Send {
        peer: BareJid,
        text: String,
        reply: Reply<MessageId>,
    },
    /// The user has read the peer's opt-out and goes on, encrypted.
    KeepEncrypted { peer: BareJid, reply: Reply<()> },
    /// Put both OMEMO versions into stanzas of their own, or not.
    SeparateVersions {
        peer: BareJid,
        separate: bool,
        reply: Reply<()>,
    },
    /// Try a message that failed again.
    Resend {
        peer: BareJid,
        message: MessageId,
        reply: Reply<()>,
    },
    /// The user accepts the older version for a device.
    AcceptLegacy {
        device: DeviceAddress,
        reply: Reply<()>,
    },
    /// The user knows why the server offers less security than it did.
    AcceptDowngrade { reply: Reply<()> },
    /// Log in with another password from the next connection on.
    SetPassword {
        password: Zeroizing<String>,
        reply: Reply<()>,
    },
    /// Carry out the user's decision about a key.
    SetTrust {
        jid: BareJid,
        fingerprint: Fingerprint,
        level: TrustLevel,
        reply: Reply<()>,
    },
    /// Make sessions anew, with one account's devices or with all. Answered with their number.
    ResetSessions {
        with: Option<BareJid>,
        reply: Reply<usize>,
    },
    /// Give the contact list.
    Contacts { reply: Reply<Vec<Contact>> },
    /// Fetch an account's device lists now.
    RefreshDevices { jid: BareJid, reply: Reply<()> },
    /// Let go of everything until [`Command::Resume`].
    Suspend { reply: Reply<()> },
    /// Open everything again.
    Resume { reply: Reply<()> },
    /// Fetch what stands before all that is here of a conversation.
    LoadOlder {
        peer: BareJid,
        limit: u32,
        reply: Reply<LoadedHistory>,
    },
    /// Ask for no more of the archive than its newest page, or for all of it again.
    PauseCatchUp { is_paused: bool, reply: Reply<()> },
    /// Somebody looks at the app, or nobody does any more.
    SetActive { active: bool },
    /// What was connected may not be any more.
    NetworkChanged,
    /// Say how the present connection was made.
    Session { reply: Reply<Option<SessionInfo>> },
    /// Ask the server what it can do and what it publishes, for a report.
    LookAtServer { reply: Reply<()> },
    /// Say what is known.
    Report { reply: Reply<Report> },
    /// The user has read a conversation up to a message.
    MarkRead {
        peer: BareJid,
        up_to: MessageId,
        reply: Reply<()>,
    },
    /// Turn what other processes left into messages; without somebody who waits, only if this process has the account.
    Collect { reply: Option<Reply<u32>> },
    /// A push came: connect, catch up, hang up.
    HandlePush {
        options: ConnectOptions,
        within: Duration,
        reply: Reply<WakeOutcome>,
    },
    /// Ask the server to push for this device, from now on.
    RegisterPush {
        target: PushTarget,
        reply: Reply<()>,
    },
    /// See whether a push arrives.
    TestPush {
        within: Duration,
        reply: Reply<PushTest>,
    },
    /// Ask it not to any more.
    UnregisterPush { reply: Reply<()> },
    /// The user was told of these messages.
    Announced {
        messages: Vec<MessageId>,
        reply: Reply<()>,
    },
    /// End the connection and close the database.
    Close { reply: Reply<()> },
}
