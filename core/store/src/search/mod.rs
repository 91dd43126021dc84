//! The user's search through messages.
//!
//! The index follows behind: a commit writes no word, so that a catch-up is not slowed down. Idle time
//! indexes what is new, batch by batch, and a search reads the rest.

mod tokens;

use eft_types::{BareJid, MessageId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::StoreError;
use crate::limits::MAX_PAGE_ROWS;
use crate::model::Message;
use crate::read;

/// Messages of the tail that are looked through at once: a bound on memory, not on the search.
const TAIL_ROWS: i64 = 1000;

/// Indexes up to `limit` more messages. Answers whether that was all.
pub(crate) fn index(transaction: &Transaction<'_>, limit: usize) -> Result<bool, StoreError> {
    let mut mark = search_mark(transaction)?;
    let mut find = transaction
        .prepare_cached("SELECT id, body FROM message WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO message_search (rowid, text) VALUES (?1, ?2)")?;
    let mut rows = find.query(params![mark, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        mark = row.get(0)?;
        count += 1;
        if let Some(body) = row.get_ref(1)?.as_str_or_null()? {
            insert.execute(params![mark, tokens::indexed(body)])?;
        }
    }
    transaction.execute("UPDATE account SET search_mark = ?1", params![mark])?;
    Ok(count < limit)
}

/// Before a message's text changes or goes: takes its words out of the index, if they are in it.
pub(crate) fn unindex(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    if let Some(body) = body_behind_mark(transaction, id)? {
        transaction
            .prepare_cached(
                "INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', ?1, ?2)",
            )?
            .execute(params![id, tokens::indexed(&body)])?;
    }
    Ok(())
}

/// After a message's text changed: puts its words into the index, if the mark has passed it.
pub(crate) fn reindex(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    if let Some(body) = body_behind_mark(transaction, id)? {
        transaction
            .prepare_cached("INSERT INTO message_search (rowid, text) VALUES (?1, ?2)")?
            .execute(params![id, tokens::indexed(&body)])?;
    }
    Ok(())
}

/// A message's text, if it has one and the mark has passed it.
fn body_behind_mark(transaction: &Transaction<'_>, id: i64) -> Result<Option<String>, StoreError> {
    let body: Option<Option<String>> = transaction
        .prepare_cached(
            "SELECT body FROM message WHERE id = ?1 AND id <= (SELECT search_mark FROM account)",
        )?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    Ok(body.flatten())
}

/// Messages with what the user typed, newest row first; those before `before`, of one conversation or of
/// all.
pub(crate) fn search(
    connection: &Connection,
    typed: &str,
    peer: Option<&BareJid>,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let Some(query) = tokens::query(typed) else {
        return Ok(Vec::new());
    };
    let conversation: Option<i64> = match peer {
        None => None,
        Some(peer) => {
            let found = connection
                .prepare_cached("SELECT id FROM conversation WHERE peer = ?1")?
                .query_row(params![peer.as_str()], |row| row.get(0))
                .optional()?;
            let Some(found) = found else {
                return Ok(Vec::new());
            };
            Some(found)
        }
    };
    let limit = limit.min(MAX_PAGE_ROWS);
    let before = before.map_or(i64::MAX, MessageId::as_row);
    let mark = search_mark(connection)?;
    let mut ids = tail(connection, &query, conversation, mark, before, limit)?;
    if ids.len() < limit {
        let mut find = connection.prepare_cached(
            "SELECT rowid FROM message_search WHERE message_search MATCH ?1 AND rowid < ?2
               AND (?3 IS NULL OR (SELECT conversation FROM message m WHERE m.id = message_search.rowid) = ?3)
             ORDER BY rowid DESC LIMIT ?4",
        )?;
        let wanted = i64::try_from(limit - ids.len()).unwrap_or(i64::MAX);
        let found = find.query_map(params![query, before, conversation, wanted], |row| {
            row.get(0)
        })?;
        for id in found {
            ids.push(id?);
        }
    }
    let mut messages = Vec::with_capacity(ids.len());
    for id in ids {
        messages.extend(read::by_id(connection, MessageId::from_row(id))?);
    }
    Ok(messages)
}

/// Looks through what is not indexed, newest first, with an index of its own in memory: so it finds what the
/// index will find.
fn tail(
    connection: &Connection,
    query: &str,
    conversation: Option<i64>,
    mark: i64,
    before: i64,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut ids = Vec::new();
    let mut end = before;
    let mut find = connection.prepare_cached(
        "SELECT id, body FROM message
         WHERE id > ?1 AND id < ?2 AND (?3 IS NULL OR conversation = ?3)
         ORDER BY id DESC LIMIT ?4",
    )?;
    while ids.len() < limit {
        let scratch = Connection::open_in_memory()?;
        scratch.execute_batch(
            "CREATE VIRTUAL TABLE tail USING fts5 (
                 text, content = '', tokenize = 'unicode61 remove_diacritics 2');
             BEGIN;",
        )?;
        let mut insert = scratch.prepare("INSERT INTO tail (rowid, text) VALUES (?1, ?2)")?;
        let mut rows = find.query(params![mark, end, conversation, TAIL_ROWS])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            end = row.get(0)?;
            count += 1;
            if let Some(body) = row.get_ref(1)?.as_str_or_null()? {
                insert.execute(params![end, tokens::indexed(body)])?;
            }
        }
        if count == 0 {
            break;
        }
        let mut matching =
            scratch.prepare("SELECT rowid FROM tail WHERE tail MATCH ?1 ORDER BY rowid DESC")?;
        for id in matching.query_map(params![query], |row| row.get(0))? {
            ids.push(id?);
        }
    }
    ids.truncate(limit);
    Ok(ids)
}

fn search_mark(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached("SELECT search_mark FROM account")?
        .query_row([], |row| row.get(0))?)
}
