//! Why there is no lease.

use super::Rollback;
use crate::cipher_provider::Exiting;
use crate::error::StoreError;
use crate::secret::SecretError;

/// Why the lease could not be taken, or is not held any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another holder is alive, and was until the end of the wait. Leave it what is to be done, by
    /// [`Store::append_intake`](crate::Store::append_intake).
    #[error("the lease is held")]
    Held,
    /// It was held and is not any more: this process did not run for longer than a term and another
    /// one took it, or it was given back. Forget everything read under it, then take it again.
    #[error("the lease was lost")]
    Lost,
    /// The database is an older copy of itself. Nothing may be sent with its sessions.
    #[error("the database has generation {}, older than the secret store says", .0.database)]
    RolledBack(Rollback),
    /// The secret store did not give or take the generation.
    #[error("the generation could not be read or kept")]
    SecretStore(#[source] SecretError),
    /// The database could not be read or written.
    #[error("the generation could not be written")]
    Store(#[from] StoreError),
    /// The lease's file could not be read or written.
    #[error("the lease's file could not be used: {detail}")]
    Io {
        /// What the operating system said.
        detail: String,
    },
}

impl From<std::io::Error> for LeaseError {
    fn from(error: std::io::Error) -> Self {
        Self::Io {
            detail: error.kind().to_string(),
        }
    }
}

impl From<rusqlite::Error> for LeaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Exiting> for LeaseError {
    fn from(exiting: Exiting) -> Self {
        Self::Store(exiting.into())
    }
}

/// What a loss means to a write.
impl From<LeaseError> for StoreError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => error,
            LeaseError::Io { detail } => Self::Io { detail },
            LeaseError::Held => Self::NotHolder,
            LeaseError::Lost | LeaseError::RolledBack(_) | LeaseError::SecretStore(_) => {
                Self::LeaseLost
            }
        }
    }
}
