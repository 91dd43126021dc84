//! TLS: who is trusted, and what went wrong. rustls, TLS 1.2 and 1.3.
//!
//! Session tickets are shared by the connections of one [`ClientTls`], and so of one process at best. Processes cannot
//! share them: rustls 0.23 hands tickets to a `ClientSessionStore` as values whose fields are private and that have
//! no way to bytes or back, and it takes a ticket only with the very verifier value that saw the server's certificate.
//! A new process begins with a full handshake, which costs bytes and no round trip (TLS 1.3).

mod host_verifier;
mod key_pin;

use core::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use self::host_verifier::KeyOnly;
pub use self::host_verifier::{CertificateQuery, CertificateVerifier};
pub use self::key_pin::KeyPin;
use self::key_pin::Pinned;
use super::dial::BoxedStream;
use super::error::{CertificateProblem, ConnectError};
use super::reply::ask;
use crate::stream::Transport;
use crate::stream::sasl::{TlsFacts, TlsVersion, server_end_point};

/// XEP-0368 §3.
const ALPN: &[u8] = b"xmpp-client";
/// RFC 7301 §6. WebSockets and `host-meta` are asked for in this version of HTTP only.
const WEB_ALPN: &[u8] = b"http/1.1";

/// Which issuers count.
#[derive(Clone, Debug)]
pub struct TrustRoots {
    /// Mozilla's list, compiled in.
    pub webpki: bool,
    /// The system's store, which holds what an organisation installed.
    pub native: bool,
    /// Further roots in PEM, each text with one or more certificates.
    pub extra_pem: Vec<String>,
}

impl Default for TrustRoots {
    fn default() -> Self {
        Self {
            webpki: true,
            native: true,
            extra_pem: Vec::new(),
        }
    }
}

/// Why there is no trust store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Text that holds no usable certificate.
    #[error("PEM text {index} holds no usable certificate")]
    BadPem {
        /// Position in [`TrustRoots::extra_pem`].
        index: usize,
    },
    /// Nothing would be trusted.
    #[error("no trust roots")]
    Empty,
    /// The TLS library refused its configuration.
    #[error("TLS configuration: {0}")]
    Config(String),
}

/// TLS settings with their session cache. Cheap to clone; make one per process.
#[derive(Clone)]
pub struct ClientTls {
    starttls: Arc<ClientConfig>,
    direct: Arc<ClientConfig>,
    web: Arc<ClientConfig>,
    host: Option<Arc<dyn CertificateVerifier>>,
}

impl ClientTls {
    /// Loads roots. Reads files if `native` is set: call it off the async threads.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn new(roots: &TrustRoots) -> Result<Self, TrustError> {
        let config = builder()?
            .with_root_certificates(load(roots)?)
            .with_no_client_auth();
        Ok(Self::from_config(config))
    }

    /// As [`Self::new`], and the server's key has to be one of these: who gets a certificate from
    /// one of the many issuers gains nothing. When the server changes its key for one that was not
    /// named beforehand, the account is cut off.
    ///
    /// # Errors
    /// See [`TrustError`]; [`TrustError::Empty`] without any pin.
    pub fn pinned(roots: &TrustRoots, pins: Vec<KeyPin>) -> Result<Self, TrustError> {
        if pins.is_empty() {
            return Err(TrustError::Empty);
        }
        let roots = Arc::new(load(roots)?);
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider())
            .build()
            .map_err(|error| TrustError::Config(error.to_string()))?;
        Self::with_verifier(Arc::new(Pinned { inner, pins }))
    }

    /// Leaves the decision to the host, which may take its time, within
    /// [`super::ConnectConfig::connect_timeout`]. It is asked on every connection, before anything
    /// is sent.
    ///
    /// # Errors
    /// [`TrustError::Config`].
    pub fn with_host(host: Arc<dyn CertificateVerifier>) -> Result<Self, TrustError> {
        let tls = Self::with_verifier(Arc::new(KeyOnly(provider())))?;
        Ok(Self {
            host: Some(host),
            ..tls
        })
    }

    /// Leaves the decision to the platform. The verifier must check the name that it is given.
    ///
    /// # Errors
    /// [`TrustError::Config`].
    pub fn with_verifier(verifier: Arc<dyn ServerCertVerifier>) -> Result<Self, TrustError> {
        let config = builder()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self::from_config(config))
    }

    fn from_config(config: ClientConfig) -> Self {
        let mut direct = config.clone();
        direct.alpn_protocols = vec![ALPN.to_vec()];
        let mut web = config.clone();
        web.alpn_protocols = vec![WEB_ALPN.to_vec()];
        Self {
            starttls: Arc::new(config),
            direct: Arc::new(direct),
            web: Arc::new(web),
            host: None,
        }
    }

    /// Handshake. The certificate must name `domain`, the domain of the account or the host that it
    /// named by a verified `host-meta`, wherever we connected.
    pub(super) async fn handshake(
        &self,
        stream: BoxedStream,
        domain: &ServerName<'static>,
        transport: Transport,
        at: &str,
    ) -> Result<TlsStream<BoxedStream>, ConnectError> {
        let config = match transport {
            Transport::StartTls => &self.starttls,
            Transport::DirectTls => &self.direct,
            Transport::WebSocket => &self.web,
        };
        let tls = TlsConnector::from(Arc::clone(config))
            .connect(domain.clone(), stream)
            .await
            .map_err(|error| tls_error(&error, at))?;
        if let Some(host) = &self.host {
            let (_, connection) = tls.get_ref();
            let chain = connection.peer_certificates().unwrap_or_default();
            let query = CertificateQuery {
                domain: domain.to_str().into_owned(),
                chain: chain
                    .iter()
                    .map(|certificate| certificate.to_vec())
                    .collect(),
            };
            let no_answer = CertificateProblem::Other("the host gave no answer".to_owned());
            ask(|reply| host.verify(query, reply))
                .await
                .unwrap_or(Err(no_answer))
                .map_err(|reason| ConnectError::Certificate {
                    reason,
                    at: at.to_owned(),
                })?;
        }
        Ok(tls)
    }
}

fn load(roots: &TrustRoots) -> Result<RootCertStore, TrustError> {
    let mut store = RootCertStore::empty();
    if roots.webpki {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if roots.native {
        let native = rustls_native_certs::load_native_certs();
        // A broken file in the system's store is no reason to distrust the others.
        let (_, ignored) = store.add_parsable_certificates(native.certs);
        if ignored > 0 || !native.errors.is_empty() {
            tracing::debug!(
                ignored,
                errors = native.errors.len(),
                "some system roots are unusable"
            );
        }
    }
    for (index, pem) in roots.extra_pem.iter().enumerate() {
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            certificate
                .ok()
                .and_then(|certificate| store.add(certificate).ok())
                .ok_or(TrustError::BadPem { index })?;
        }
        if store.len() == before {
            return Err(TrustError::BadPem { index });
        }
    }
    if store.is_empty() {
        return Err(TrustError::Empty);
    }
    Ok(store)
}

/// The cryptography of TLS: ring, which is small and builds for both phones without further tools. With the feature
/// `aws-lc-rs` its C library instead, and with that X25519MLKEM768 before all other key exchanges.
fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(provider)
}

/// What a login may bind itself to.
pub(super) fn facts(tls: &TlsStream<BoxedStream>) -> TlsFacts {
    let (_, connection) = tls.get_ref();
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => Some(TlsVersion::Tls13),
        Some(rustls::ProtocolVersion::TLSv1_2) => Some(TlsVersion::Tls12),
        _ => None,
    };
    let exporter = (version == Some(TlsVersion::Tls13))
        .then(|| {
            // RFC 9266 §2: this label, an empty context, 32 bytes.
            connection
                .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
                .ok()
                .map(Zeroizing::new)
        })
        .flatten();
    let certificate = connection.peer_certificates().and_then(<[_]>::first);
    TlsFacts {
        version,
        exporter,
        server_end_point: certificate.and_then(|certificate| server_end_point(certificate)),
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TrustError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError::Config(error.to_string()))
}

/// Name for SNI and certificate: the ASCII form of the JID's domain (RFC 6120 §13.7.2).
pub(super) fn server_name(domain: &str) -> Result<ServerName<'static>, ConnectError> {
    let bare = domain.trim_start_matches('[').trim_end_matches(']');
    let ascii = idna::domain_to_ascii(bare).unwrap_or_else(|_| bare.to_owned());
    ServerName::try_from(ascii).map_err(|_| ConnectError::InvalidDomain)
}

fn tls_error(error: &io::Error, at: &str) -> ConnectError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let at = at.to_owned();
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => ConnectError::Certificate {
            reason: problem(reason),
            at,
        },
        Some(other) => ConnectError::Tls {
            detail: other.to_string(),
            at,
        },
        // The network broke, not TLS: another attempt may get through.
        None => ConnectError::Lost {
            detail: error.to_string(),
        },
    }
}

fn problem(error: &CertificateError) -> CertificateProblem {
    use CertificateError as E;
    match error {
        E::NotValidForName | E::NotValidForNameContext { .. } => CertificateProblem::WrongName,
        // A bad signature is an issuer that has only the name of a trusted one.
        E::UnknownIssuer | E::BadSignature => CertificateProblem::UnknownIssuer,
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            CertificateProblem::Expired
        }
        E::Revoked => CertificateProblem::Revoked,
        E::ApplicationVerificationFailure => CertificateProblem::NotPinned,
        other => CertificateProblem::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_a_certificate_carries() {
        let text = |domain: &str| match server_name(domain) {
            Ok(ServerName::DnsName(name)) => name.as_ref().to_owned(),
            Ok(ServerName::IpAddress(_)) => "ip".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(text("b.example"), "b.example");
        assert_eq!(text("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(text("[::1]"), "ip");
        assert_eq!(text("127.0.0.1"), "ip");
        assert_eq!(server_name("a b").unwrap_err(), ConnectError::InvalidDomain);
        assert_eq!(server_name("").unwrap_err(), ConnectError::InvalidDomain);
    }

    #[test]
    fn roots_must_be_there_and_readable() {
        let none = TrustRoots {
            webpki: false,
            native: false,
            extra_pem: vec![],
        };
        assert_eq!(ClientTls::new(&none).unwrap_err(), TrustError::Empty);
        let rubbish = TrustRoots {
            extra_pem: vec!["rubbish".to_owned()],
            ..none.clone()
        };
        assert_eq!(
            ClientTls::new(&rubbish).unwrap_err(),
            TrustError::BadPem { index: 0 }
        );
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let broken = TrustRoots {
            extra_pem: vec![broken.to_owned()],
            ..none
        };
        assert_eq!(
            ClientTls::new(&broken).unwrap_err(),
            TrustError::BadPem { index: 0 }
        );
        assert!(ClientTls::new(&TrustRoots::default()).is_ok());
    }
}
