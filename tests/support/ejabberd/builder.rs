//! What a scenario wants to differ from the default server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::app_server::AppServerPlace;
use crate::certificates::{Certificates, CertificatesError};
use crate::federation::Federation;
use crate::port::free_port;
use crate::process;
use crate::server::Ports;

use super::config::{self, AllPorts};
use super::{
    Ejabberd, EjabberdError, config_path, database_path, resolver_path, spawn, wait_until_listening,
};

/// How often a start is tried with other ports when another process took one.
const PORT_TRIES: u32 = 5;

/// Builds an [`Ejabberd`]. The default is a friendly, current server that talks to no other.
#[derive(Clone, Debug)]
pub struct EjabberdBuilder {
    pub(super) host: String,
    pub(super) hibernation: Duration,
    pub(super) servers: Option<Federation>,
    pub(super) app_server: Option<AppServerPlace>,
}

impl Default for EjabberdBuilder {
    fn default() -> Self {
        Self {
            host: "eft.test".to_owned(),
            hibernation: Duration::from_secs(600),
            servers: None,
            app_server: None,
        }
    }
}

impl EjabberdBuilder {
    /// An app's push server may connect.
    #[must_use]
    pub fn app_server(mut self, place: &AppServerPlace) -> Self {
        self.app_server = Some(place.clone());
        self
    }

    /// The served domain. Default `eft.test`.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// How long a broken stream can be resumed (XEP-0198). Default 10 minutes.
    #[must_use]
    pub fn hibernation(mut self, time: Duration) -> Self {
        self.hibernation = time;
        self
    }

    /// Talks to the other members of this federation, over TLS with verified certificates only.
    #[must_use]
    pub fn federated(mut self, federation: &Federation) -> Self {
        self.servers = Some(federation.clone());
        self
    }

    /// Starts the server and returns once its ports are open.
    ///
    /// # Errors
    ///
    /// [`EjabberdError::NotInstalled`] and [`EjabberdError::TooOld`] say what to run; [`EjabberdError::Ended`] and
    /// [`EjabberdError::NotListening`] carry the end of the server's log.
    pub async fn start(self) -> Result<Ejabberd, EjabberdError> {
        let mut tries = 0;
        loop {
            match self.start_once().await {
                Err(EjabberdError::PortTaken) if tries < PORT_TRIES => tries += 1,
                result => return result,
            }
        }
    }

    async fn start_once(&self) -> Result<Ejabberd, EjabberdError> {
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix("eft-ejabberd-")
            .tempdir()
            .map_err(EjabberdError::folder(&temporary))?;
        let path = folder.path();
        let certificates = self.certificates(&path.join("certificates"))?;
        let leaf = certificates.issue(&self.host)?;
        // ejabberd wants key and chain in one file.
        let certificate = path.join("certificates/server.pem");
        let pem = fs::read_to_string(&leaf.key_path)
            .and_then(|key| Ok(key + &fs::read_to_string(&leaf.chain_path)?))
            .map_err(EjabberdError::folder(path))?;
        let port = || free_port().map_err(EjabberdError::folder(path));
        let ports = AllPorts {
            clients: Ports {
                starttls: port()?,
                direct_tls: port()?,
            },
            http: port()?,
            servers: port()?,
        };
        let names: Option<SocketAddr> = self
            .servers
            .as_ref()
            .map(|servers| servers.names().address());
        let authority = certificates.authority_path();
        let config = config::render(self, ports, &certificate, &authority);
        write(&certificate, &pem)?;
        write(&config_path(path), &config)?;
        write(&resolver_path(path), &config::resolver(names))?;
        let database = database_path(path);
        fs::create_dir(&database).map_err(EjabberdError::folder(&database))?;
        if process::is_root() {
            process::give_away(path).map_err(EjabberdError::folder(path))?;
        }

        let mut child = spawn(path)?;
        let listening = wait_until_listening(&mut child, ports.clients, ports.http, path).await;
        // From here on the handle's `Drop` ends the child, also when it does not listen.
        let ejabberd = Ejabberd {
            child,
            certificates,
            host: self.host.clone(),
            ports: ports.clients,
            http_port: ports.http,
            folder,
            _servers: self.servers.clone(),
        };
        listening?;
        if let Some(federation) = &self.servers {
            federation.names().add(&self.host, ports.servers);
        }
        Ok(ejabberd)
    }

    fn certificates(&self, folder: &Path) -> Result<Certificates, CertificatesError> {
        match &self.servers {
            Some(federation) => federation.certificates_in(folder),
            None => Certificates::create(folder),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), EjabberdError> {
    fs::write(path, text).map_err(EjabberdError::folder(path))
}
