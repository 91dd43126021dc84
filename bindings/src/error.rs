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
    /// The server offers less security than it once did: see `Account.accept_downgrade`.
    #[error("{reason}")]
    Downgraded {
        /// What is missing.
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
    /// The database key cannot be had from the secret store. Retryable if it is locked or does not answer.
    #[error("{reason}")]
    KeyUnavailable {
        /// What to tell the user.
        fault: KeyFault,
        /// The same for a log.
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

/// Why the secret store gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum KeyFault {
    /// The device was not unlocked since it was started. Later it works.
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

#[uniffi::export]
impl EftError {
    /// Name of the variant, the same in every release and language.
    pub fn code(&self) -> String {
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
            Self::StoreLocked { .. } => "store-locked",
            Self::StoreDamaged { .. } => "store-damaged",
            Self::Suspended { .. } => "suspended",
            Self::InvalidInput { .. } => "invalid-input",
            Self::NotAllowed { .. } => "not-allowed",
            Self::Bug { .. } => "bug",
        }
        .to_owned()
    }

    /// Whether the same call can succeed later without the user doing anything.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::StoreLocked { .. }
                | Self::KeyUnavailable {
                    fault: KeyFault::Locked | KeyFault::Unavailable,
                    ..
                }
        )
    }
}

impl From<::eft::KeyFault> for KeyFault {
    fn from(fault: ::eft::KeyFault) -> Self {
        match fault {
            ::eft::KeyFault::Locked => Self::Locked,
            ::eft::KeyFault::Lost => Self::Lost,
            ::eft::KeyFault::Damaged => Self::Damaged,
            ::eft::KeyFault::Denied => Self::Denied,
            ::eft::KeyFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Error> for EftError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Offline { .. } => Self::Offline { reason },
            Error::AuthRejected { .. } => Self::AuthRejected { reason },
            Error::Downgraded { .. } => Self::Downgraded { reason },
            Error::CertificateRejected { .. } => Self::CertificateRejected { reason },
            Error::ServerTooOld { .. } => Self::ServerTooOld { reason },
            Error::NotTrusted { .. } => Self::NotTrusted { reason },
            Error::NoRecipients { .. } => Self::NoRecipients { reason },
            Error::OptedOut { .. } => Self::OptedOut { reason },
            Error::TooLarge { .. } => Self::TooLarge { reason },
            Error::KeyUnavailable { fault, .. } => Self::KeyUnavailable {
                fault: fault.into(),
                reason,
            },
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
    let jid = ::eft::BareJid::new(text).map_err(|error| EftError::InvalidInput {
        reason: format!("not an address: {error}"),
    })?;
    // There are some whose normal form reads as another's.
    match ::eft::BareJid::new(jid.as_str()) {
        Ok(again) if again == jid => Ok(jid),
        _ => Err(EftError::InvalidInput {
            reason: "not an address: its normal form is none".to_owned(),
        }),
    }
}

/// Parses the address of a service given by the host app.
pub(crate) fn service(text: &str) -> Result<::eft::Jid, EftError> {
    ::eft::Jid::new(text).map_err(|error| EftError::InvalidInput {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_code_and_whether_it_is_worth_another_try() {
        let reason = || "why".to_owned();
        let key = |fault| Error::KeyUnavailable {
            fault,
            reason: reason(),
        };
        let errors = [
            Error::Offline {
                reason: reason(),
                cause: None,
            },
            Error::AuthRejected { reason: reason() },
            Error::Downgraded { reason: reason() },
            Error::CertificateRejected { reason: reason() },
            Error::ServerTooOld { feature: reason() },
            Error::NotTrusted { count: 1 },
            Error::NoRecipients { peer: reason() },
            Error::OptedOut { peer: reason() },
            Error::TooLarge { bytes: 2, max: 1 },
            key(::eft::KeyFault::Locked),
            key(::eft::KeyFault::Lost),
            key(::eft::KeyFault::Damaged),
            key(::eft::KeyFault::Denied),
            key(::eft::KeyFault::Unavailable),
            Error::StoreLocked,
            Error::StoreDamaged {
                reason: reason(),
                cause: None,
            },
            Error::Suspended,
            Error::InvalidInput { reason: reason() },
            Error::NotAllowed { reason: reason() },
            Error::Bug {
                reason: reason(),
                cause: None,
            },
        ];
        for error in errors {
            let (code, retryable) = (error.code(), error.retryable());
            let exported = EftError::from(error);
            assert_eq!(
                (exported.code().as_str(), exported.retryable()),
                (code, retryable)
            );
        }
    }
}
