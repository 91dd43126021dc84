//! `stream`: what a new process resumes.

use rusqlite::{Transaction, params};

use crate::batch::StreamChange;
use crate::error::StoreError;

pub(super) fn write(
    transaction: &Transaction<'_>,
    changes: &[StreamChange],
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            StreamChange::Started(stream) => transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO stream
                         (id, resume_id, handled_inbound, acked_outbound, details)
                     VALUES (1, ?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    stream.resume_id.as_bytes(),
                    stream.handled_inbound,
                    stream.acked_outbound,
                    stream.details.as_bytes(),
                ])?,
            StreamChange::Counted { inbound, outbound } => transaction
                .prepare_cached(
                    "UPDATE stream SET handled_inbound = coalesce(?1, handled_inbound),
                                       acked_outbound = coalesce(?2, acked_outbound)",
                )?
                .execute(params![inbound, outbound])?,
            StreamChange::Ended => transaction.execute("DELETE FROM stream", [])?,
        };
    }
    Ok(())
}
