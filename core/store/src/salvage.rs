//! Copying what can be read out of a damaged database.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::error::StoreError;
use crate::omemo::RecordKind;

/// How much was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Salvaged {
    pub(crate) messages: u64,
    /// Places where reading failed or a row did not fit; each may stand for many rows.
    pub(crate) gaps: u64,
}

/// Tables with rows that stand for themselves, in the order in which they refer to each other, with
/// what is taken of each.
const TABLES: [(&str, &str); 7] = [
    ("archive", "1"),
    ("archive_range", "1"),
    ("conversation", "1"),
    ("message", "1"),
    // A stanza without a message of its own was made by the old device, for its sessions.
    ("outbox", "message IS NOT NULL"),
    ("device_log", "1"),
    ("intake", "1"),
];

/// Copies the readable history into a new database: messages, conversations with their encryption, archives,
/// what waits to be sent, the user's decisions about keys. Not the own keys, no session and no
/// prekey: the new database is a new device.
pub(crate) fn salvage(old: &Connection, new: &Connection) -> Result<Salvaged, StoreError> {
    let mut saved = Salvaged::default();
    saved.gaps += u64::from(!copy_account(old, new)?);
    for (table, taken) in TABLES {
        let (rows, gaps) = copy_table(old, new, table, taken)?;
        if table == "message" {
            saved.messages = rows;
        }
        saved.gaps += gaps;
    }
    saved.gaps += u64::from(!copy_trust(old, new)?);
    new.execute_batch(
        "-- No key of this device will ever read these.
         UPDATE message SET retry = NULL, ciphertext = NULL WHERE retry IS NOT NULL;
         -- To be encrypted again, by the new device. Receivers know a message by its origin-id.
         UPDATE outbox SET stanza = NULL, stream_sequence = NULL;
         UPDATE message SET delivery = 1 WHERE delivery IN (2, 3) AND id IN (SELECT message FROM outbox);
         UPDATE archive SET at_end = 0;",
    )?;
    Ok(saved)
}

/// What the user set. `false` if it could not be read.
fn copy_account(old: &Connection, new: &Connection) -> Result<bool, StoreError> {
    let read = old
        .query_row(
            "SELECT credential, encrypt_direct, encrypt_rooms FROM account",
            [],
            |row| {
                Ok((
                    row.get::<_, Value>(0)?,
                    row.get::<_, Value>(1)?,
                    row.get::<_, Value>(2)?,
                ))
            },
        )
        .optional();
    let Some((credential, direct, rooms)) = unless_damaged(read)?.flatten() else {
        return Ok(false);
    };
    new.execute(
        "UPDATE account SET credential = ?1, encrypt_direct = ?2, encrypt_rooms = ?3",
        params![credential, direct, rooms],
    )?;
    Ok(true)
}

/// `false` if not all could be read.
fn copy_trust(old: &Connection, new: &Connection) -> Result<bool, StoreError> {
    let kind = RecordKind::Trust.as_u8();
    let find = old.prepare("SELECT key, value FROM omemo_record WHERE kind = ?1");
    let Some(mut find) = unless_damaged(find)? else {
        return Ok(false);
    };
    let mut rows = find.query(params![kind])?;
    loop {
        match unless_damaged(rows.next())? {
            Some(Some(row)) => {
                new.execute(
                    "INSERT OR IGNORE INTO omemo_record (kind, key, value) VALUES (?1, ?2, ?3)",
                    params![kind, row.get::<_, Value>(0)?, row.get::<_, Value>(1)?],
                )?;
            }
            Some(None) => return Ok(true),
            None => return Ok(false),
        }
    }
}

/// Copies rows by id, stepping over what cannot be read. Answers rows and gaps.
fn copy_table(
    old: &Connection,
    new: &Connection,
    table: &str,
    taken: &str,
) -> Result<(u64, u64), StoreError> {
    let Some(columns) = unless_damaged(common_columns(old, new, table))? else {
        return Ok((0, 1));
    };
    if columns.is_empty() {
        // Of an older schema, without this table.
        return Ok((0, 0));
    }
    let names = columns.join(", ");
    let places = vec!["?"; columns.len()].join(", ");
    // By the table itself: an index may be what is damaged.
    let select = format!(
        "SELECT id, {names} FROM {table} NOT INDEXED WHERE id > ?1 AND {taken} ORDER BY id"
    );
    let mut insert = new.prepare(&format!("INSERT INTO {table} ({names}) VALUES ({places})"))?;
    let (mut rows, mut gaps) = (0, 0);
    let mut last = i64::MIN;
    // Doubles until something can be read again, so that the end is reached soon.
    let mut step = 1_i64;
    loop {
        let Some(mut find) = unless_damaged(old.prepare(&select))? else {
            return Ok((rows, gaps + 1));
        };
        let mut found = find.query(params![last])?;
        loop {
            let row = match unless_damaged(found.next())? {
                Some(Some(row)) => row,
                Some(None) => return Ok((rows, gaps)),
                None => break,
            };
            let values: Result<Vec<Value>, _> =
                (1..=columns.len()).map(|column| row.get(column)).collect();
            last = row.get(0)?;
            step = 1;
            let fits = match unless_damaged(values)? {
                Some(values) => unless_unfit(insert.execute(params_from_iter(values)))?,
                None => false,
            };
            if fits {
                rows += 1;
            } else {
                gaps += 1;
            }
        }
        gaps += u64::from(step == 1);
        // Ids begin at 1.
        let Some(next) = last.max(0).checked_add(step) else {
            return Ok((rows, gaps));
        };
        last = next;
        step = step.saturating_mul(2);
    }
}

fn common_columns(
    old: &Connection,
    new: &Connection,
    table: &str,
) -> Result<Vec<String>, rusqlite::Error> {
    let columns = |connection: &Connection| -> Result<Vec<String>, rusqlite::Error> {
        let mut find = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names = find.query_map(params![table], |row| row.get(0))?;
        names.collect()
    };
    let known = columns(new)?;
    let mut common = columns(old)?;
    common.retain(|name| known.contains(name));
    Ok(common)
}

/// `None` for what damage explains; other failures (a full disk) end the salvage.
fn unless_damaged<T>(result: Result<T, rusqlite::Error>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match StoreError::from(error) {
            StoreError::Damaged { .. } | StoreError::Bug { .. } => Ok(None),
            other => Err(other),
        },
    }
}

/// `false` for a row that breaks a rule of the schema, such as the name of something that was lost.
fn unless_unfit(result: Result<usize, rusqlite::Error>) -> Result<bool, StoreError> {
    match result {
        Ok(_) => Ok(true),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
