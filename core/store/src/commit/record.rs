//! `omemo_record`: what the engine keeps.

use rusqlite::{Transaction, params};

use crate::error::StoreError;
use crate::omemo::Changes;

pub(super) fn write(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    let mut put = transaction.prepare_cached(
        "INSERT INTO omemo_record (kind, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
    )?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM omemo_record WHERE kind = ?1 AND key = ?2")?;
    for (key, record) in changes.iter() {
        let kind = key.kind().as_u8();
        match record {
            Some(record) => {
                put.execute(params![kind, key.to_bytes(), record.encode().as_slice()])?
            }
            None => delete.execute(params![kind, key.to_bytes()])?,
        };
    }
    Ok(())
}
