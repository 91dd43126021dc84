//! Certificates, and both ends of TLS.

use std::io;
use std::path::Path;
use std::sync::Arc;

use eft_tests::Certificates;
use eft_xmpp::driver::BoxedStream;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::channel::Channel;
use super::peer::lost;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Somebody with a certificate.
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

impl Identity {
    fn create(authority: &Certificates, domain: &str) -> Result<Self, Fault> {
        let acceptor = authority.acceptor(domain)?;
        let chain = authority.folder().join(format!("{domain}.crt"));
        Ok(Self {
            acceptor,
            certificate: CertificateDer::from_pem_file(chain)?,
        })
    }

    /// The server's side of a handshake, and what can be bound to.
    pub(crate) async fn accept(&self, tcp: BoxedStream) -> io::Result<(BoxedStream, Channel)> {
        let stream = self.acceptor.accept(tcp).await?;
        let channel = Channel::of(stream.get_ref().1, &self.certificate);
        Ok((Box::new(stream), channel))
    }
}

/// Everybody of one run.
pub(crate) struct Tls {
    pub(crate) good: Identity,
    pub(crate) stranger: Identity,
    pub(crate) other_domain: Identity,
    /// Of the same authority and for the same domain as the good one: who got it stands between.
    pub(crate) middle: Identity,
    domain: ServerName<'static>,
    roots: Arc<RootCertStore>,
}

impl Tls {
    /// Makes an authority, whose certificate is then at `folder/authority.pem` or where [`Certificates`] puts it.
    pub(crate) fn create(folder: &Path, domain: &str) -> Result<(Self, Certificates), Fault> {
        let authority = Certificates::create(folder.join("authority"))?;
        let stranger = Certificates::create(folder.join("stranger"))?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority.authority_path())?)?;
        let tls = Self {
            good: Identity::create(&authority, domain)?,
            stranger: Identity::create(&stranger, domain)?,
            other_domain: Identity::create(&authority, "other.example")?,
            middle: Identity::create(&authority, domain)?,
            domain: ServerName::try_from(domain.to_owned())?,
            roots: Arc::new(roots),
        };
        Ok((tls, authority))
    }

    /// The client's side of a handshake with the good one.
    pub(crate) async fn connect(&self, tcp: BoxedStream, is_old: bool) -> io::Result<BoxedStream> {
        let versions = if is_old { &[&TLS12] } else { &[&TLS13] };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(lost)?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(self.domain.clone(), tcp)
            .await?;
        Ok(Box::new(stream))
    }
}
