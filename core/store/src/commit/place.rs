//! What the messages of one batch have in common: conversations, archives, and the places that archives give out. Looked up
//! once for all of them, and the last place written once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use eft_types::{BareJid, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::archive::{self, GAP, STEP, after};
use super::conversation::{self, ConversationRow};
use crate::error::StoreError;
use crate::model::{ConversationRef, Place};

/// A place given out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// The place.
    pub(super) place: i64,
    /// The newest position of its part of the archive, this one included: beyond it, up to the next part, everything is
    /// provisional.
    pub(super) newest: i64,
    /// Where the next part begins.
    pub(super) ceiling: i64,
}

/// The archive's row, as it will be.
struct ArchiveRow {
    id: i64,
    /// Read when the first place is asked for.
    ends: Option<Ends>,
}

/// How far an archive has come.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    newest: i64,
    oldest: i64,
    at_end: bool,
    is_moved: bool,
    ranges: Option<Ranges>,
}

/// Newer parts that do not join yet.
#[derive(Clone, Copy)]
struct Ranges {
    /// Where the first of them begins.
    floor: i64,
    /// The last of them.
    id: i64,
    newest: i64,
    is_moved: bool,
}

/// Conversations and archives of one transaction.
pub(super) struct Places<'t, 'c> {
    transaction: &'t Transaction<'c>,
    conversations: HashMap<BareJid, ConversationRow>,
    archives: HashMap<BareJid, ArchiveRow>,
}

impl<'t, 'c> Places<'t, 'c> {
    pub(super) fn new(transaction: &'t Transaction<'c>) -> Self {
        Self {
            transaction,
            conversations: HashMap::new(),
            archives: HashMap::new(),
        }
    }

    pub(super) const fn transaction(&self) -> &'t Transaction<'c> {
        self.transaction
    }

    /// Finds a conversation, or makes it.
    pub(super) fn conversation(
        &mut self,
        conversation: &ConversationRef,
        now: Timestamp,
    ) -> Result<ConversationRow, StoreError> {
        if let Some(row) = self.conversations.get(&conversation.peer) {
            return Ok(*row);
        }
        let row = conversation::intern(self.transaction, conversation, now)?;
        self.conversations.insert(conversation.peer.clone(), row);
        Ok(row)
    }

    /// Finds an archive, or makes it.
    pub(super) fn archive(&mut self, jid: &BareJid) -> Result<i64, StoreError> {
        Ok(self.archive_row(jid)?.id)
    }

    /// Gives out a place.
    pub(super) fn next(&mut self, archive: &BareJid, place: Place) -> Result<Position, StoreError> {
        let mut ends = self.ends(archive)?;
        let mut ceiling = i64::MAX;
        let (place, newest) = match place {
            Place::Provisional => {
                let newest = ends.ranges.map_or(ends.newest, |ranges| ranges.newest);
                let last = match ends.at_end {
                    true => newest,
                    // What the archive still has to tell comes before this one.
                    false => newest.saturating_add(GAP),
                };
                (after(last), newest)
            }
            Place::ArchiveNewer => {
                ends.newest = ends.newest.saturating_add(STEP);
                ends.is_moved = true;
                ceiling = ends.ranges.map_or(ceiling, |ranges| ranges.floor);
                (ends.newest, ends.newest)
            }
            Place::ArchiveAhead => {
                let ranges = ends.ranges.as_mut().ok_or_else(|| StoreError::Bug {
                    detail: "a message of a range that was not begun".into(),
                })?;
                ranges.newest = ranges.newest.saturating_add(STEP);
                ranges.is_moved = true;
                (ranges.newest, ranges.newest)
            }
            Place::ArchiveOlder => {
                ends.oldest = ends.oldest.saturating_sub(STEP);
                ends.is_moved = true;
                ceiling = ends.ranges.map_or(ceiling, |ranges| ranges.floor);
                (ends.oldest, ends.newest)
            }
        };
        self.archive_row(archive)?.ends = Some(ends);
        Ok(Position {
            place,
            newest,
            ceiling,
        })
    }

    /// Whether a place stands beyond the oldest gap.
    pub(super) fn is_beyond_gap(
        &mut self,
        archive: &BareJid,
        place: i64,
    ) -> Result<bool, StoreError> {
        let ends = self.ends(archive)?;
        Ok(ends.ranges.is_some_and(|ranges| place >= ranges.floor))
    }

    /// Nobody stands at the place that was given out last: the next one gets it.
    pub(super) fn take_back(&mut self, archive: &BareJid, before: Ends) {
        if let Some(row) = self.archives.get_mut(archive) {
            row.ends = Some(before);
        }
    }

    /// Writes how far the archives have come. Without it the next transaction would give the same places out again.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        for row in self.archives.values() {
            if let Some(ranges) = row.ends.and_then(|ends| ends.ranges)
                && ranges.is_moved
            {
                self.transaction
                    .prepare_cached("UPDATE archive_range SET newest_place = ?2 WHERE id = ?1")?
                    .execute(params![ranges.id, ranges.newest])?;
            }
            if let Some(ends) = row.ends.filter(|ends| ends.is_moved) {
                self.transaction
                    .prepare_cached(
                        "UPDATE archive SET newest_place = ?2, oldest_place = ?3 WHERE id = ?1",
                    )?
                    .execute(params![row.id, ends.newest, ends.oldest])?;
            }
        }
        Ok(())
    }

    /// Its parts, as they will be.
    pub(super) fn ends(&mut self, archive: &BareJid) -> Result<Ends, StoreError> {
        let transaction = self.transaction;
        let row = self.archive_row(archive)?;
        match row.ends {
            Some(ends) => Ok(ends),
            None => Ok(*row.ends.insert(read_ends(transaction, row.id)?)),
        }
    }

    fn archive_row(&mut self, jid: &BareJid) -> Result<&mut ArchiveRow, StoreError> {
        match self.archives.entry(jid.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let id = archive::intern(self.transaction, jid)?;
                Ok(vacant.insert(ArchiveRow { id, ends: None }))
            }
        }
    }
}

fn read_ends(transaction: &Transaction<'_>, archive: i64) -> Result<Ends, StoreError> {
    let ranges = transaction
        .prepare_cached(
            "SELECT (SELECT min(oldest_place) FROM archive_range WHERE archive = ?1), id, newest_place
             FROM archive_range WHERE archive = ?1 ORDER BY oldest_place DESC LIMIT 1",
        )?
        .query_row(params![archive], |row| {
            Ok(Ranges {
                floor: row.get(0)?,
                id: row.get(1)?,
                newest: row.get(2)?,
                is_moved: false,
            })
        })
        .optional()?;
    Ok(transaction
        .prepare_cached("SELECT newest_place, oldest_place, at_end FROM archive WHERE id = ?1")?
        .query_row(params![archive], |row| {
            Ok(Ends {
                newest: row.get(0)?,
                oldest: row.get(1)?,
                at_end: row.get(2)?,
                is_moved: false,
                ranges,
            })
        })?)
}
