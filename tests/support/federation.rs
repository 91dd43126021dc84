//! What servers share that talk to each other: one authority for their certificates, and a DNS that knows both.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::certificates::{Certificates, CertificatesError};
use crate::name_server::NameServer;

/// Why servers cannot be brought together.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// No port for the DNS, or no folder.
    #[error("cannot prepare the federation: {0}")]
    Prepare(#[from] std::io::Error),
    /// The authority.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
}

/// Servers that are started with the same federation find each other and trust each other's certificates. Each of them
/// keeps a handle of it.
#[derive(Clone, Debug)]
pub struct Federation {
    names: Arc<NameServer>,
    certificates: Arc<Certificates>,
    _folder: Arc<TempDir>,
}

impl Federation {
    /// A federation without members.
    ///
    /// # Errors
    ///
    /// See [`FederationError`].
    pub async fn start() -> Result<Self, FederationError> {
        let folder = tempfile::Builder::new()
            .prefix("eft-federation-")
            .tempdir()?;
        Ok(Self {
            names: Arc::new(NameServer::start().await?),
            certificates: Arc::new(Certificates::create(folder.path())?),
            _folder: Arc::new(folder),
        })
    }

    /// Who finds the members of this federation, and is found by them, and has certificates of another authority.
    ///
    /// # Errors
    ///
    /// See [`FederationError`].
    pub fn impostors(&self) -> Result<Self, FederationError> {
        let folder = tempfile::Builder::new()
            .prefix("eft-federation-")
            .tempdir()?;
        Ok(Self {
            names: Arc::clone(&self.names),
            certificates: Arc::new(Certificates::create(folder.path())?),
            _folder: Arc::new(folder),
        })
    }

    /// The DNS of all members.
    pub fn names(&self) -> &NameServer {
        &self.names
    }

    /// The same authority, with files of its own in `folder`.
    pub(crate) fn certificates_in(&self, folder: &Path) -> Result<Certificates, CertificatesError> {
        self.certificates.in_folder(folder)
    }
}
