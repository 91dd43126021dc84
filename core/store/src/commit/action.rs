//! `action`: what the engine wants done.

use rusqlite::{Transaction, params};

use crate::batch::ActionChange;
use crate::error::StoreError;

pub(super) fn write(
    transaction: &Transaction<'_>,
    changes: &[ActionChange],
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            ActionChange::Add(action) => transaction
                .prepare_cached(
                    "INSERT INTO action (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![action.key(), action.encode()])?,
            ActionChange::Remove(key) => transaction
                .prepare_cached("DELETE FROM action WHERE key = ?1")?
                .execute(params![key])?,
        };
    }
    Ok(())
}
