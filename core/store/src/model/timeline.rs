//! The order of messages in a conversation.

/// Where a new message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// It did not come from an archive page: after everything archived so far, until an archive
    /// page shows its real place. What we write and what arrives live.
    Provisional,
    /// Next message of the archive, reading forward: after all of the archive that we have.
    ArchiveNewer,
    /// Next message of the archive, reading backward: before all of the archive that we have.
    /// Pages list oldest first, so a page read backward is inserted in reverse.
    ArchiveOlder,
}

/// Position of a message in its conversation: the key of a page boundary.
///
/// A message that was placed provisionally gets another key when its archive position becomes
/// known, so keys belong to the reading in progress and are not for keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimelineKey {
    /// Ordinal of the archive position; for a provisional message that of the position it follows.
    pub(crate) place: i64,
    /// 0 for an archived message, else the row id: arrival order.
    pub(crate) arrival: i64,
}
