//! The host decides about certificates: Android's and iOS's own stores, or a person who was asked.
//!
//! TLS wants an answer in the middle of its handshake, on the thread that runs everything else, and
//! a person takes time. So the handshake proves only that the server has the key of its
//! certificate, and the question comes directly after it: until it is answered, nothing is sent.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::super::error::CertificateProblem;
use super::super::reply::Reply;

/// What the host is to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateQuery {
    /// Domain of the account, or the host of a web address that it led to, in ASCII: the certificate has to be for
    /// this name.
    pub domain: String,
    /// The server's certificates in DER, its own first.
    pub chain: Vec<Vec<u8>>,
}

/// What a host implements. The call returns at once; the answer comes through `reply`, and none is
/// a no.
pub trait CertificateVerifier: Send + Sync {
    /// Checks name, issuer and time, as the platform does it.
    fn verify(&self, query: CertificateQuery, reply: Reply<Result<(), CertificateProblem>>);
}

/// Checks only that the server has the key of the certificate that it shows.
#[derive(Debug)]
pub(super) struct KeyOnly(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for KeyOnly {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
