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
    /// Place in the conversation: even for an archive position, odd for what follows it.
    pub(crate) place: i64,
    /// Row: arrival order, among messages of one place.
    pub(crate) id: i64,
}

impl TimelineKey {
    /// After every message.
    pub(crate) const END: Self = Self {
        place: i64::MAX,
        id: i64::MAX,
    };
}
