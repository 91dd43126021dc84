//! How a message came, and where it stands.

use eft_store::{ArchiveId, Place};
use eft_types::{BareJid, Timestamp};
use eft_xmpp::xep::mam::ArchivedMessage;

/// How a message came to us. Whoever names a source has checked that it may speak (carbons and
/// archive results only from our own account).
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From the stream itself.
    Live,
    /// Copied from another client of ours (XEP-0280).
    Carbon,
    /// From our archive (XEP-0313).
    Archive {
        /// The archive's id.
        id: ArchiveId,
        /// When the archive took it.
        stamp: Option<Timestamp>,
        /// Which part of the archive it stands in.
        part: Part,
    },
}

impl Source {
    /// A result of an archive's page.
    pub(crate) fn archive(archive: &BareJid, archived: &ArchivedMessage, part: Part) -> Self {
        Self::Archive {
            id: ArchiveId::new(archive.clone(), archived.id.clone()),
            stamp: Some(archived.stamp),
            part,
        }
    }
}

/// Where a message of the archive stands beside what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Behind the part without a hole.
    Next,
    /// Behind all that is known, with a gap before it.
    Ahead,
    /// On the page that shows a new device what was there before it.
    First,
    /// Before all that is known.
    Older,
}

impl Part {
    /// Whether this device was not there when the message was written.
    pub(super) const fn is_before_this_device(self) -> bool {
        matches!(self, Self::First | Self::Older)
    }

    pub(super) const fn place(self) -> Place {
        match self {
            Self::Next | Self::First => Place::ArchiveNewer,
            Self::Ahead => Place::ArchiveAhead,
            Self::Older => Place::ArchiveOlder,
        }
    }
}
