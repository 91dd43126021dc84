//! How a server is reached, and how that went.

use std::sync::Arc;

use crate::network::Network;

/// How the server is reached; the default asks the DNS.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct ConnectOptions {
    /// Connect here instead of asking the DNS.
    #[uniffi(default)]
    pub server: Option<ServerAddress>,
    /// More certificate authorities to trust, PEM.
    #[uniffi(default)]
    pub extra_roots_pem: Option<String>,
    /// Allows SASL PLAIN, which hands the password to the server.
    #[uniffi(default)]
    pub allow_plain: bool,
    /// How many messages of the account's past a new device fetches when it connects for the first time, 1 to 250; 100 if it
    /// is not said. What is older comes on demand: `Conversation.load_older`.
    #[uniffi(default)]
    pub first_history_count: Option<u32>,
    /// What replaces a part of how connections are made.
    #[uniffi(default)]
    pub network: Option<Arc<Network>>,
}

/// A server's address given by hand.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ServerAddress {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS from the first byte instead of STARTTLS.
    pub direct_tls: bool,
}

impl From<ConnectOptions> for ::eft::ConnectOptions {
    fn from(options: ConnectOptions) -> Self {
        Self {
            server: options.server.map(|server| ::eft::ServerAddress {
                host: server.host,
                port: server.port,
                direct_tls: server.direct_tls,
            }),
            extra_roots_pem: options.extra_roots_pem,
            allow_plain: options.allow_plain,
            first_history_count: options.first_history_count,
            network: Network::of(options.network),
            ..::eft::ConnectOptions::default()
        }
    }
}

/// What the login of the present connection came to: for a support screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SessionInfo {
    /// An earlier stream goes on (XEP-0198): nothing had to be asked again.
    pub resumed: bool,
    /// The server keeps this stream for a while when the connection is lost.
    pub resumable: bool,
    /// A token stood for the password (XEP-0484).
    pub by_token: bool,
    /// The server can be asked to hold back what can wait while nobody looks at the app (XEP-0352).
    pub knows_client_state: bool,
}

impl From<::eft::SessionInfo> for SessionInfo {
    fn from(info: ::eft::SessionInfo) -> Self {
        Self {
            resumed: info.is_resumed,
            resumable: info.is_resumable,
            by_token: info.by_token,
            knows_client_state: info.knows_client_state,
        }
    }
}
