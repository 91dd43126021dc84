//! Which message a stanza is: one that we have, or another.
//!
//! The archive's id is the archive's word and settles it. The sender's id is weaker. Only
//! `<origin-id/>` promises to be unique (XEP-0359 §4); the `id` of a stanza need not be beyond one
//! stream (RFC 6120 §8.1.3), and there are programs that write the same on every message. And what
//! nobody encrypted may have been put there, under an id seen on its way, to make us ignore the
//! encrypted message that it belongs to. An id that names two messages names none.

use std::collections::{HashMap, HashSet};

use eft_store::{ArchiveId, Content, Message, MessageEncryption, MessageUpdate};
use eft_types::{BareJid, DeviceAddress, Jid, OriginId};
use eft_xmpp::xep::{message, stanza_id};

use super::{Inbound, Part, Source};
use crate::error::Error;
use crate::unit::Unit;

/// What of the same batch is already known, so that a message that comes twice in it is taken once.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    archive_ids: HashSet<ArchiveId>,
    /// Ids by conversation and sender; whether their message was encrypted.
    sender_ids: HashMap<(BareJid, BareJid, OriginId), bool>,
    /// Devices whose other identity key was told of.
    pub(super) identity_changes: HashSet<DeviceAddress>,
}

/// The row that bears the sender's id, if there is one.
pub(super) enum Namesake {
    /// No row does.
    None,
    /// It is this message.
    Same(Message),
    /// It may be this message: its id says so, and nothing speaks against it.
    Perhaps(Message),
    /// It is another message.
    Other,
}

impl Inbound<'_> {
    /// Whether the archive's id says that the message is known. It is from now on.
    pub(super) fn is_known_by_archive(
        &self,
        unit: &Unit<'_>,
        seen: &mut Seen,
        archive_id: Option<&ArchiveId>,
    ) -> Result<bool, Error> {
        let Some(id) = archive_id else {
            return Ok(false);
        };
        Ok(!seen.archive_ids.insert(id.clone())
            || unit.store().message_by_archive_id(id)?.is_some())
    }

    /// Looks for the row that bears the sender's id.
    pub(super) fn namesake(
        &self,
        unit: &Unit<'_>,
        seen: &mut Seen,
        archive_id: Option<&ArchiveId>,
    ) -> Result<Namesake, Error> {
        let Some(id) = self.sender_id() else {
            return Ok(Namesake::None);
        };
        let is_unique = self.has_unique_id();
        let is_encrypted = self.is_encrypted();
        let name = (self.peer(), self.sender(), id.clone());
        if let Some(was_encrypted) = seen.sender_ids.insert(name, is_encrypted)
            && (!is_unique || was_encrypted != is_encrypted)
        {
            return Ok(Namesake::Other);
        }
        let sender: Jid = self.sender().into();
        let Some(row) = unit
            .store()
            .message_by_origin_id(&self.peer(), &sender, &id)?
        else {
            return Ok(Namesake::None);
        };
        let was_encrypted = matches!(
            row.encryption,
            MessageEncryption::Omemo2 | MessageEncryption::Legacy
        );
        Ok(if was_encrypted != is_encrypted {
            Namesake::Other
        } else if is_unique {
            Namesake::Same(row)
        } else if archive_id.is_some() && row.archive_id.is_some() {
            // The archive knows both, and by different ids.
            Namesake::Other
        } else if is_encrypted {
            Namesake::Perhaps(row)
        } else if self.says_the_same(&row.content) {
            Namesake::Same(row)
        } else {
            Namesake::Other
        })
    }

    /// Whether this copy fills a gap, and the row's own may stand beyond it.
    pub(super) const fn may_stand_earlier(&self, row: &Message) -> bool {
        let part = match self.source {
            Source::Archive { part, .. } => part,
            Source::Live | Source::Carbon => return false,
        };
        matches!(part, Part::Next) && row.archive_id.is_some()
    }

    /// Gives a row the archive's id, once that is known.
    pub(super) fn bind(unit: &mut Unit<'_>, row: &Message, archive_id: Option<ArchiveId>) {
        if let (Some(id), None) = (archive_id, &row.archive_id) {
            unit.batch
                .update_message(row.id, MessageUpdate::ArchiveId(id));
        }
    }

    /// The id that the sender gave it.
    pub(super) fn sender_id(&self) -> Option<OriginId> {
        stanza_id::origin_id(self.stanza)
            .or_else(|| self.stanza.attr("id").map(OriginId::new))
            .filter(|id| !id.as_str().is_empty())
    }

    /// Whether that id promises to be unique.
    fn has_unique_id(&self) -> bool {
        stanza_id::origin_id(self.stanza).is_some()
    }

    fn says_the_same(&self, content: &Content) -> bool {
        match content {
            Content::Readable(plaintext) => {
                message::body_of(self.stanza.children()).is_some_and(|body| body == plaintext.text)
            }
            Content::Unreadable(_) => true,
        }
    }
}
