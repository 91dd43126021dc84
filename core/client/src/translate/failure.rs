//! Errors of the layers below, as the few that an app tells apart.

use std::sync::Arc;

use eft_store::{OpenError, SecretError, StoreError};

use crate::error::{Cause, Error};

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
        Self::KeyUnavailable {
            reason: error.to_string(),
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
