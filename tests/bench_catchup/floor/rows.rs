//! The same rows, written without the store.

use std::collections::HashMap;
use std::path::Path;

use eft_bench::Failure;
use eft_bench::bare::{self, Bytes, Row};
use eft_bench::people::{self, Installation};
use eft_omemo::RecordKind;
use rusqlite::Connection;

use super::xml::Message;

/// Messages of one transaction.
const TRANSACTION: usize = 1000;
/// Sessions that each of them moves.
const SESSIONS: u8 = 50;
/// Identity key of every device.
const KEY: [u8; 32] = [9; 32];

/// See the module.
pub(crate) struct Rows {
    connection: Connection,
    sessions: Bytes,
    conversations: HashMap<String, i64>,
    archive: i64,
    place: i64,
    /// Rows of the transaction that is open.
    open: usize,
}

impl Rows {
    /// A new database of the store, opened without it.
    pub(crate) fn create(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("floor.db");
        people::create(&path)?.close()?;
        let connection = bare::open(&path)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let (archive, place) = bare::archive(&connection, people::own()?.as_str())?;
        Ok(Self {
            connection,
            sessions: sessions()?,
            conversations: HashMap::new(),
            archive,
            place,
            open: 0,
        })
    }

    pub(crate) fn insert(&mut self, message: &Message, text: &str) -> Result<(), Failure> {
        if self.open == 0 {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let sender = message.from.split('/').next().unwrap_or_default();
        let conversation = match self.conversations.get(sender) {
            Some(conversation) => *conversation,
            None => {
                let conversation = bare::conversation(&self.connection, sender)?;
                self.conversations.insert(sender.to_owned(), conversation);
                conversation
            }
        };
        self.place += 2;
        let row = Row {
            sender,
            device: Some(message.sender_device),
            key: Some(&KEY),
            origin_id: Some(&message.origin_id),
            stanza_id: Some(&message.archive_id),
            // To read the stamp is no part of the floor.
            server_time: Some(people::NOW.as_millis()),
            received: people::NOW.as_millis(),
            text,
        };
        bare::insert(
            &self.connection,
            conversation,
            self.archive,
            self.place,
            &row,
        )?;
        self.open += 1;
        if self.open == TRANSACTION {
            bare::advance(
                &self.connection,
                self.archive,
                self.place,
                &message.archive_id,
            )?;
            self.commit()?;
        }
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        if self.open > 0 {
            bare::write_bytes(&self.connection, &self.sessions)?;
            self.connection.execute_batch("COMMIT")?;
            self.open = 0;
        }
        Ok(())
    }

    pub(crate) fn count(&self) -> Result<usize, Failure> {
        let sql = "SELECT count(*) FROM message WHERE body IS NOT NULL";
        let count: u32 = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }
}

/// As many bytes as the engine writes for so many sessions.
fn sessions() -> Result<Bytes, Failure> {
    let (mut writer, _) = Installation::new(&people::contact(0)?, 1)?;
    let (reader, _) = Installation::new(&people::own()?, 2)?;
    let to = [writer.meet(&reader, &reader.address)?];
    let (_, changes) = writer.write(b"one", &to)?;
    let bytes = bare::bytes_of(&changes);
    let (kind, key, value) = bytes
        .into_iter()
        .find(|(kind, ..)| *kind == RecordKind::Session.as_u8())
        .ok_or("no session")?;
    let numbered = |number: u8| (kind, [key.as_slice(), &[number]].concat(), value.clone());
    Ok((0..SESSIONS).map(numbered).collect())
}
