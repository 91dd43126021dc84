//! Errors of the layers below, as the few that an app tells apart.

use std::sync::Arc;

use eft_store::{LeaseError, OpenError, SecretError, StoreError};

use crate::error::{Cause, Error, KeyFault};

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        let reason = error.to_string();
        match error {
            OpenError::Busy => Self::StoreLocked,
            OpenError::KeyUnavailable(cause) => cause.into(),
            OpenError::NotFound { .. } | OpenError::AlreadyExists { .. } => {
                Self::InvalidInput { reason }
            }
            OpenError::Bug { .. } | OpenError::NotEncrypted => Self::Bug {
                reason,
                cause: Some(cause(error)),
            },
            other => Self::StoreDamaged {
                reason,
                cause: Some(cause(other)),
            },
        }
    }
}

impl From<SecretError> for Error {
    fn from(error: SecretError) -> Self {
        let fault = match error {
            SecretError::Locked => KeyFault::Locked,
            SecretError::Lost => KeyFault::Lost,
            SecretError::Corrupt(_) => KeyFault::Damaged,
            SecretError::Denied => KeyFault::Denied,
            _ => KeyFault::Unavailable,
        };
        let reason = match fault {
            // Only a key that was kept is ever missed.
            KeyFault::Lost => "the key is lost".to_owned(),
            _ => error.to_string(),
        };
        Self::KeyUnavailable { fault, reason }
    }
}

impl From<LeaseError> for Error {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Held | LeaseError::Lost => Self::StoreLocked,
            LeaseError::SecretStore(error) => error.into(),
            LeaseError::Store(error) => error.into(),
            LeaseError::Io { .. } => Self::StoreDamaged {
                reason: error.to_string(),
                cause: Some(cause(error)),
            },
            // Recovered from where the lease is taken; a second one in the same moment is none.
            other => Self::bug(other.to_string()),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let reason = error.to_string();
        match error {
            // Another process has the account, or takes it just now.
            StoreError::Busy | StoreError::NotHolder | StoreError::LeaseLost => Self::StoreLocked,
            StoreError::Closed | StoreError::Suspended => Self::Suspended,
            StoreError::DiskFull | StoreError::Io { .. } | StoreError::Damaged { .. } => {
                Self::StoreDamaged {
                    reason,
                    cause: Some(cause(error)),
                }
            }
            other => Self::Bug {
                reason,
                cause: Some(cause(other)),
            },
        }
    }
}

fn cause(error: impl std::error::Error + Send + Sync + 'static) -> Cause {
    Arc::new(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_is_worth_another_try_and_a_lost_one_is_not() {
        let told = |error: SecretError| {
            let error = Error::from(error);
            (error.code(), error.retryable(), error.to_string())
        };
        for (error, retryable, word) in [
            (SecretError::Locked, true, "locked"),
            (SecretError::Lost, false, "the key is lost"),
            (
                SecretError::Corrupt(eft_store::StoreKeyError::Damaged),
                false,
                "damaged",
            ),
            (SecretError::Denied, false, "denied"),
            (
                SecretError::Unavailable {
                    detail: "no bus".to_owned(),
                },
                true,
                "no bus",
            ),
        ] {
            let (code, is_retryable, text) = told(error);
            assert_eq!((code, is_retryable), ("key-unavailable", retryable));
            assert!(text.contains(word), "{text}");
        }
    }
}
