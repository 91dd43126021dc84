//! A message stanza becomes rows.
//!
//! | File | Noun |
//! |---|---|
//! | `archived` | a result of an archive's page, made small |
//! | `known` | which message it is: one that we have, or another |
//! | `reading` | what it holds |
//! | `found` | what that turned out to be |
//! | `source` | how it came, and where it stands |
//! | `waiting` | a message that others of its device must come before |
//! | `bounds` | what a sender could have of us without end |

mod archived;
pub(super) mod bounds;
mod found;
mod known;
mod reading;
mod source;
mod waiting;

use std::borrow::Cow;

use eft_omemo::known_keys;
use eft_store::{
    ArchiveId, Content, ConversationRef, DeliveryState, Direction, Message, MessageUpdate,
    NewMessage, Place, SendFailure, UnreadableCause,
};
use eft_types::{BareJid, DeviceAddress, Jid, OriginId, Timestamp};
use eft_xmpp::xep::delay::Delay;
use eft_xmpp::xep::stanza_error::StanzaError;
use eft_xmpp::xep::stanza_id;
use eft_xmpp::{Element, ns};
use rand::rngs::StdRng;

pub(crate) use self::archived::Archived;
use self::found::{Found, Read};
use self::known::Namesake;
pub(crate) use self::known::Seen;
pub(crate) use self::source::{Part, Source};
pub(crate) use self::waiting::Retried;
use crate::error::Error;
use crate::translate::encrypted::{self, Part as Encrypted};
use crate::unit::Unit;

/// A message stanza with what is known about its way to us.
pub(crate) struct Inbound<'a> {
    own: &'a DeviceAddress,
    stanza: &'a Element,
    /// What is encrypted in it, if that was read before.
    parts: Option<&'a [Encrypted]>,
    from: Jid,
    to: BareJid,
    source: Source,
}

impl<'a> Inbound<'a> {
    /// `None` for a stanza that is no message of a conversation: of a type that Eft does not read,
    /// or with addresses that are none.
    pub(crate) fn new(own: &'a DeviceAddress, stanza: &'a Element, source: Source) -> Option<Self> {
        if !stanza.is("message", eft_xmpp::ns::CLIENT)
            || matches!(stanza.attr("type"), Some("groupchat" | "headline"))
        {
            return None;
        }
        let address = |name, absent: &BareJid| match stanza.attr(name) {
            Some(text) => eft_xmpp::address::jid(text).ok(),
            // RFC 6120 §8.1: without an address the stanza is from or to the account.
            None => Some(absent.clone().into()),
        };
        Some(Self {
            own,
            stanza,
            parts: None,
            from: address("from", &own.jid)?,
            to: address("to", &own.jid)?.to_bare(),
            source,
        })
    }

    /// Of a result of an archive's page.
    pub(crate) fn of_archived(
        own: &'a DeviceAddress,
        archived: &'a Archived,
        source: Source,
    ) -> Option<Self> {
        Some(Self {
            parts: archived.encrypted.as_deref(),
            ..Self::new(own, &archived.message, source)?
        })
    }

    /// Every OMEMO element for this device.
    fn parts(&self) -> Cow<'a, [Encrypted]> {
        match self.parts {
            Some(parts) => Cow::Borrowed(parts),
            None => Cow::Owned(encrypted::parse(self.stanza, &self.sender(), self.own)),
        }
    }

    fn sender(&self) -> BareJid {
        self.from.to_bare()
    }

    fn is_outgoing(&self) -> bool {
        self.sender() == self.own.jid
    }

    /// Whether it belongs to the conversation with this account.
    pub(crate) fn is_with(&self, peer: &BareJid) -> bool {
        self.peer() == *peer
    }

    /// Whether it was asked for as older history: nobody has to be told of it.
    const fn is_older(&self) -> bool {
        matches!(
            self.source,
            Source::Archive {
                part: Part::Older,
                ..
            }
        )
    }

    fn peer(&self) -> BareJid {
        if self.is_outgoing() {
            self.to.clone()
        } else {
            self.sender()
        }
    }

    /// XEP-0359: only our own account names stanzas in our archive.
    fn archive_id(&self) -> Option<ArchiveId> {
        match &self.source {
            Source::Archive { id, .. } => Some(id.clone()),
            Source::Live | Source::Carbon => {
                stanza_id::stanza_id(self.stanza, &self.own.jid.clone().into())
                    .map(|id| ArchiveId::new(self.own.jid.clone(), id))
            }
        }
    }

    /// Whether there is an OMEMO element, of whichever version and however well-formed.
    fn is_encrypted(&self) -> bool {
        if let Some(parts) = self.parts {
            return !parts.is_empty();
        }
        self.stanza.has_child("encrypted", ns::OMEMO_2)
            || self.stanza.has_child("encrypted", ns::OMEMO_LEGACY)
    }

    fn is_before_this_device(&self) -> bool {
        matches!(self.source, Source::Archive { part, .. } if part.is_before_this_device())
    }

    fn server_time(&self, unit: &mut Unit<'_>) -> Result<Option<Timestamp>, Error> {
        match &self.source {
            Source::Archive { stamp, .. } => Ok(*stamp),
            Source::Live | Source::Carbon => self.claimed_time(unit),
        }
    }

    /// Our server says when it took a message that it delivers late, as the account or as itself
    /// (XEP-0203, XEP-0198). Servers let the sender's own `<delay/>` pass, so it may be anybody's
    /// word: it is believed only as far as it does no harm. A message that comes now is not of the
    /// future, not older than what the archive gave us already or than this device, and not older
    /// than the message that it is shown below. Its place in the timeline never depends on it.
    fn claimed_time(&self, unit: &mut Unit<'_>) -> Result<Option<Timestamp>, Error> {
        let domain = Jid::new(self.own.jid.domain().as_str()).ok();
        let Some(delay) = [Some(self.own.jid.clone().into()), domain]
            .into_iter()
            .flatten()
            .find_map(|by| Delay::find(self.stanza, &by))
        else {
            return Ok(None);
        };
        let keys = unit.sure_step(|records| known_keys(records, &self.own.jid))?;
        let ours = keys.first().map(|key| key.since);
        let archived = unit
            .store()
            .archive_cursor(&self.own.jid)?
            .and_then(|cursor| cursor.last)
            .map(|(_, at)| at);
        let above = unit.store().timeline(&self.peer(), None, 1)?;
        let earliest = [ours, archived, above.first().map(Message::time)]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(delay.stamp);
        Ok(Some(delay.stamp.max(earliest).min(unit.now)))
    }

    /// Takes the message into the unit of work.
    pub(crate) fn take(
        self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<(), Error> {
        if self.stanza.attr("type") == Some("error") {
            return self.take_error(unit);
        }
        let archive_id = self.archive_id();
        // Law 4: duplicates are silent. The ratchet must not see them at all.
        if self.is_known_by_archive(unit, seen, archive_id.as_ref())? {
            return Ok(());
        }
        let namesake = self.namesake(unit, seen, archive_id.as_ref())?;
        if let Namesake::Same(row) = &namesake
            && row.content.is_readable()
        {
            // Our own message coming back, or a second way to one that we have.
            if self.may_stand_earlier(row) {
                self.insert_copy(unit, archive_id, row)?;
            } else {
                Self::bind(unit, row, archive_id);
            }
            return Ok(());
        }
        let read = match self.read(unit, seen, context, rng)? {
            Found::Nothing | Found::Transient => return Ok(()),
            Found::Duplicate => None,
            Found::Message(read) => Some(read),
        };
        match (namesake, read) {
            (Namesake::Same(row) | Namesake::Perhaps(row), None) => {
                Self::bind(unit, &row, archive_id);
            }
            (Namesake::None | Namesake::Other, None) => {}
            (Namesake::Perhaps(row), Some(read)) if row.content.is_readable() => {
                if read.content.is_readable() {
                    // The ratchet reads nothing twice: this is news under an old id.
                    self.insert(unit, archive_id, None, read)?;
                } else {
                    // It was read, and the session has left it behind since.
                    Self::bind(unit, &row, archive_id);
                }
            }
            (Namesake::Other, Some(read)) => self.insert(unit, archive_id, None, read)?,
            (_, Some(read)) => {
                let id = self.sender_id();
                self.insert(unit, archive_id, id, read)?;
            }
        }
        Ok(())
    }

    /// A message that was sent twice has its place where it stands first. The newest part of an archive is read before what
    /// lies in the gap, so this may be an earlier copy of a row that is there: the store knows.
    fn insert_copy(
        &self,
        unit: &mut Unit<'_>,
        archive_id: Option<ArchiveId>,
        row: &Message,
    ) -> Result<(), Error> {
        let copy = NewMessage {
            direction: row.direction,
            origin_id: row.origin_id.clone(),
            archive_id,
            server_time: self.server_time(unit)?,
            place: Place::ArchiveNewer,
            encryption: row.encryption,
            unread: false,
            ..NewMessage::incoming(
                row.conversation.clone(),
                row.sender.clone(),
                row.content.clone(),
                unit.now,
            )
        };
        unit.batch.insert_message(copy);
        Ok(())
    }

    fn insert(
        &self,
        unit: &mut Unit<'_>,
        archive_id: Option<ArchiveId>,
        origin_id: Option<OriginId>,
        read: Read,
    ) -> Result<(), Error> {
        let is_outgoing = self.is_outgoing();
        let place = match self.source {
            Source::Archive { part, .. } => part.place(),
            Source::Live | Source::Carbon => Place::Provisional,
        };
        // Failures are bounded per day (law 4), and the delay on a live stanza may be anybody's word.
        let server_time = match self.source {
            Source::Live | Source::Carbon if !read.content.is_readable() => None,
            _ => self.server_time(unit)?,
        };
        let message = NewMessage {
            direction: if is_outgoing {
                Direction::Outgoing
            } else {
                Direction::Incoming
            },
            sender_device: read.device,
            sender_key: read.key,
            sender_trust: read.trust,
            origin_id,
            archive_id,
            server_time,
            place,
            encryption: read.encryption,
            unread: !is_outgoing && !self.is_older() && !is_from_before(&read.content),
            ..NewMessage::incoming(
                ConversationRef::direct(self.peer()),
                self.sender().into(),
                read.content,
                unit.now,
            )
        };
        let position = read.position;
        let is_to_be_told = unit.announces && !is_outgoing && message.content.is_readable();
        let message = unit.batch.insert_message(message);
        if is_to_be_told {
            unit.batch.announce(message);
        }
        if !self.is_older() {
            unit.announce(message);
        }
        if let Some(position) = position {
            unit.wait(message, position);
        }
        Ok(())
    }

    /// An error stanza about a message of ours (RFC 6120 §8.3).
    fn take_error(&self, unit: &mut Unit<'_>) -> Result<(), Error> {
        let Some(id) = self.stanza.attr("id") else {
            return Ok(());
        };
        let own: Jid = self.own.jid.clone().into();
        if let Some(row) =
            unit.store()
                .message_by_origin_id(&self.sender(), &own, &OriginId::new(id))?
        {
            let error = StanzaError::parse(self.stanza);
            unit.batch.update_message(
                row.id,
                MessageUpdate::Delivery(DeliveryState::Failed {
                    reason: SendFailure::Refused,
                    detail: Some(error.to_string()),
                }),
            );
        }
        Ok(())
    }
}

/// Whether a message was written when this device was not there yet: nobody waits to read it here.
fn is_from_before(content: &Content) -> bool {
    matches!(content, Content::Unreadable(unreadable) if unreadable.cause == UnreadableCause::BeforeThisDevice)
}

/// In which situation messages are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// Every archive is at its end: what is missing now will not come.
    Live,
    /// Older messages may still come.
    CatchUp,
}

#[cfg(test)]
pub(crate) mod tests;
