//! `intake`.

use eft_types::{MessageId, OriginId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{bare_jid, coded, damaged, rows};
use crate::error::StoreError;
use crate::model::{
    ConversationKind, ConversationRef, Intake, IntakeEntry, IntakeId, IntakeKind, Opaque, Plaintext,
};

/// In the order of appending.
pub(crate) fn intake(
    connection: &Connection,
    after: Option<IntakeId>,
    limit: usize,
) -> Result<Vec<IntakeEntry>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT id, kind, peer, conversation_kind, origin_id, body, payload, message, queued FROM intake
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let after = after.map_or(i64::MIN, IntakeId::as_row);
    let mut found = find.query(params![after, rows(limit)])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(IntakeEntry {
            id: IntakeId::from_row(row.get(0)?),
            intake: read(row)?,
            queued: Timestamp::from_millis(row.get(8)?),
        });
    }
    Ok(entries)
}

fn read(row: &Row<'_>) -> Result<Intake, StoreError> {
    let peer = bare_jid(row.get_ref(2)?.as_str()?, "intake.peer")?;
    let payload = row.get::<_, Option<Vec<u8>>>(6)?.map(Opaque::from);
    Ok(
        match coded(row.get(1)?, IntakeKind::from_code, "intake.kind")? {
            IntakeKind::Text => Intake::Text {
                conversation: conversation(row, peer)?,
                origin_id: origin_id(row)?,
                plaintext: Plaintext {
                    text: row
                        .get::<_, Option<String>>(5)?
                        .ok_or_else(|| damaged("intake.body"))?,
                    payload,
                },
            },
            IntakeKind::File => Intake::File {
                conversation: conversation(row, peer)?,
                origin_id: origin_id(row)?,
                description: payload.ok_or_else(|| damaged("intake.payload"))?,
            },
            IntakeKind::ReadMark => Intake::ReadMark {
                peer,
                up_to: row
                    .get::<_, Option<i64>>(7)?
                    .map(MessageId::from_row)
                    .ok_or_else(|| damaged("intake.message"))?,
            },
        },
    )
}

fn conversation(row: &Row<'_>, peer: eft_types::BareJid) -> Result<ConversationRef, StoreError> {
    let code = row
        .get::<_, Option<u8>>(3)?
        .ok_or_else(|| damaged("intake.conversation_kind"))?;
    Ok(ConversationRef {
        peer,
        kind: coded(
            code,
            ConversationKind::from_code,
            "intake.conversation_kind",
        )?,
    })
}

fn origin_id(row: &Row<'_>) -> Result<OriginId, StoreError> {
    row.get::<_, Option<String>>(4)?
        .map(OriginId::new)
        .ok_or_else(|| damaged("intake.origin_id"))
}
