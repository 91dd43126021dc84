//! `account`: the one row.

use rusqlite::{Transaction, params};

use crate::batch::AccountChange;
use crate::error::StoreError;
use crate::model::{Credential, Opaque};

pub(super) fn finish_rollback(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute("UPDATE account SET rolled_back_from = NULL", [])?;
    Ok(())
}

pub(super) fn write(
    transaction: &Transaction<'_>,
    changes: &[AccountChange],
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            AccountChange::Credential(credential) => transaction.execute(
                "UPDATE account SET credential = ?1",
                params![credential.as_ref().map(Credential::as_bytes)],
            )?,
            AccountChange::Push(push) => transaction.execute(
                "UPDATE account SET push = ?1",
                params![push.as_ref().map(Opaque::as_bytes)],
            )?,
            AccountChange::Defaults { direct, rooms } => transaction.execute(
                "UPDATE account SET encrypt_direct = ?1, encrypt_rooms = ?2",
                params![direct, rooms],
            )?,
        };
    }
    Ok(())
}
