//! SQLCipher used directly, by somebody who knows the schema and needs nothing else.

use std::path::Path;

use eft_omemo::{Changes, Record, RecordKey};
use eft_store::{Content, NewMessage};
use rusqlite::{Connection, OpenFlags, params};

use crate::Failure;
use crate::people::{KEY, SALT};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Opens a database that the store made under the key of [`crate::people`], with what the store sets. SQLCipher has its
/// cryptography from the store: one has to have been opened or made by it in this process.
///
/// # Errors
/// The database's.
pub fn open(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(&format!(
        "PRAGMA key = \"x'{}{}'\";
         PRAGMA cipher_compatibility = 4;
         PRAGMA cipher_page_size = 4096;
         PRAGMA cipher_plaintext_header_size = 32;
         PRAGMA cipher_memory_security = OFF;
         PRAGMA cache_size = -2048;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 4194304;",
        hex(&KEY),
        hex(&SALT)
    ))?;
    connection.set_prepared_statement_cache_capacity(64);
    let _mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    let _version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let _own: String = connection.query_row("SELECT jid FROM account", [], |row| row.get(0))?;
    Ok(connection)
}

/// Encoded records by their keys, as a program would have them that has no engine.
pub type Bytes = Vec<(u8, Vec<u8>, Vec<u8>)>;

/// Records as they are stored.
#[must_use]
pub fn bytes_of(changes: &Changes) -> Bytes {
    changes
        .iter()
        .filter_map(|(key, record)| {
            let record = record.as_ref()?;
            Some((key.kind().as_u8(), key.to_bytes(), record.encode().to_vec()))
        })
        .collect()
}

/// Reads records, and what they say.
///
/// # Errors
/// The database's.
pub fn load(
    connection: &Connection,
    keys: &[RecordKey],
) -> Result<Vec<(RecordKey, Option<Record>)>, Failure> {
    let mut find =
        connection.prepare_cached("SELECT value FROM omemo_record WHERE kind = ?1 AND key = ?2")?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let kind = key.kind();
        let mut rows = find.query(params![kind.as_u8(), key.to_bytes()])?;
        let record = match rows.next()? {
            Some(row) => Some(Record::decode(kind, row.get_ref(0)?.as_blob()?)?),
            None => None,
        };
        found.push((key.clone(), record));
    }
    Ok(found)
}

/// Writes records.
///
/// # Errors
/// The database's.
pub fn write_records(connection: &Connection, changes: &Changes) -> Result<(), Failure> {
    write_bytes(connection, &bytes_of(changes))
}

/// Writes records that are encoded already.
///
/// # Errors
/// The database's.
pub fn write_bytes(connection: &Connection, records: &Bytes) -> Result<(), Failure> {
    let mut put = connection.prepare_cached(
        "INSERT INTO omemo_record (kind, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
    )?;
    for (kind, key, value) in records {
        put.execute(params![kind, key, value])?;
    }
    Ok(())
}

/// What stands in the row of a message that a contact's device wrote and that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Bare address.
    pub sender: &'a str,
    /// Device id.
    pub device: Option<u32>,
    /// Identity key of the device.
    pub key: Option<&'a [u8]>,
    /// The sender's id.
    pub origin_id: Option<&'a str>,
    /// The archive's id.
    pub stanza_id: Option<&'a str>,
    /// Milliseconds since the epoch.
    pub server_time: Option<i64>,
    /// Milliseconds since the epoch.
    pub received: i64,
    /// The text.
    pub text: &'a str,
}

impl<'a> Row<'a> {
    /// The row of a message as the store is given it.
    ///
    /// # Errors
    /// If it cannot be read: only what can be read is measured.
    pub fn of(message: &'a NewMessage) -> Result<Self, Failure> {
        let Content::Readable(plaintext) = &message.content else {
            return Err("only what can be read is measured".into());
        };
        Ok(Self {
            sender: message.sender.as_str(),
            device: message.sender_device.map(eft_types::DeviceId::as_u32),
            key: message.sender_key.as_ref().map(<[u8; 32]>::as_slice),
            origin_id: message.origin_id.as_ref().map(eft_types::OriginId::as_str),
            stanza_id: message.archive_id.as_ref().map(|id| id.stanza_id.as_str()),
            server_time: message.server_time.map(eft_types::Timestamp::as_millis),
            received: message.received.as_millis(),
            text: plaintext.text.as_str(),
        })
    }
}

/// Inserts a message that is known to be new at a place that is known to be free.
///
/// # Errors
/// The database's.
pub fn insert(
    connection: &Connection,
    conversation: i64,
    archive: i64,
    place: i64,
    row: &Row<'_>,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO message (
                 conversation, place, direction, sender, sender_device, sender_key, sender_trust, origin_id, archive,
                 stanza_id, server_time, received, encryption, body, payload, cause, detail,
                 ciphertext, retry, failure_day, folded_count, delivery, send_failure,
                 send_failure_detail, unread)
             VALUES (?1, ?2, 1, ?3, ?4, ?5, 2, ?6, ?7, ?8, ?9, ?10, 2, ?11, NULL, NULL, NULL, NULL, NULL, NULL,
                     0, NULL, NULL, NULL, 1)",
        )?
        .execute(params![
            conversation,
            place,
            row.sender,
            row.device,
            row.key,
            row.origin_id,
            archive,
            row.stanza_id,
            row.server_time,
            row.received,
            row.text,
        ])?;
    Ok(())
}

/// The row of a conversation.
///
/// # Errors
/// The database's.
pub fn conversation(connection: &Connection, peer: &str) -> Result<i64, Failure> {
    let known = connection
        .prepare_cached("SELECT id FROM conversation WHERE peer = ?1")?
        .query_row(params![peer], |row| row.get(0));
    match known {
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            connection
                .prepare_cached("INSERT INTO conversation (peer, kind, created) VALUES (?1, 1, 0)")?
                .execute(params![peer])?;
            Ok(connection.last_insert_rowid())
        }
        known => Ok(known?),
    }
}

/// The row of our archive, and its newest place.
///
/// # Errors
/// The database's.
pub fn archive(connection: &Connection, jid: &str) -> Result<(i64, i64), Failure> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO archive (jid) VALUES (?1)")?
        .execute(params![jid])?;
    Ok(connection
        .prepare_cached("SELECT id, newest_place FROM archive WHERE jid = ?1")?
        .query_row(params![jid], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Moves the cursor of an archive.
///
/// # Errors
/// The database's.
pub fn advance(
    connection: &Connection,
    archive: i64,
    place: i64,
    stanza_id: &str,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE archive SET newest_place = ?2, last_stanza_id = ?3, last_time = 0 WHERE id = ?1",
        )?
        .execute(params![archive, place, stanza_id])?;
    Ok(())
}
