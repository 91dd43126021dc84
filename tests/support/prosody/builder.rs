//! What a scenario wants to differ from the default server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::app_server::AppServerPlace;
use crate::certificates::{Certificates, CertificatesError};
use crate::federation::Federation;
use crate::port::free_port;
use crate::process;

use super::{
    OtherServers, Ports, Prosody, ProsodyError, config, config_path, installed, spawn,
    wait_until_listening,
};

/// How often a start is tried with other ports when another process took one.
const PORT_TRIES: u32 = 5;

/// Which SASL mechanisms the server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanisms {
    /// What Prosody offers by itself: SCRAM with and without channel binding, PLAIN inside TLS.
    #[default]
    All,
    /// No PLAIN.
    ScramOnly,
    /// SCRAM without channel binding, and PLAIN.
    WithoutChannelBinding,
    /// PLAIN alone: a server that wants the password itself.
    PlainOnly,
}

/// What goes into the archive (XEP-0313) of an account that never said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArchivePolicy {
    /// Every message.
    #[default]
    Always,
    /// Messages of contacts.
    Roster,
    /// None.
    Never,
}

/// Builds a [`Prosody`]. The default is a friendly, current server: every module a client hopes for, an archive
/// that forgets nothing, no rate limits.
#[derive(Clone, Debug)]
pub struct ProsodyBuilder {
    pub(super) host: String,
    pub(super) second_host: Option<String>,
    pub(super) mechanisms: Mechanisms,
    pub(super) scram_hash: &'static str,
    pub(super) archive: ArchivePolicy,
    pub(super) archive_page_messages: Option<u32>,
    pub(super) stanza_limit_bytes: Option<u32>,
    pub(super) pep_max_items: Option<u32>,
    pub(super) hibernation: Duration,
    pub(super) one_step_login: bool,
    pub(super) log_level: &'static str,
    pub(super) without_modules: Vec<String>,
    pub(super) more_modules: Vec<String>,
    pub(super) certificate_domain: Option<String>,
    shown_chain: Option<(String, String)>,
    pub(super) extra_settings: Vec<String>,
    pub(super) servers: Option<Federation>,
    pub(super) app_server: Option<AppServerPlace>,
}

impl Default for ProsodyBuilder {
    fn default() -> Self {
        Self {
            host: "eft.test".to_owned(),
            second_host: None,
            mechanisms: Mechanisms::default(),
            scram_hash: "SHA-256",
            archive: ArchivePolicy::default(),
            archive_page_messages: None,
            stanza_limit_bytes: None,
            pep_max_items: None,
            hibernation: Duration::from_secs(600),
            one_step_login: false,
            log_level: "debug",
            without_modules: Vec::new(),
            more_modules: Vec::new(),
            certificate_domain: None,
            shown_chain: None,
            extra_settings: Vec::new(),
            servers: None,
            app_server: None,
        }
    }
}

impl ProsodyBuilder {
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

    /// A second domain in the same process, with accounts and a certificate name of its own.
    #[must_use]
    pub fn second_host(mut self, host: &str) -> Self {
        self.second_host = Some(host.to_owned());
        self
    }

    /// Which SASL mechanisms are offered.
    #[must_use]
    pub fn mechanisms(mut self, mechanisms: Mechanisms) -> Self {
        self.mechanisms = mechanisms;
        self
    }

    /// Stores passwords for SCRAM-SHA-1, as servers of before 2024 do. Default is SCRAM-SHA-256.
    #[must_use]
    pub fn scram_sha_1(mut self) -> Self {
        self.scram_hash = "SHA-1";
        self
    }

    /// What is archived by default.
    #[must_use]
    pub fn archive(mut self, policy: ArchivePolicy) -> Self {
        self.archive = policy;
        self
    }

    /// The most messages one archive page (XEP-0313 over XEP-0059) holds. Prosody's default is 50.
    #[must_use]
    pub fn archive_page_messages(mut self, count: u32) -> Self {
        self.archive_page_messages = Some(count);
        self
    }

    /// The largest stanza a client may send; the stream is closed on a larger one. Prosody's default is 256 KiB.
    #[must_use]
    pub fn stanza_limit_bytes(mut self, limit: u32) -> Self {
        self.stanza_limit_bytes = Some(limit);
        self
    }

    /// The most items a PEP node (XEP-0163) keeps. Prosody accepts a publication that asks for `max`, as OMEMO does for
    /// the bundles of several devices, and keeps this many all the same: with 1 each bundle replaces the one before.
    #[must_use]
    pub fn pep_max_items(mut self, count: u32) -> Self {
        self.pep_max_items = Some(count);
        self
    }

    /// How long a broken stream can be resumed (XEP-0198). Default 10 minutes, as in Prosody.
    #[must_use]
    pub fn hibernation(mut self, time: Duration) -> Self {
        self.hibernation = time;
        self
    }

    /// Offers SASL2, Bind 2 and FAST (XEP-0388, 0386, 0484) by Prosody's community modules.
    #[must_use]
    pub fn one_step_login(mut self) -> Self {
        self.one_step_login = true;
        self
    }

    /// Logs what is out of the ordinary only: for campaigns, where writing every stanza down is most of its work.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.log_level = "warn";
        self
    }

    /// Leaves a module of the default list out, for example `"mam"` or `"smacks"`.
    #[must_use]
    pub fn without_module(mut self, name: &str) -> Self {
        self.without_modules.push(name.to_owned());
        self
    }

    /// Loads a module that is not in the default list, out of `folder`, which the server's user has to be able to read.
    #[must_use]
    pub fn with_module(mut self, name: &str, folder: &Path) -> Self {
        self.more_modules.push(name.to_owned());
        let line = format!("plugin_paths = {{ {} }}", config::quote_path(folder));
        self.setting(&line)
    }

    /// Shows a certificate that is good for `domain` only, to clients that expect [`Self::host`].
    #[must_use]
    pub fn certificate_for(mut self, domain: &str) -> Self {
        self.certificate_domain = Some(domain.to_owned());
        self
    }

    /// Shows this chain in place of one of the run's own authority: certificates and private key, both PEM.
    #[must_use]
    pub fn shows(mut self, chain: &str, key: &str) -> Self {
        self.shown_chain = Some((chain.to_owned(), key.to_owned()));
        self
    }

    /// One more line of Prosody's configuration (Lua), in the global section.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.extra_settings.push(line.to_owned());
        self
    }

    /// Talks to the other members of this federation, over TLS with verified certificates only. Otherwise the server
    /// talks to no other.
    #[must_use]
    pub fn federated(mut self, federation: &Federation) -> Self {
        self.servers = Some(federation.clone());
        self
    }

    /// Starts the server and returns once both ports and the operator's socket are open.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::NotInstalled`] and [`ProsodyError::TooOld`] say what to run; [`ProsodyError::Ended`] and
    /// [`ProsodyError::NotListening`] carry the end of the server's log.
    pub async fn start(self) -> Result<Prosody, ProsodyError> {
        installed::require()?;
        let mut tries = 0;
        loop {
            match self.start_once().await {
                Err(ProsodyError::PortTaken) if tries < PORT_TRIES => tries += 1,
                result => return result,
            }
        }
    }

    async fn start_once(&self) -> Result<Prosody, ProsodyError> {
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix("eft-prosody-")
            .tempdir()
            .map_err(ProsodyError::folder(&temporary))?;
        let path = folder.path();
        let certificates = self.certificates(&path.join("certificates"))?;
        let leaf = match &self.certificate_domain {
            Some(domain) => certificates.issue_only(domain)?,
            None => certificates.issue(&self.host)?,
        };
        if let Some((chain, key)) = &self.shown_chain {
            fs::write(&leaf.chain_path, chain).map_err(ProsodyError::folder(path))?;
            fs::write(&leaf.key_path, key).map_err(ProsodyError::folder(path))?;
        }
        let second_leaf = self
            .second_host
            .as_ref()
            .map(|host| certificates.issue(host))
            .transpose()?;
        let ports = Ports {
            starttls: free_port().map_err(ProsodyError::folder(path))?,
            direct_tls: free_port().map_err(ProsodyError::folder(path))?,
        };
        let servers = match &self.servers {
            Some(federation) => Some(OtherServers {
                port: free_port().map_err(ProsodyError::folder(path))?,
                names: federation.names().address(),
                authority: certificates.authority_path(),
            }),
            None => None,
        };
        let data = path.join("data");
        fs::create_dir(&data).map_err(ProsodyError::folder(&data))?;
        let config = config::render(
            self,
            path,
            ports,
            &leaf,
            second_leaf.as_ref(),
            servers.as_ref(),
        );
        fs::write(config_path(path), config).map_err(ProsodyError::folder(path))?;
        if process::is_root() {
            process::give_away(path).map_err(ProsodyError::folder(path))?;
        }

        let mut child = spawn(path)?;
        let listening = wait_until_listening(&mut child, ports, path).await;
        // From here on the handle's `Drop` ends the child, also when it does not listen.
        let prosody = Prosody {
            child,
            certificates,
            host: self.host.clone(),
            ports,
            folder,
            _servers: self.servers.clone(),
        };
        listening?;
        if let (Some(federation), Some(servers)) = (&self.servers, servers) {
            federation.names().add(&self.host, servers.port);
        }
        Ok(prosody)
    }

    fn certificates(&self, folder: &Path) -> Result<Certificates, CertificatesError> {
        match &self.servers {
            Some(federation) => federation.certificates_in(folder),
            None => Certificates::create(folder),
        }
    }
}
