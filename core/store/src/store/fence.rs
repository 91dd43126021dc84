//! What keeps a process that lost the lease, or never had it, from writing (law 6).

use std::sync::Arc;

use rusqlite::Transaction;

use crate::error::StoreError;
use crate::lease::{Holding, LeaseFile};
use crate::read;

/// Under which right a store writes.
pub(super) enum Fence {
    /// It never took the lease: it may write while nobody has it, and nobody had it since the store
    /// was opened at this generation.
    Open(u64),
    /// It took the lease, and may write while it holds it.
    Lease(Arc<Holding>),
}

impl Fence {
    pub(super) fn is_held(&self) -> bool {
        match self {
            Self::Open(_) => false,
            Self::Lease(holding) => holding.renew().is_ok(),
        }
    }

    pub(super) fn hold(&mut self, holding: Arc<Holding>) {
        *self = Self::Lease(holding);
    }

    /// Asked inside every write transaction, before anything is written: nobody else can take the lease
    /// until the transaction ends.
    pub(super) fn check(
        &self,
        transaction: &Transaction<'_>,
        file: &LeaseFile,
    ) -> Result<(), StoreError> {
        let newest = read::newest_generation(transaction)?;
        match self {
            Self::Open(opened) if newest != *opened => Err(StoreError::LeaseLost),
            Self::Open(_) => Ok(file.pass_by()?),
            Self::Lease(holding) if newest != holding.generation() => {
                holding.lose();
                Err(StoreError::LeaseLost)
            }
            Self::Lease(holding) => Ok(holding.renew()?),
        }
    }
}
