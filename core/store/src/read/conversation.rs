//! `conversation`.

use eft_types::{BareJid, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{bare_jid, coded, timeline};
use crate::error::StoreError;
use crate::model::{
    Conversation, ConversationEncryption, ConversationKind, ConversationSummary, OptOut,
};

pub(crate) fn conversation(
    connection: &Connection,
    peer: &BareJid,
) -> Result<Option<Conversation>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT peer, kind, encryption, created, opt_out_at, opt_out_reason, separate_versions
         FROM conversation WHERE peer = ?1",
    )?;
    let mut rows = find.query(params![peer.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// The one with the newest message first; those without messages by when they were made.
pub(crate) fn conversations(
    connection: &Connection,
) -> Result<Vec<ConversationSummary>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT c.peer, c.kind, c.encryption, c.created, c.opt_out_at, c.opt_out_reason,
                c.separate_versions,
                (SELECT count(*) FROM message m WHERE m.conversation = c.id AND m.unread = 1)
         FROM conversation c",
    )?;
    let mut rows = find.query([])?;
    let mut summaries = Vec::new();
    while let Some(row) = rows.next()? {
        let conversation = read(row)?;
        let last_message = timeline(connection, &conversation.peer, None, 1)?.pop();
        summaries.push(ConversationSummary {
            unread_count: row.get(7)?,
            last_message,
            conversation,
        });
    }
    summaries.sort_by_key(|summary| {
        let newest = match &summary.last_message {
            Some(message) => message.time(),
            None => summary.conversation.created,
        };
        core::cmp::Reverse(newest)
    });
    Ok(summaries)
}

/// Incoming messages not yet marked read, of all conversations.
pub(crate) fn unread_count(connection: &Connection) -> Result<u32, StoreError> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM message WHERE unread = 1")?;
    Ok(count.query_row([], |row| row.get(0))?)
}

/// Every conversation, one after the other, in the order of rows.
pub(crate) fn each_conversation<E: From<StoreError>>(
    connection: &Connection,
    mut take: impl FnMut(Conversation) -> Result<(), E>,
) -> Result<(), E> {
    let mut find = connection
        .prepare(
            "SELECT peer, kind, encryption, created, opt_out_at, opt_out_reason, separate_versions
             FROM conversation ORDER BY id",
        )
        .map_err(StoreError::from)?;
    let mut rows = find.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        take(read(row)?)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        peer: bare_jid(row.get_ref(0)?.as_str()?, "conversation.peer")?,
        kind: coded(
            row.get(1)?,
            ConversationKind::from_code,
            "conversation.kind",
        )?,
        encryption: coded(
            row.get(2)?,
            ConversationEncryption::from_code,
            "conversation.encryption",
        )?,
        created: Timestamp::from_millis(row.get(3)?),
        opt_out: match row.get::<_, Option<i64>>(4)? {
            Some(at) => Some(OptOut {
                at: Timestamp::from_millis(at),
                reason: row.get(5)?,
            }),
            None => None,
        },
        separate_versions: row.get(6)?,
    })
}
