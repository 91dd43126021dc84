//! The connection, and why there is none.

use eft_types::Timestamp;
use eft_xmpp::stream::{Authentication, Resumption, Session};
use eft_xmpp::xep::datetime;

use super::fact::{Fact, ReportArea};

/// Whether there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// One is being made.
    Connecting,
    /// There is one, and the device is published.
    Online,
    /// There is none. It is tried again at this time, if at all.
    Offline {
        /// When.
        retry_at: Option<Timestamp>,
    },
    /// There is none, because the app wants it so.
    Disconnected,
    /// The app sleeps: [`crate::Account::suspend`].
    Suspended,
    /// The account was closed here.
    Closed,
}

/// Why the last connection, or the last attempt to make one, came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// [`crate::Error::code`].
    pub code: &'static str,
    /// For people, redacted.
    pub reason: String,
}

/// How the present connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionReport {
    /// The SASL mechanism that let us in.
    pub mechanism: String,
    /// What the login was bound to of the TLS connection; with a token, its mechanism says it.
    pub channel_binding: Option<String>,
    /// An earlier stream goes on (XEP-0198).
    pub is_resumed: bool,
    /// The server keeps this stream for a while when the connection is lost.
    pub is_resumable: bool,
    /// How long, if it says.
    pub kept_seconds: Option<u32>,
    /// The server can be told that nobody looks at the app (XEP-0352).
    pub knows_client_state: bool,
}

/// The connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionReport {
    /// Whether there is one.
    pub state: LinkState,
    /// Why the last one ended, if this process has seen one end.
    pub last_failure: Option<Failure>,
    /// How the present one was made.
    pub session: Option<SessionReport>,
}

impl SessionReport {
    pub(crate) fn new(session: &Session, is_resumable: bool) -> Self {
        let (mechanism, channel_binding) = match &session.authentication {
            Authentication::Password {
                mechanism,
                channel_binding,
            } => (mechanism.to_string(), *channel_binding),
            Authentication::Token(mechanism) => (mechanism.to_string(), None),
        };
        let management = session.stream_management.as_ref();
        Self {
            mechanism,
            channel_binding: channel_binding.map(|binding| binding.to_string()),
            is_resumed: matches!(session.resumption, Resumption::Resumed { .. }),
            is_resumable,
            kept_seconds: management.and_then(|management| management.max_seconds),
            knows_client_state: session.features.client_state,
        }
    }
}

impl ConnectionReport {
    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Connection;
        let state = match self.state {
            LinkState::Connecting => "connecting".to_owned(),
            LinkState::Online => "online".to_owned(),
            LinkState::Offline { retry_at: Some(at) } => {
                format!("offline, tried again at {}", datetime::format(at))
            }
            LinkState::Offline { retry_at: None } => "offline, not tried again".to_owned(),
            LinkState::Disconnected => "not wanted".to_owned(),
            LinkState::Suspended => "suspended".to_owned(),
            LinkState::Closed => "closed".to_owned(),
        };
        let mut facts = vec![area.fact("state", state)];
        if let Some(failure) = &self.last_failure {
            let at = datetime::format(failure.at);
            let text = format!("{at} {}: {}", failure.code, failure.reason);
            facts.push(area.fact("last failure", text));
        }
        if let Some(session) = &self.session {
            let binding = session.channel_binding.as_deref().unwrap_or("none");
            facts.extend([
                area.fact("mechanism", session.mechanism.as_str()),
                area.fact("channel binding", binding),
                area.fact("stream goes on from an earlier one", session.is_resumed),
                area.fact("stream can be resumed", session.is_resumable),
            ]);
            if let Some(seconds) = session.kept_seconds {
                facts.push(area.fact("stream is kept, in seconds", seconds));
            }
            facts.push(area.fact("client state indication", session.knows_client_state));
        }
        facts
    }
}
