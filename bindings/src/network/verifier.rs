//! Certificates, judged by the host.

use std::sync::Arc;

use ::eft::network::{CertificateQuery, Reply};

use super::reply::Once;
use crate::host::{self, HostError};

/// Judges a server's certificate, as the platform does it. The call returns at once; the answer comes through `reply`, from
/// any thread, and a reply that is let go of is a no. Calls come from threads of Eft. That the server has the key of its
/// certificate is proven before; nothing is sent to it until there is an answer.
#[uniffi::export(with_foreign)]
pub trait CertificateVerifier: Send + Sync {
    /// Checks name, issuer and time. `domain` is the name that the certificate has to be for, in ASCII; `chain` are the
    /// server's certificates in DER, its own first.
    ///
    /// # Errors
    /// Whatever the host's code throws, which is a no.
    fn verify(
        &self,
        domain: String,
        chain: Vec<Vec<u8>>,
        reply: Arc<VerdictReply>,
    ) -> Result<(), HostError>;
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CertificateProblem {
    /// It names other domains.
    WrongName,
    /// Its issuer is not trusted.
    UnknownIssuer,
    /// It is no longer or not yet valid. The device's clock may be wrong.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its key is none of those that were pinned.
    NotPinned,
    /// Anything else.
    Other {
        /// For a log.
        reason: String,
    },
}

/// Where the answer to `CertificateVerifier.verify` goes. The first one counts.
#[derive(Debug, uniffi::Object)]
pub struct VerdictReply(Once<Result<(), ::eft::network::CertificateProblem>>);

#[uniffi::export]
impl VerdictReply {
    /// The certificate is good.
    pub fn accept(&self) {
        self.0.send(Ok(()));
    }

    /// It is not: the connection ends with `CertificateRejected`.
    pub fn refuse(&self, problem: CertificateProblem) {
        self.0.send(Err(problem.into()));
    }
}

impl From<CertificateProblem> for ::eft::network::CertificateProblem {
    fn from(problem: CertificateProblem) -> Self {
        match problem {
            CertificateProblem::WrongName => Self::WrongName,
            CertificateProblem::UnknownIssuer => Self::UnknownIssuer,
            CertificateProblem::Expired => Self::Expired,
            CertificateProblem::Revoked => Self::Revoked,
            CertificateProblem::NotPinned => Self::NotPinned,
            CertificateProblem::Other { reason } => Self::Other(reason),
        }
    }
}

/// Presents the host's judge to the core.
pub(super) struct OfHost(pub(super) Arc<dyn CertificateVerifier>);

impl ::eft::network::CertificateVerifier for OfHost {
    fn verify(
        &self,
        query: CertificateQuery,
        reply: Reply<Result<(), ::eft::network::CertificateProblem>>,
    ) {
        let (verifier, reply) = (
            Arc::clone(&self.0),
            Arc::new(VerdictReply(Once::new(reply))),
        );
        host::ask(move || {
            if let Err(error) = verifier.verify(query.domain, query.chain, Arc::clone(&reply)) {
                reply.refuse(CertificateProblem::Other {
                    reason: error.to_string(),
                });
            }
        });
    }
}
