//! Why there is no connection.

use core::fmt;

use crate::stream::{LoginError, Transport};

/// Why [`super::connect`] failed. With several targets, the error that says most: a certificate
/// before other TLS trouble, before a timeout, before "unreachable".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// No target could be reached.
    #[error("no server of the domain is reachable ({} tried)", tried.len())]
    Unreachable {
        /// Each address that was tried; empty if there was no name to try.
        tried: Vec<Attempt>,
    },
    /// The domain says in DNS that it offers no such service (SRV target `.`).
    #[error("the domain offers no XMPP service for clients")]
    NotOffered,
    /// The server's certificate does not vouch for the account's domain.
    #[error("certificate not accepted: {reason}")]
    Certificate {
        /// Why.
        reason: CertificateProblem,
        /// Where.
        at: String,
    },
    /// TLS failed otherwise.
    #[error("TLS failed: {detail}")]
    Tls {
        /// Description from the TLS library.
        detail: String,
        /// Where.
        at: String,
    },
    /// The web server does not open a WebSocket, or none for XMPP.
    #[error("no WebSocket: {detail}")]
    WebSocket {
        /// What it said instead.
        detail: String,
        /// Where.
        at: String,
    },
    /// The domain of the account is no name that a certificate could carry.
    #[error("the account's domain is not a valid host name")]
    InvalidDomain,
    /// TLS is up and the login failed, or the server offers no TLS.
    #[error("login failed: {0}")]
    Login(#[from] LoginError),
    /// The server sent what is no XMPP, or broke a limit.
    #[error("the server sent no valid XMPP: {0}")]
    Protocol(#[from] crate::xml::DecodeError),
    /// The connection broke during the login.
    #[error("connection lost during login: {detail}")]
    Lost {
        /// Description from the operating system.
        detail: String,
    },
    /// It took too long.
    #[error("timeout while {phase}")]
    Timeout {
        /// During what.
        phase: ConnectPhase,
    },
    /// The write gate closed: another process holds the account now.
    #[error("the account belongs to another process now")]
    Fenced,
}

/// What a timeout interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectPhase {
    /// DNS.
    Resolving,
    /// TCP or direct TLS.
    Connecting,
    /// Headers, STARTTLS, SASL, bind.
    LoggingIn,
}

impl fmt::Display for ConnectPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolving => "resolving",
            Self::Connecting => "connecting",
            Self::LoggingIn => "logging in",
        })
    }
}

/// One address that could not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Host name from DNS or configuration.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How TLS would have started.
    pub transport: Transport,
    /// What happened.
    pub error: AttemptError,
}

/// What happened at one target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// The name has no address, or DNS does not answer.
    #[error("the name does not resolve")]
    NoAddress,
    /// TCP failed.
    #[error("TCP: {0}")]
    Tcp(String),
    /// TCP took too long.
    #[error("timeout")]
    Timeout,
    /// A proxy was reached, and it does not let us through or speaks something else.
    #[error("proxy: {0}")]
    Proxy(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It names other domains.
    #[error("it is for another domain")]
    WrongName,
    /// Its issuer is not trusted.
    #[error("its issuer is not trusted")]
    UnknownIssuer,
    /// It is no longer or not yet valid. The device's clock may be wrong.
    #[error("it is outside its validity period")]
    Expired,
    /// It was revoked.
    #[error("it was revoked")]
    Revoked,
    /// Its key is none of those that were pinned ([`super::ClientTls::pinned`]).
    #[error("its key is not one of the pinned ones")]
    NotPinned,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl ConnectError {
    /// Trying again later, with nothing changed, can help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Timeout { .. } => true,
            Self::Login(error) => error.is_temporary(),
            Self::NotOffered
            | Self::Certificate { .. }
            | Self::Tls { .. }
            | Self::WebSocket { .. }
            | Self::InvalidDomain
            | Self::Protocol(_)
            | Self::Fenced => false,
        }
    }

    /// Which of several errors to report.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::Fenced => 7,
            Self::Certificate { .. } => 6,
            Self::Login(_) => 5,
            Self::Tls { .. } | Self::WebSocket { .. } => 4,
            Self::Protocol(_) => 3,
            Self::Lost { .. } | Self::Timeout { .. } => 2,
            Self::NotOffered | Self::InvalidDomain => 1,
            Self::Unreachable { .. } => 0,
        }
    }
}
