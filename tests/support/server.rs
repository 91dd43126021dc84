//! What a scenario needs of a server, whichever program it is.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use eft_types::BareJid;

use crate::app_server::AppServerPlace;
use crate::ejabberd::{Ejabberd, EjabberdError};
use crate::prosody::{Prosody, ProsodyError};

/// Name and password of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The account's address.
    pub jid: BareJid,
    /// The account's password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("jid", &self.jid.as_str())
            .finish_non_exhaustive()
    }
}

/// The two loopback ports clients connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// STARTTLS (RFC 6120).
    pub starttls: u16,
    /// TLS from the first byte (XEP-0368).
    pub direct_tls: u16,
}

/// What a client has to know of a server to reach it.
pub trait Server: Sync {
    /// The served domain.
    fn host(&self) -> &str;

    /// The ports clients connect to, on 127.0.0.1.
    fn ports(&self) -> Ports;

    /// The certificate (PEM) of the authority that clients have to trust.
    fn authority_path(&self) -> PathBuf;

    /// Where STARTTLS clients connect.
    fn starttls_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports().starttls).into()
    }

    /// Where direct TLS clients connect.
    fn direct_tls_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports().direct_tls).into()
    }
}

impl Server for Prosody {
    fn host(&self) -> &str {
        self.host()
    }

    fn ports(&self) -> Ports {
        self.ports()
    }

    fn authority_path(&self) -> PathBuf {
        self.authority_path()
    }
}

impl Server for Ejabberd {
    fn host(&self) -> &str {
        self.host()
    }

    fn ports(&self) -> Ports {
        self.ports()
    }

    fn authority_path(&self) -> PathBuf {
        self.authority_path()
    }
}

/// The programs that a story can be told on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// Prosody 13 with SASL2, Bind 2 and FAST by its community modules.
    Prosody,
    /// ejabberd 24.12, which has them built in.
    Ejabberd,
}

/// Why a server of either kind is not there, or refuses.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Prosody's reason.
    #[error(transparent)]
    Prosody(#[from] ProsodyError),
    /// ejabberd's reason.
    #[error(transparent)]
    Ejabberd(#[from] EjabberdError),
}

/// A server of one of the kinds: a story that takes this is told on both.
#[derive(Debug)]
pub enum AnyServer {
    /// See [`ServerKind::Prosody`].
    Prosody(Box<Prosody>),
    /// See [`ServerKind::Ejabberd`].
    Ejabberd(Box<Ejabberd>),
}

impl AnyServer {
    /// Starts a server with everything a client hopes for. Its domain is `eft.test`.
    ///
    /// # Errors
    ///
    /// Those of the kind.
    pub async fn start(kind: ServerKind) -> Result<Self, ServerError> {
        Self::start_with(kind, None).await
    }

    /// The same, with a place for an app's push server.
    ///
    /// # Errors
    ///
    /// Those of the kind.
    pub async fn start_with(
        kind: ServerKind,
        app_server: Option<&AppServerPlace>,
    ) -> Result<Self, ServerError> {
        Ok(match kind {
            ServerKind::Prosody => {
                let mut builder = Prosody::builder().one_step_login();
                if let Some(place) = app_server {
                    builder = builder.app_server(place);
                }
                Self::Prosody(Box::new(builder.start().await?))
            }
            ServerKind::Ejabberd => {
                let mut builder = Ejabberd::builder();
                if let Some(place) = app_server {
                    builder = builder.app_server(place);
                }
                Self::Ejabberd(Box::new(builder.start().await?))
            }
        })
    }

    /// Creates `user`, with a password of its own.
    ///
    /// # Errors
    ///
    /// When the server refuses the name.
    pub async fn add_account(&self, user: &str) -> Result<Login, ServerError> {
        Ok(match self {
            Self::Prosody(server) => server.add_account(user).await?,
            Self::Ejabberd(server) => server.add_account(user).await?,
        })
    }

    /// Ends the server and starts it again: same ports, same accounts, same archive.
    ///
    /// # Errors
    ///
    /// When it does not come back.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Prosody(server) => server.restart().await?,
            Self::Ejabberd(server) => server.restart().await?,
        }
        Ok(())
    }

    /// The files below the server's folder of data whose bytes contain `needle`.
    ///
    /// # Errors
    ///
    /// What the system says when the folder cannot be read.
    pub fn files_containing(&self, needle: &str) -> std::io::Result<Vec<PathBuf>> {
        match self {
            Self::Prosody(server) => server.files_containing(needle),
            Self::Ejabberd(server) => server.files_containing(needle),
        }
    }

    fn as_server(&self) -> &dyn Server {
        match self {
            Self::Prosody(server) => server.as_ref(),
            Self::Ejabberd(server) => server.as_ref(),
        }
    }
}

impl Server for AnyServer {
    fn host(&self) -> &str {
        self.as_server().host()
    }

    fn ports(&self) -> Ports {
        self.as_server().ports()
    }

    fn authority_path(&self) -> PathBuf {
        self.as_server().authority_path()
    }
}
