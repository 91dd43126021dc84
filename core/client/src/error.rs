//! What can go wrong, as an app has to tell it apart.
//!
//! Each layer below keeps its own matchable errors; they are turned into these few in one place per
//! layer (`From` below), with the cause kept as `source` for a log. No variant carries message
//! content or key material.

use std::sync::Arc;

/// Why an operation failed.
///
/// [`Error::code`] is stable across releases and languages; [`Error::retryable`] tells whether the
/// same call can succeed later without the user doing anything.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection to the server, or it broke before the answer came.
    #[error("offline: {reason}")]
    Offline {
        /// What was tried and what happened, for a person.
        reason: String,
        /// The layer's own error.
        #[source]
        cause: Option<Cause>,
    },
    /// The server refused the credentials, or offers no mechanism that we accept.
    #[error("login refused: {reason}")]
    AuthRejected {
        /// The server's condition or text.
        reason: String,
    },
    /// The server offers less security than it once did. Somebody may stand in between; or its operator changed it:
    /// [`crate::Account::accept_downgrade`].
    #[error("the server offers less security than it once did: {reason}")]
    Downgraded {
        /// What is missing.
        reason: String,
    },
    /// The server's certificate is not valid for the account's domain. Never retried by itself.
    #[error("the server's certificate was refused: {reason}")]
    CertificateRejected {
        /// Which check failed.
        reason: String,
    },
    /// The server lacks something that Eft cannot work without.
    #[error("the server lacks {feature}")]
    ServerTooOld {
        /// The missing feature, by its XEP name.
        feature: String,
    },
    /// Devices of the recipient wait for the user's decision.
    #[error("{count} device(s) wait for a trust decision")]
    NotTrusted {
        /// How many.
        count: usize,
    },
    /// No device of the recipient can be encrypted to.
    #[error("no device of {peer} can be encrypted to")]
    NoRecipients {
        /// The recipient.
        peer: String,
    },
    /// The contact wishes no more encrypted messages (XEP-0384 §5.9), and the user has not answered
    /// that: see [`crate::Conversation::keep_encrypted`].
    #[error("{peer} wishes no more encrypted messages, and you have not answered that yet")]
    OptedOut {
        /// The contact.
        peer: String,
    },
    /// The message exceeds what the server takes.
    #[error("too large: {bytes} of at most {max} bytes")]
    TooLarge {
        /// Size of the stanza.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The database key cannot be had from the secret store.
    #[error("the database key is unavailable: {reason}")]
    KeyUnavailable {
        /// What the app has to tell the user.
        fault: KeyFault,
        /// The same for a log.
        reason: String,
    },
    /// Another process holds the database.
    #[error("the database is in use")]
    StoreLocked,
    /// The database cannot be read: wrong key, damaged, or written by a newer Eft.
    #[error("the database cannot be read: {reason}")]
    StoreDamaged {
        /// Which of them.
        reason: String,
        /// The layer's own error.
        #[source]
        cause: Option<Cause>,
    },
    /// The account was closed or suspended meanwhile.
    #[error("the account is closed")]
    Suspended,
    /// An argument is not valid.
    #[error("invalid input: {reason}")]
    InvalidInput {
        /// What is wrong with it.
        reason: String,
    },
    /// The server or the peer forbids it.
    #[error("not allowed: {reason}")]
    NotAllowed {
        /// The condition.
        reason: String,
    },
    /// A fault in Eft. Please report it.
    #[error("a fault in Eft: {reason}")]
    Bug {
        /// Where.
        reason: String,
        /// The layer's own error.
        #[source]
        cause: Option<Cause>,
    },
}

/// Why the secret store gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The device was not unlocked since it was started, or its keyring is locked. Later it works.
    Locked,
    /// The key is gone, and what it encrypted with it: the account has to be added anew.
    Lost,
    /// There is a key, and it is not what was kept.
    Damaged,
    /// The user or the system refused.
    Denied,
    /// The secret store does not answer.
    Unavailable,
}

/// A lower layer's error, kept for logs.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

impl Error {
    /// Stable name of the variant, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Offline { .. } => "offline",
            Self::AuthRejected { .. } => "auth-rejected",
            Self::Downgraded { .. } => "downgraded",
            Self::CertificateRejected { .. } => "certificate-rejected",
            Self::ServerTooOld { .. } => "server-too-old",
            Self::NotTrusted { .. } => "not-trusted",
            Self::NoRecipients { .. } => "no-recipients",
            Self::OptedOut { .. } => "opted-out",
            Self::TooLarge { .. } => "too-large",
            Self::KeyUnavailable { .. } => "key-unavailable",
            Self::StoreLocked => "store-locked",
            Self::StoreDamaged { .. } => "store-damaged",
            Self::Suspended => "suspended",
            Self::InvalidInput { .. } => "invalid-input",
            Self::NotAllowed { .. } => "not-allowed",
            Self::Bug { .. } => "bug",
        }
    }

    /// Whether the same call can succeed later without the user doing anything.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::StoreLocked
                | Self::KeyUnavailable {
                    fault: KeyFault::Locked | KeyFault::Unavailable,
                    ..
                }
        )
    }

    pub(crate) fn offline(reason: impl Into<String>) -> Self {
        Self::Offline {
            reason: reason.into(),
            cause: None,
        }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidInput {
            reason: reason.into(),
        }
    }

    pub(crate) fn bug(reason: impl Into<String>) -> Self {
        Self::Bug {
            reason: reason.into(),
            cause: None,
        }
    }
}
