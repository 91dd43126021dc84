//! Where a child finds its account and its server.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eft::{
    BareJid, Config, ConnectOptions, Credentials, Eft, Error, FileSecretStore, ServerAddress,
};

use crate::phone::credentials;
use crate::server::{Login, Server};

const FOLDER: &str = "EFT_CHILD_FOLDER";
const PORT: &str = "EFT_CHILD_PORT";
const AUTHORITY: &str = "EFT_CHILD_AUTHORITY";
const JID: &str = "EFT_CHILD_JID";
const PASSWORD: &str = "EFT_CHILD_PASSWORD";

/// An account, its data folder, and how its server is reached: what one process tells another by its environment.
#[derive(Clone)]
pub struct Home {
    /// Name and password.
    pub login: Login,
    /// Holds data and keys.
    pub folder: PathBuf,
    /// The port for STARTTLS on 127.0.0.1.
    pub port: u16,
    /// The certificate that is trusted.
    pub authority: PathBuf,
}

impl Home {
    /// Of an account on a server.
    #[must_use]
    pub fn new(server: &dyn Server, login: &Login, folder: &Path) -> Self {
        Self {
            login: login.clone(),
            folder: folder.to_owned(),
            port: server.ports().starttls,
            authority: server.authority_path(),
        }
    }

    /// For the child.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        [
            (FOLDER, text(&self.folder)),
            (PORT, self.port.to_string()),
            (AUTHORITY, text(&self.authority)),
            (JID, self.login.jid.to_string()),
            (PASSWORD, self.login.password.clone()),
        ]
        .into_iter()
    }

    /// In the child.
    ///
    /// # Errors
    /// If this process is no child with a home.
    pub fn of_this_process() -> io::Result<Self> {
        let given = |name: &str| std::env::var(name).map_err(io::Error::other);
        let jid: BareJid = given(JID)?.parse().map_err(io::Error::other)?;
        Ok(Self {
            login: Login {
                jid,
                password: given(PASSWORD)?,
            },
            folder: given(FOLDER)?.into(),
            port: given(PORT)?.parse().map_err(io::Error::other)?,
            authority: given(AUTHORITY)?.into(),
        })
    }

    /// The engine on this folder.
    ///
    /// # Errors
    /// Those of [`Eft::open`].
    pub fn open(&self) -> Result<Eft, Error> {
        let secrets = Arc::new(FileSecretStore::new(self.folder.join("keys"))?);
        let config = Config {
            data_dir: self.folder.join("data"),
        };
        Eft::open(config, secrets)
    }

    /// What the account is made with.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        credentials(&self.login)
    }

    /// How the server is reached.
    #[must_use]
    pub fn options(&self) -> ConnectOptions {
        ConnectOptions {
            server: Some(ServerAddress {
                host: "127.0.0.1".to_owned(),
                port: self.port,
                direct_tls: false,
            }),
            extra_roots_pem: std::fs::read_to_string(&self.authority).ok(),
            ..ConnectOptions::default()
        }
    }
}
