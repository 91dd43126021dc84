//! A message stanza becomes rows.

pub(super) mod bounds;
mod known;

use eft_omemo::{EncryptedMessage, Malformed, Outcome, ReceiveContext, Version, needs, receive};
use eft_store::{
    ArchiveId, Content, ConversationRef, DeliveryState, Direction, MessageEncryption,
    MessageUpdate, NewMessage, Opaque, Place, Plaintext, RetryTrigger, SendFailure, Unreadable,
    UnreadableCause,
};
use eft_types::{BareJid, DeviceAddress, DeviceId, Jid, OriginId, Timestamp};
use eft_xmpp::xep::delay::Delay;
use eft_xmpp::xep::eme::ExplicitEncryption;
use eft_xmpp::xep::stanza_error::StanzaError;
use eft_xmpp::xep::{message, sce, stanza_id};
use eft_xmpp::{Element, ns};
use rand::rngs::StdRng;

use self::known::Namesake;
pub(crate) use self::known::Seen;
use super::pending::{Chain, Position};
use super::stanza;
use crate::error::Error;
use crate::translate::encrypted;
use crate::unit::Unit;

/// How a message came to us. Whoever names a source has checked that it may speak (carbons and
/// archive results only from our own account).
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From the stream itself.
    Live,
    /// Copied from another client of ours (XEP-0280).
    Carbon,
    /// From our archive (XEP-0313), reading forward.
    Archive {
        /// The archive's id.
        id: ArchiveId,
        /// When the archive took it.
        stamp: Option<Timestamp>,
        /// Of the page that shows a new device what was there before it.
        is_first_page: bool,
    },
}

/// A message stanza with what is known about its way to us.
pub(crate) struct Inbound<'a> {
    own: &'a DeviceAddress,
    stanza: &'a Element,
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
            Some(text) => Jid::new(text).ok(),
            // RFC 6120 §8.1: without an address the stanza is from or to the account.
            None => Some(absent.clone().into()),
        };
        Some(Self {
            own,
            stanza,
            from: address("from", &own.jid)?,
            to: address("to", &own.jid)?.to_bare(),
            source,
        })
    }

    fn sender(&self) -> BareJid {
        self.from.to_bare()
    }

    fn is_outgoing(&self) -> bool {
        self.sender() == self.own.jid
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
        self.stanza.has_child("encrypted", ns::OMEMO_2)
            || self.stanza.has_child("encrypted", ns::OMEMO_LEGACY)
    }

    fn is_before_this_device(&self) -> bool {
        matches!(
            self.source,
            Source::Archive {
                is_first_page: true,
                ..
            }
        )
    }

    fn server_time(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Archive { stamp, .. } => *stamp,
            // Our server says when it took an offline message; it speaks as the account or as itself.
            Source::Live | Source::Carbon => {
                let domain = Jid::new(self.own.jid.domain().as_str()).ok();
                [Some(self.own.jid.clone().into()), domain]
                    .into_iter()
                    .flatten()
                    .find_map(|by| Delay::find(self.stanza, &by))
                    .map(|delay| delay.stamp)
            }
        }
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
            Self::bind(unit, row, archive_id);
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
                    self.insert(unit, archive_id, None, read);
                } else {
                    // It was read, and the session has left it behind since.
                    Self::bind(unit, &row, archive_id);
                }
            }
            (Namesake::Other, Some(read)) => self.insert(unit, archive_id, None, read),
            (_, Some(read)) => {
                let id = self.sender_id();
                self.insert(unit, archive_id, id, read);
            }
        }
        Ok(())
    }

    /// Reads what the stanza holds.
    fn read(
        &self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<Found, Error> {
        let versions = encrypted::parse(self.stanza, &self.sender(), self.own);
        if versions.is_empty() {
            return Ok(self.read_unencrypted());
        }
        // One stanza may hold both versions; the key for this device may stand in either.
        let mut best = Found::Nothing;
        for (version, message) in versions {
            let found = match message {
                Ok(message) => self.read_encrypted(unit, &message, seen, context, rng)?,
                // Whatever cannot be read at all is a message if it has the part that would hold one.
                Err(_) if !self.has_payload(version) => Found::Nothing,
                Err(reason) => Found::Message(Read::unreadable(
                    version,
                    None,
                    Unreadable {
                        detail: Some(reason),
                        ..Unreadable::for_good(UnreadableCause::Malformed)
                    },
                )),
            };
            if found.rank() > best.rank() {
                best = found;
            }
        }
        Ok(best)
    }

    fn has_payload(&self, version: Version) -> bool {
        let ns = match version {
            Version::Omemo2 => ns::OMEMO_2,
            Version::Legacy => ns::OMEMO_LEGACY,
        };
        self.stanza
            .get_child("encrypted", ns)
            .is_some_and(|encrypted| encrypted.has_child("payload", ns))
    }

    fn read_encrypted(
        &self,
        unit: &mut Unit<'_>,
        message: &EncryptedMessage,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<Found, Error> {
        unit.preload(needs(message, self.own))?;
        let at = ReceiveContext {
            catch_up: context == Receiving::CatchUp,
            may_evict: context == Receiving::Live,
            now: unit.now,
        };
        let received = unit.sure_step(|records| receive(records, message, at, rng))?;
        let received = bounds::keep(unit, seen, received)?;
        unit.absorb(received.changes, received.actions, received.events);
        if matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        ) {
            unit.session_moved(DeviceAddress::new(message.sender.clone(), message.sid));
        }
        let has_payload = message.payload.is_some();
        let version = message.version;
        // Control messages change state only, also those that fail.
        let found = |read| {
            if has_payload {
                Found::Message(read)
            } else {
                Found::Nothing
            }
        };
        let unreadable = |cause, detail: Option<String>| {
            found(Read::unreadable(
                version,
                Some(message.sid),
                Unreadable {
                    detail,
                    ..Unreadable::for_good(cause)
                },
            ))
        };
        Ok(match received.outcome {
            Outcome::Decrypted {
                plaintext,
                fingerprint,
                ..
            } => self
                .read_plaintext(version, message, plaintext.as_bytes())
                .map_or(Found::Transient, |read| {
                    Found::Message(Read {
                        key: Some(*fingerprint.as_bytes()),
                        ..read
                    })
                }),
            Outcome::Empty { .. } => Found::Nothing,
            // Our own message came back and its row is gone: nothing can be made of it.
            Outcome::Duplicate | Outcome::FromThisDevice => Found::Duplicate,
            Outcome::NotForThisDevice if self.is_before_this_device() => {
                unreadable(UnreadableCause::BeforeThisDevice, None)
            }
            Outcome::NotForThisDevice => unreadable(UnreadableCause::NotForThisDevice, None),
            Outcome::NoSession => unreadable(UnreadableCause::NoSession, None),
            Outcome::UnknownPreKey { id } => {
                unreadable(UnreadableCause::UnknownPreKey, Some(format!("prekey {id}")))
            }
            Outcome::UnknownSignedPreKey { id } => unreadable(
                UnreadableCause::UnknownPreKey,
                Some(format!("signed prekey {id}")),
            ),
            Outcome::IdentityChanged { .. } => unreadable(UnreadableCause::IdentityChanged, None),
            Outcome::BadMac => unreadable(UnreadableCause::BadMac, None),
            Outcome::BadPayload => unreadable(UnreadableCause::BadPayload, None),
            Outcome::SkippedTooMany { got, max } => {
                let detail = format!("{got} skipped, at most {max}");
                found(self.pending(unit, message, detail))
            }
            Outcome::WouldEvict { count } => {
                let detail = format!("{count} keys would be lost");
                found(self.pending(unit, message, detail))
            }
            Outcome::Malformed(reason) => {
                unreadable(UnreadableCause::Malformed, Some(malformed_detail(&reason)))
            }
        })
    }

    /// A message that others of the same device must come before. Its bytes are kept, as long as
    /// there is room.
    fn pending(&self, unit: &Unit<'_>, message: &EncryptedMessage, detail: String) -> Read {
        let kept = stanza::to_bytes(&self.without_all_but(message)).ok();
        let position = self.position_of(message);
        let (unreadable, position) = match (kept, position) {
            (Some(bytes), Some(position)) if unit.waiting_room > 0 => {
                let cause = UnreadableCause::Pending;
                let waits = Unreadable::until(cause, RetryTrigger::SessionMoved, bytes);
                (waits, Some(position))
            }
            _ => (Unreadable::for_good(UnreadableCause::SkippedTooMany), None),
        };
        let unreadable = Unreadable {
            detail: Some(detail),
            ..unreadable
        };
        Read {
            position,
            ..Read::unreadable(message.version, Some(message.sid), unreadable)
        }
    }

    /// The stanza with nothing in it but what a later attempt reads. The rest may be much, and may be
    /// what cannot be written again.
    fn without_all_but(&self, message: &EncryptedMessage) -> Element {
        let mut kept = self.stanza.clone();
        drop(kept.take_nodes());
        kept.append_child(encrypted::to_element(message));
        kept
    }

    /// What the engine decrypted, checked against the stanza that carried it.
    fn read_plaintext(
        &self,
        version: Version,
        message: &EncryptedMessage,
        plaintext: &[u8],
    ) -> Option<Read> {
        let device = Some(message.sid);
        let unreadable = |cause, detail: &str| {
            Some(Read::unreadable(
                version,
                device,
                Unreadable {
                    detail: Some(detail.to_owned()),
                    ..Unreadable::for_good(cause)
                },
            ))
        };
        match version {
            Version::Legacy => match core::str::from_utf8(plaintext) {
                Ok(text) => Some(Read::text(version, device, text.to_owned(), None)),
                Err(_) => unreadable(UnreadableCause::Malformed, "not UTF-8"),
            },
            Version::Omemo2 => {
                let envelope = match sce::Envelope::parse(plaintext) {
                    Ok(envelope) => envelope,
                    Err(error) => {
                        return unreadable(UnreadableCause::Malformed, &error.to_string());
                    }
                };
                if let Err(wrong) = self.check_affixes(&envelope) {
                    return unreadable(UnreadableCause::Malformed, wrong);
                }
                let content = stanza::content(&envelope);
                if content.is_transient {
                    return None;
                }
                Some(Read::text(version, device, content.text, content.payload))
            }
        }
    }

    /// XEP-0420 §8 and XEP-0384 §5.5.1: the envelope must belong to this stanza.
    fn check_affixes(&self, envelope: &sce::Envelope) -> Result<(), &'static str> {
        if let Some(from) = &envelope.from
            && *from != self.sender()
        {
            return Err("the envelope names another sender");
        }
        if let Some(to) = &envelope.to
            && *to != self.to
        {
            return Err("the envelope names another recipient");
        }
        Ok(())
    }

    /// A stanza without OMEMO.
    fn read_unencrypted(&self) -> Found {
        let body = message::body_of(self.stanza.children());
        match ExplicitEncryption::find_all(self.stanza).next() {
            // Encrypted in a way that we do not speak: the body is only a fallback (law 5).
            Some(foreign) => Found::Message(Read {
                encryption: MessageEncryption::Foreign,
                position: None,
                device: None,
                key: None,
                content: Content::Unreadable(Unreadable {
                    detail: Some(foreign.namespace),
                    ..Unreadable::for_good(UnreadableCause::ForeignEncryption)
                }),
            }),
            None => body.map_or(Found::Nothing, |text| {
                Found::Message(Read {
                    encryption: MessageEncryption::None,
                    position: None,
                    device: None,
                    key: None,
                    content: Content::Readable(Plaintext::text(text)),
                })
            }),
        }
    }

    fn insert(
        &self,
        unit: &mut Unit<'_>,
        archive_id: Option<ArchiveId>,
        origin_id: Option<OriginId>,
        read: Read,
    ) {
        let is_outgoing = self.is_outgoing();
        let place = match self.source {
            Source::Archive { .. } => Place::ArchiveNewer,
            Source::Live | Source::Carbon => Place::Provisional,
        };
        // Failures are bounded per day (law 4), and the delay on a live stanza may be anybody's word.
        let server_time = match self.source {
            Source::Live | Source::Carbon if !read.content.is_readable() => None,
            _ => self.server_time(),
        };
        let message = NewMessage {
            direction: if is_outgoing {
                Direction::Outgoing
            } else {
                Direction::Incoming
            },
            sender_device: read.device,
            sender_key: read.key,
            origin_id,
            archive_id,
            server_time,
            place,
            encryption: read.encryption,
            unread: !is_outgoing,
            ..NewMessage::incoming(
                ConversationRef::direct(self.peer()),
                self.sender().into(),
                read.content,
                unit.now,
            )
        };
        let position = read.position;
        let message = unit.batch.insert_message(message);
        unit.announce(message);
        if let Some(position) = position {
            unit.wait(message, position);
        }
    }

    /// Where the message stands in its chain, as far as the first element for this device tells.
    pub(crate) fn position(&self) -> Option<Position> {
        encrypted::parse(self.stanza, &self.sender(), self.own)
            .into_iter()
            .find_map(|(_, message)| self.position_of(&message.ok()?))
    }

    fn position_of(&self, message: &EncryptedMessage) -> Option<Position> {
        let place = message.chain_position(self.own).ok()??;
        Some(Position {
            chain: Chain {
                device: DeviceAddress::new(message.sender.clone(), message.sid),
                version: message.version,
                dh_pub: place.dh_pub,
            },
            n: place.n,
        })
    }

    /// Tries a message again that had to wait.
    pub(crate) fn retry(
        &self,
        unit: &mut Unit<'_>,
        seen: &mut Seen,
        context: Receiving,
        rng: &mut StdRng,
    ) -> Result<Retried, Error> {
        Ok(match self.read(unit, seen, context, rng)? {
            Found::Message(read) if read.position.is_some() => Retried::Waits,
            Found::Message(read) => Retried::Settled(MessageUpdate::Content {
                content: read.content,
                encryption: read.encryption,
                sender_key: read.key,
            }),
            // The row that waited stays as the trace of it.
            Found::Duplicate => Retried::gone(UnreadableCause::KeyUsed),
            Found::Nothing | Found::Transient => Retried::gone(UnreadableCause::Other),
        })
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

/// In which situation messages are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// Every archive is at its end: what is missing now will not come.
    Live,
    /// Older messages may still come.
    CatchUp,
}

/// What a stanza, or one element of it, turned out to be.
enum Found {
    /// Nothing to keep: a control message, or not for us.
    Nothing,
    /// Read before.
    Duplicate,
    /// Read, and nothing of it belongs in a timeline.
    Transient,
    /// A message, readable or not.
    Message(Read),
}

impl Found {
    /// Of two elements of one stanza: text before anything; what was read before needs no row for
    /// the other element's failure; a real failure before "not for us".
    fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Message(read) => match &read.content {
                Content::Unreadable(unreadable)
                    if unreadable.cause == UnreadableCause::NotForThisDevice =>
                {
                    1
                }
                Content::Unreadable(_) => 2,
                Content::Readable(_) => 4,
            },
            Self::Duplicate | Self::Transient => 3,
        }
    }
}

/// A message that is to become a row.
struct Read {
    encryption: MessageEncryption,
    device: Option<DeviceId>,
    /// The identity key that authenticated it.
    key: Option<[u8; 32]>,
    /// Where it stands in its chain, if it has to wait for others of it.
    position: Option<Position>,
    content: Content,
}

/// What became of a message that had to wait.
pub(crate) enum Retried {
    /// It still has to.
    Waits,
    /// It has not, and its row becomes this.
    Settled(MessageUpdate),
}

impl Retried {
    /// There is nothing to show, and nothing to wait for.
    const fn gone(cause: UnreadableCause) -> Self {
        Self::Settled(MessageUpdate::Content {
            content: Content::Unreadable(Unreadable::for_good(cause)),
            encryption: MessageEncryption::Omemo2,
            sender_key: None,
        })
    }
}

impl Read {
    fn unreadable(version: Version, device: Option<DeviceId>, unreadable: Unreadable) -> Self {
        Self {
            encryption: encrypted::encryption(version),
            device,
            key: None,
            position: None,
            content: Content::Unreadable(unreadable),
        }
    }

    fn text(
        version: Version,
        device: Option<DeviceId>,
        text: String,
        payload: Option<Opaque>,
    ) -> Self {
        Self {
            encryption: encrypted::encryption(version),
            device,
            key: None,
            position: None,
            content: Content::Readable(Plaintext { text, payload }),
        }
    }
}

fn malformed_detail(reason: &Malformed) -> String {
    reason.to_string()
}

#[cfg(test)]
pub(crate) mod tests;
