//! Archives (XEP-0313) and how far we have read them.

use eft_types::{BareJid, StanzaId, Timestamp};

use super::TimelineKey;

/// Name that an archive gave a message (XEP-0359 `<stanza-id by='archive' id='id'/>`).
///
/// Only to be built from an archive that was allowed to say so: our own account for direct
/// messages, the room for room messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveId {
    /// Own bare address, or the room's.
    pub archive: BareJid,
    /// The archive's id.
    pub stanza_id: StanzaId,
}

impl ArchiveId {
    /// Joins an archive and the id it gave.
    #[must_use]
    pub const fn new(archive: BareJid, stanza_id: StanzaId) -> Self {
        Self { archive, stanza_id }
    }
}

/// What one page, or a part of a page, of an archive proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveProgress {
    /// The archive.
    pub archive: BareJid,
    /// Newest message of the page, whether or not it became a row: its id and the archive's time
    /// stamp. `None` for an empty page.
    pub last: Option<ArchivePoint>,
    /// The archive said that nothing newer exists (XEP-0313 `complete='true'`).
    pub at_end: bool,
}

/// A message of an archive: the archive's id for it, and when it took it.
pub type ArchivePoint = (StanzaId, Timestamp);

/// How far an archive has been read. Only archive pages move any of it: a live message may be newer than a month that we
/// have not seen.
///
/// ```text
///   first ──────── last      first ── last      first ── last
///   the contiguous part  gap    ranges[0]   gap    ranges[1] ── at_end? ──► live
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveCursor {
    /// The archive.
    pub archive: BareJid,
    /// First message of the contiguous part; `None` where nothing was read, or a former version read it.
    pub first: Option<ArchivePoint>,
    /// Last message of the contiguous part. `None` while nothing was read, or when the archive was
    /// empty.
    pub last: Option<ArchivePoint>,
    /// Newer parts that do not join it yet, the oldest first. Before each, messages are known to be missing.
    pub ranges: Vec<ArchiveRange>,
    /// Whether everything is known from [`ArchiveCursor::first`] to the archive's end. A caller that may have missed
    /// messages since (new stream without resumption) says so with
    /// [`Batch::reopen_archives`](crate::Batch::reopen_archives).
    pub at_end: bool,
    /// Whether the newest part reaches to the archive's end, be there gaps before it or not.
    pub newest_at_end: bool,
}

/// A part of an archive without a hole in it, and with one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRange {
    /// Its oldest message.
    pub first: ArchivePoint,
    /// Its newest message.
    pub last: ArchivePoint,
    pub(crate) oldest_place: i64,
    pub(crate) newest_place: i64,
}

impl ArchiveRange {
    /// Whether a message has its place in this part.
    #[must_use]
    pub const fn holds(&self, key: TimelineKey) -> bool {
        self.oldest_place < key.place && key.place <= self.newest_place
    }
}

/// How far back a conversation's history was read, beyond what catch-up reads of its archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderHistory {
    /// Its oldest message here that the archive has, be it by catch-up or by a page of its own; `None` if there is none.
    pub first: Option<StanzaId>,
    /// Whether the archive has nothing of it before that.
    pub at_beginning: bool,
}
