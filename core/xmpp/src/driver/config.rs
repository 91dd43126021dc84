//! What a connection needs to know.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::dial::Dialer;
use super::resolver::Resolver;
use super::tls::ClientTls;
use super::web::WebUrl;
use crate::limits::XmlLimits;
use crate::stream::{AckPolicy, LoginConfig, LostStream, Transport};

/// Asked before every write to the socket; `false` ends the connection with
/// [`super::CloseReason::Fenced`]. The holder of the account's lease answers whether it still holds
/// it. Must not block.
pub type WriteGate = Arc<dyn Fn() -> bool + Send + Sync>;

/// A fixed address instead of DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address. The certificate is still that of the account's domain.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How TLS starts there. With [`Transport::WebSocket`] the path is `/xmpp-websocket`; for another one see
    /// [`WebSocketUse::At`].
    pub transport: Transport,
}

/// When to connect by WebSocket (RFC 7395). Networks that let only the web through are its use; it costs a round trip
/// more than TLS.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum WebSocketUse {
    /// Not at all.
    Never,
    /// After everything that DNS named has failed, where the domain's `host-meta` says (XEP-0156). Not with
    /// [`ConnectConfig::endpoint`].
    #[default]
    WhenBlocked,
    /// At once, where the domain's `host-meta` says, and in no other way.
    Only,
    /// At once, there, and in no other way. The certificate is that of the address's host.
    At(WebUrl),
}

/// See [`super::connect`].
#[derive(Clone)]
pub struct ConnectConfig {
    /// Who logs in. `login.transport` is set from the target.
    pub login: LoginConfig,
    /// Trust and session tickets, shared between connections.
    pub tls: ClientTls,
    /// DNS.
    pub resolver: Arc<dyn Resolver>,
    /// A stream to take up again instead of beginning one: [`super::Closed::lost`], or what was read
    /// from disk. `login.resume` is set from it.
    pub resume: Option<LostStream>,
    /// Opens connections; `None` for directly, by way of the resolver. See [`super::Socks5Dialer`],
    /// [`super::HttpConnectDialer`].
    pub dialer: Option<Arc<dyn Dialer>>,
    /// Skips SRV records.
    pub endpoint: Option<Endpoint>,
    /// When to go over the web.
    pub websocket: WebSocketUse,
    /// For name resolution in all, and for TCP and direct TLS of each target.
    pub connect_timeout: Duration,
    /// For one target from the first header to the bound stream, STARTTLS included.
    pub login_timeout: Duration,
    /// Bounds of what the server may send after login.
    pub xml_limits: XmlLimits,
    /// When to ask the server for acknowledgements.
    pub ack_policy: AckPolicy,
    /// See [`WriteGate`].
    pub write_gate: Option<WriteGate>,
}

impl ConnectConfig {
    /// Ten seconds for each connect, twenty for the login: long enough for a phone on a bad cell,
    /// short enough that a dead host does not hold up the next.
    #[must_use]
    pub fn new(login: LoginConfig, tls: ClientTls, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            login,
            tls,
            resolver,
            resume: None,
            dialer: None,
            endpoint: None,
            websocket: WebSocketUse::default(),
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(20),
            xml_limits: XmlLimits::SESSION,
            ack_policy: AckPolicy::default(),
            write_gate: None,
        }
    }
}

impl fmt::Debug for ConnectConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectConfig")
            .field("login", &self.login)
            .field("endpoint", &self.endpoint)
            .field("websocket", &self.websocket)
            .field("connect_timeout", &self.connect_timeout)
            .field("login_timeout", &self.login_timeout)
            .finish_non_exhaustive()
    }
}
