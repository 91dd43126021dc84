//! Archives (XEP-0313) and how far we have read them.

use eft_types::{BareJid, StanzaId, Timestamp};

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
    pub last: Option<(StanzaId, Timestamp)>,
    /// The archive said that nothing newer exists (XEP-0313 `complete='true'`).
    pub at_end: bool,
}

/// How far an archive has been read without a hole. Only archive pages move it: a live message may
/// be newer than a month that we have not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveCursor {
    /// The archive.
    pub archive: BareJid,
    /// Last message of the contiguous part. `None` while nothing was read, or when the archive was
    /// empty.
    pub last: Option<(StanzaId, Timestamp)>,
    /// Whether the last page read was the archive's end. A caller that may have missed messages
    /// since (new stream without resumption) says so with
    /// [`Batch::reopen_archives`](crate::Batch::reopen_archives).
    pub at_end: bool,
}
