//! How the places of an imported archive lie beside those that are here.

use eft_types::BareJid;
use rusqlite::{Transaction, params};

use crate::commit::archive::{GAP, STEP, after, intern};
use crate::error::StoreError;
use crate::model::{ConversationKind, ImportedArchive, StanzaIdAndTime};

/// Where imported places go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// Nothing of the archive was here: places stay what they were there.
    AsTheyWere {
        /// The newest position there.
        newest: i64,
    },
    /// Something is here: all that was there goes before it, once something needs a place.
    NotYet {
        /// The newest position there.
        newest: i64,
        /// The oldest position there.
        oldest: i64,
    },
    /// Room was made.
    By {
        /// The newest position there.
        newest: i64,
        /// What is added to a place.
        distance: i64,
    },
}

impl Shift {
    /// The place here of a place there. What stood beyond the last position was put beyond what its archive still had to
    /// tell, and stands there again if this device has to read that; else right behind the last position.
    pub(super) fn place(
        &mut self,
        transaction: &Transaction<'_>,
        archive: &BareJid,
        place: i64,
    ) -> Result<i64, StoreError> {
        if let Self::NotYet { newest, oldest } = *self {
            *self = Self::By {
                newest,
                distance: make_room(transaction, archive, newest, oldest)?,
            };
        }
        Ok(match *self {
            // Before what arrived here meanwhile.
            Self::AsTheyWere { newest } if place > after(newest) => {
                after(newest.saturating_add(GAP)).saturating_sub(STEP)
            }
            Self::AsTheyWere { .. } => place,
            Self::By { newest, distance } => place.min(after(newest)).saturating_add(distance),
            Self::NotYet { .. } => place,
        })
    }
}

/// Joins an archive with what is here of it.
pub(super) fn join(
    transaction: &Transaction<'_>,
    own: &BareJid,
    imported: &ImportedArchive,
) -> Result<Shift, StoreError> {
    let ImportedArchive {
        jid,
        newest_place: newest,
        oldest_place: oldest,
        last,
    } = imported;
    let archive = intern(transaction, jid)?;
    let untouched: bool = transaction
        .prepare_cached(
            "SELECT newest_place = 0 AND oldest_place = 0 AND last_stanza_id IS NULL
             FROM archive WHERE id = ?1",
        )?
        .query_row(params![archive], |row| row.get(0))?;
    if !untouched {
        return Ok(Shift::NotYet {
            newest: *newest,
            oldest: *oldest,
        });
    }
    // What arrived here before the archive was read stands behind what the archive still has to tell.
    transaction
        .prepare_cached(
            "UPDATE message SET place = ?1 WHERE conversation IN (
                 SELECT id FROM conversation
                 WHERE (kind = ?2 AND ?4 = ?5) OR (kind = ?3 AND peer = ?4))",
        )?
        .execute(params![
            after(newest.saturating_add(GAP)),
            ConversationKind::Direct.code(),
            ConversationKind::Room.code(),
            jid.as_str(),
            own.as_str(),
        ])?;
    let (id, time) = last
        .as_ref()
        .map(StanzaIdAndTime::columns)
        .unwrap_or_default();
    transaction
        .prepare_cached(
            "UPDATE archive SET newest_place = ?2, oldest_place = ?3, last_stanza_id = ?4,
                                last_time = ?5, at_end = 0
             WHERE id = ?1",
        )?
        .execute(params![archive, newest, oldest, id, time])?;
    Ok(Shift::AsTheyWere { newest: *newest })
}

/// Gives out as many places before all that is here as the import has, and answers how far they are away.
fn make_room(
    transaction: &Transaction<'_>,
    jid: &BareJid,
    newest: i64,
    oldest: i64,
) -> Result<i64, StoreError> {
    let archive = intern(transaction, jid)?;
    let here: i64 = transaction
        .prepare_cached("SELECT oldest_place FROM archive WHERE id = ?1")?
        .query_row(params![archive], |row| row.get(0))?;
    // Behind the newest there is one more place, for what no archive has named.
    let distance = here
        .saturating_sub(STEP)
        .saturating_sub(newest.saturating_add(STEP));
    transaction
        .prepare_cached("UPDATE archive SET oldest_place = ?2 WHERE id = ?1")?
        .execute(params![archive, oldest.saturating_add(distance)])?;
    Ok(distance)
}
