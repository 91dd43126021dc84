//! Where Eft keeps its data and how it reaches a server.

use std::fmt;
use std::path::PathBuf;

use eft_types::BareJid;
use zeroize::Zeroizing;

use crate::network::Network;

/// How to open [`crate::Eft`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder for the databases, one sub-folder per account. Made with mode 0700 if absent.
    pub data_dir: PathBuf,
}

/// What logs an account in.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub jid: BareJid,
    /// Its password. Kept in the account's encrypted database.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("jid", &self.jid)
            .finish_non_exhaustive()
    }
}

/// How the server is reached. The default looks it up in the DNS (RFC 6120 §3.2, XEP-0368) and
/// trusts the platform's and Mozilla's certificate authorities.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Connect here instead of asking the DNS. The certificate must still name the account's domain.
    pub server: Option<ServerAddress>,
    /// More certificate authorities to trust, PEM.
    pub extra_roots_pem: Option<String>,
    /// Allows SASL PLAIN. Off by default: it hands the password to the server.
    pub allow_plain: bool,
    /// Resource to ask for; the server chooses if there is none.
    pub resource: Option<String>,
    /// How many messages of the account's past a new device fetches when it connects for the first time: the newest of all
    /// conversations, 1 to 250, and no more than the server gives at once. 100 if it is not said. None of them was encrypted
    /// for this device. What is older comes on demand: [`crate::Conversation::load_older`].
    pub first_history_count: Option<u32>,
    /// What replaces a part of how connections are made.
    pub network: Network,
}

/// A server's address given by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS from the first byte (XEP-0368) instead of STARTTLS.
    pub direct_tls: bool,
}
