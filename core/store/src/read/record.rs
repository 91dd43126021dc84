//! `omemo_record`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::StoreError;
use crate::omemo::{Record, RecordKey, RecordKind};

/// The records asked for, in the order asked.
pub(crate) fn load(
    connection: &Connection,
    keys: &[RecordKey],
) -> Result<Vec<(RecordKey, Option<Record>)>, StoreError> {
    let mut find =
        connection.prepare_cached("SELECT value FROM omemo_record WHERE kind = ?1 AND key = ?2")?;
    keys.iter()
        .map(|key| {
            let kind = key.kind();
            let record = find
                .query_row(params![kind.as_u8(), key.to_bytes()], |row| {
                    Ok(decode(kind, row.get_ref(0)?.as_blob()?))
                })
                .optional()?
                .transpose()?;
            Ok((key.clone(), record))
        })
        .collect()
}

/// Every record of a kind whose key starts with `prefix`, in the order of keys.
pub(crate) fn scan(
    connection: &Connection,
    kind: RecordKind,
    prefix: &[u8],
) -> Result<Vec<(RecordKey, Record)>, StoreError> {
    // Keys from the prefix on, until one does not start with it: the range of the primary key, without
    // having to compute the prefix's successor.
    let mut find = connection.prepare_cached(
        "SELECT key, value FROM omemo_record WHERE kind = ?1 AND key >= ?2 ORDER BY key",
    )?;
    let mut rows = find.query(params![kind.as_u8(), prefix])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_blob()?;
        if !key.starts_with(prefix) {
            break;
        }
        found.push(named(kind, row)?);
    }
    Ok(found)
}

/// Every record of a kind, one after the other, in the order of keys.
pub(crate) fn each_record<E: From<StoreError>>(
    connection: &Connection,
    kind: RecordKind,
    mut take: impl FnMut(RecordKey, Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut find = connection
        .prepare_cached("SELECT key, value FROM omemo_record WHERE kind = ?1 ORDER BY key")
        .map_err(StoreError::from)?;
    let mut rows = find
        .query(params![kind.as_u8()])
        .map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        let (key, record) = named(kind, row)?;
        take(key, record)?;
    }
    Ok(())
}

/// A row of `key` and `value`.
fn named(kind: RecordKind, row: &Row<'_>) -> Result<(RecordKey, Record), StoreError> {
    let key = row.get_ref(0)?.as_blob()?;
    let name = RecordKey::from_bytes(kind, key).map_err(|_| StoreError::Damaged {
        detail: format!("key of an omemo_record of kind {kind:?}"),
    })?;
    Ok((name, decode(kind, row.get_ref(1)?.as_blob()?)?))
}

fn decode(kind: RecordKind, value: &[u8]) -> Result<Record, StoreError> {
    Record::decode(kind, value).map_err(|error| StoreError::Damaged {
        detail: format!("omemo_record of kind {kind:?}: {error}"),
    })
}
