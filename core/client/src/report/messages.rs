//! What waits to be sent, and how far the archive was read.

use eft_types::Timestamp;

use super::fact::{Fact, ReportArea};

/// What waits to be sent, by how far it is, and how far the archive was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagesReport {
    /// Not encrypted yet: for want of a connection, of keys, or of a decision.
    pub queued_count: u32,
    /// Encrypted, and not handed to a connection.
    pub encrypted_count: u32,
    /// Sent, and not acknowledged by the server.
    pub unacknowledged_count: u32,
    /// When the oldest of all these was queued.
    pub oldest: Option<Timestamp>,
    /// The account's archive; `None` if it was never read.
    pub archive: Option<ArchiveReport>,
}

/// How far the archive was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveReport {
    /// Everything up to its end is here.
    pub is_complete: bool,
    /// Places where messages are known to be missing.
    pub gap_count: u32,
    /// When the last message was written up to which nothing is missing.
    pub complete_until: Option<Timestamp>,
    /// The app wants no more of it now: [`crate::Account::pause_catch_up`].
    pub is_paused: bool,
}

impl MessagesReport {
    /// Everything that waits.
    pub(super) const fn waiting_count(&self) -> u32 {
        self.queued_count
            .saturating_add(self.encrypted_count)
            .saturating_add(self.unacknowledged_count)
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Messages;
        let mut facts = vec![
            area.fact("queued", self.queued_count),
            area.fact("encrypted, not sent", self.encrypted_count),
            area.fact("sent, not acknowledged", self.unacknowledged_count),
        ];
        if let Some(oldest) = self.oldest {
            facts.push(area.fact("oldest waits since", oldest));
        }
        match &self.archive {
            None => facts.push(area.fact("archive", "never read")),
            Some(archive) => facts.extend([
                area.fact("archive read to its end", archive.is_complete),
                area.fact("gaps in the archive", archive.gap_count),
                area.fact("nothing is missing until", archive.complete_until),
                area.fact("catch-up is paused", archive.is_paused),
            ]),
        }
        facts
    }
}
