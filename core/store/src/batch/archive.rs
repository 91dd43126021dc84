//! What a batch says of archives.

use eft_types::{BareJid, Timestamp};

use super::Batch;
use crate::model::{ArchivePoint, ArchiveProgress, ConversationRef, OlderHistory};

/// A change of how far an archive was read, behind the messages of the batch.
#[derive(Debug)]
pub(crate) enum ArchiveStep {
    Advance(ArchiveProgress),
    Extend(ArchiveProgress),
    Begin {
        archive: BareJid,
        first: Option<ArchivePoint>,
        at_beginning: bool,
    },
}

/// How far archives were read (XEP-0313). Only their pages move any of it.
impl Batch {
    /// Moves an archive's cursor to what a page proved. To be committed together with the messages
    /// of that page. While newer ranges are there, the archive's end is theirs, and `at_end` is passed over.
    pub fn advance_archive(&mut self, progress: ArchiveProgress) {
        self.archives.push(ArchiveStep::Advance(progress));
    }

    /// Begins a part of an archive behind all that is known of it, with a gap before it. Messages of this and later
    /// batches with [`Place::ArchiveAhead`](crate::Place::ArchiveAhead) stand in it, and
    /// [`Batch::extend_range`] says up to where it goes.
    pub fn begin_range(&mut self, archive: BareJid, first: ArchivePoint) {
        self.ranges.push((archive, first));
    }

    /// Moves the end of an archive's newest range, as [`Batch::advance_archive`] moves the cursor. Nothing happens if
    /// there is no range.
    pub fn extend_range(&mut self, progress: ArchiveProgress) {
        self.archives.push(ArchiveStep::Extend(progress));
    }

    /// The gap before the oldest range is closed: the contiguous part goes to the end of that range, before the messages of
    /// this batch. Those of the gap are in an earlier commit, with their progress. Nothing happens if there is no range.
    pub fn join_range(&mut self, archive: BareJid) {
        self.joins.push(archive);
    }

    /// Notes where the contiguous part of an archive begins, and whether that is the archive's beginning. What is noted
    /// already stays.
    pub fn note_first(
        &mut self,
        archive: BareJid,
        first: Option<ArchivePoint>,
        at_beginning: bool,
    ) {
        self.archives.push(ArchiveStep::Begin {
            archive,
            first,
            at_beginning,
        });
    }

    /// Notes how far back a conversation's older history was read from the archive. To be committed together with those
    /// messages, which have [`Place::ArchiveOlder`](crate::Place::ArchiveOlder) and come newest first. The conversation is
    /// made at `now` if it does not exist.
    pub fn note_older(
        &mut self,
        conversation: ConversationRef,
        older: OlderHistory,
        now: Timestamp,
    ) {
        self.older.push((conversation, older, now));
    }

    /// No archive counts as read to its end any more: the stream was lost without resumption.
    pub fn reopen_archives(&mut self) {
        self.reopen_archives = true;
    }
}
