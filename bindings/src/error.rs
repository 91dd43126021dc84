//! The public error.

use ::eft::Error;

/// Why a call failed. Each variant carries a sentence for a log, never content or keys.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[non_exhaustive]
pub enum EftError {
    /// No connection to the server. Retryable.
    #[error("{reason}")]
    Offline {
        /// What happened.
        reason: String,
    },
    /// The server refused the credentials.
    #[error("{reason}")]
    AuthRejected {
        /// The server's condition or text.
        reason: String,
    },
    /// The server's certificate is not valid for the account's domain.
    #[error("{reason}")]
    CertificateRejected {
        /// Which check failed.
        reason: String,
    },
    /// The server lacks something that Eft cannot work without.
    #[error("{reason}")]
    ServerTooOld {
        /// What it lacks.
        reason: String,
    },
    /// Devices of the recipient wait for a trust decision.
    #[error("{reason}")]
    NotTrusted {
        /// How many.
        reason: String,
    },
    /// No device of the recipient can be encrypted to.
    #[error("{reason}")]
    NoRecipients {
        /// Which recipient.
        reason: String,
    },
    /// The contact wishes no more encrypted messages: see `Conversation.keepEncrypted`.
    #[error("{reason}")]
    OptedOut {
        /// Which contact.
        reason: String,
    },
    /// The message exceeds what the server takes.
    #[error("{reason}")]
    TooLarge {
        /// Size and limit.
        reason: String,
    },
    /// The database key cannot be had from the secret store. Retryable.
    #[error("{reason}")]
    KeyUnavailable {
        /// Locked, lost or damaged.
        reason: String,
    },
    /// Another process holds the database. Retryable.
    #[error("{reason}")]
    StoreLocked {
        /// Which.
        reason: String,
    },
    /// The database cannot be read.
    #[error("{reason}")]
    StoreDamaged {
        /// Wrong key, damaged, or newer than this Eft.
        reason: String,
    },
    /// The account was closed meanwhile.
    #[error("{reason}")]
    Suspended {
        /// What was asked of it.
        reason: String,
    },
    /// An argument is not valid.
    #[error("{reason}")]
    InvalidInput {
        /// What is wrong with it.
        reason: String,
    },
    /// The server or the peer forbids it.
    #[error("{reason}")]
    NotAllowed {
        /// The condition.
        reason: String,
    },
    /// A fault in Eft.
    #[error("{reason}")]
    Bug {
        /// Where.
        reason: String,
    },
}

impl From<Error> for EftError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Offline { .. } => Self::Offline { reason },
            Error::AuthRejected { .. } => Self::AuthRejected { reason },
            Error::CertificateRejected { .. } => Self::CertificateRejected { reason },
            Error::ServerTooOld { .. } => Self::ServerTooOld { reason },
            Error::NotTrusted { .. } => Self::NotTrusted { reason },
            Error::NoRecipients { .. } => Self::NoRecipients { reason },
            Error::OptedOut { .. } => Self::OptedOut { reason },
            Error::TooLarge { .. } => Self::TooLarge { reason },
            Error::KeyUnavailable { .. } => Self::KeyUnavailable { reason },
            Error::StoreLocked => Self::StoreLocked { reason },
            Error::StoreDamaged { .. } => Self::StoreDamaged { reason },
            Error::Suspended => Self::Suspended { reason },
            Error::InvalidInput { .. } => Self::InvalidInput { reason },
            Error::NotAllowed { .. } => Self::NotAllowed { reason },
            _ => Self::Bug { reason },
        }
    }
}

/// Parses an address given by the host app.
pub(crate) fn bare_jid(text: &str) -> Result<::eft::BareJid, EftError> {
    ::eft::BareJid::new(text).map_err(|error| EftError::InvalidInput {
        reason: format!("not an address: {error}"),
    })
}

/// Names a device given by the host app.
pub(crate) fn device_address(jid: &str, device: u32) -> Result<::eft::DeviceAddress, EftError> {
    let device = ::eft::DeviceId::new(device).map_err(|error| EftError::InvalidInput {
        reason: format!("not a device id: {error}"),
    })?;
    Ok(::eft::DeviceAddress::new(bare_jid(jid)?, device))
}

/// Parses a fingerprint given by the host app, in groups or not.
pub(crate) fn fingerprint(text: &str) -> Result<::eft::Fingerprint, EftError> {
    text.parse::<::eft::Fingerprint>()
        .map_err(|error| EftError::InvalidInput {
            reason: format!("not a fingerprint: {error}"),
        })
}
