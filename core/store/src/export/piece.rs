//! From rows to values, checked: the file may be anybody's.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use eft_types::{BareJid, DeviceAddress, DeviceId, Jid, OriginId, StanzaId, Timestamp};

use super::row::{ArchiveRow, ConversationRow, DeliveryWord, DeviceEventRow, MessageRow, Row};
use crate::model::{
    ArchiveId, Content, Conversation, ConversationKind, ConversationRef, DeliveryState,
    DeviceEvent, ImportedArchive, ImportedMessage, NewMessage, Opaque, OptOut, Place, Plaintext,
    SendFailure, StanzaIdAndTime, Unreadable,
};
use crate::omemo::{IdentitySecret, KnownDevice, TrustDecisions};

/// Places are counted from 0 in both directions, and no archive is that long.
const PLACES: RangeInclusive<i64> = -(1 << 56)..=1 << 56;

/// What a row says.
pub(crate) enum Piece {
    Identity(IdentitySecret),
    Archive(ImportedArchive),
    Conversation(Conversation),
    Trust(BareJid, TrustDecisions),
    Device(KnownDevice),
    Message(Box<ImportedMessage>),
    DeviceEvent(DeviceEvent),
}

/// Reads rows in their order: a message refers to its conversation and its archive, which come before it.
pub(super) struct Reading<'a> {
    own: &'a BareJid,
    archives: BTreeSet<BareJid>,
    kinds: BTreeMap<String, ConversationKind>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(own: &'a BareJid) -> Self {
        Self {
            own,
            archives: BTreeSet::new(),
            kinds: BTreeMap::new(),
        }
    }

    /// What a row says, or what is wrong with it.
    pub(super) fn piece(&mut self, row: Row) -> Result<Piece, &'static str> {
        match row {
            Row::Identity(row) => IdentitySecret::from_bytes(&row.private)
                .map(Piece::Identity)
                .map_err(|_| "the identity key is none"),
            Row::Archive(row) => {
                let archive = archive(row).ok_or("an archive that cannot be")?;
                self.archives.insert(archive.jid.clone());
                Ok(Piece::Archive(archive))
            }
            Row::Conversation(row) => {
                let conversation = conversation(row).ok_or("a conversation that cannot be")?;
                self.kinds
                    .insert(conversation.peer.to_string(), conversation.kind);
                Ok(Piece::Conversation(conversation))
            }
            Row::Trust(row) => row
                .read()
                .map(|(jid, decisions)| Piece::Trust(jid, decisions))
                .ok_or("keys of nobody"),
            Row::Device(row) => row
                .read()
                .map(Piece::Device)
                .ok_or("a device that cannot be"),
            Row::Message(row) => {
                let conversation = self
                    .conversation_of(&row.peer)
                    .ok_or("a message before its conversation or archive")?;
                message(*row, conversation)
                    .map(|message| Piece::Message(Box::new(message)))
                    .ok_or("a message that cannot be")
            }
            Row::DeviceEvent(row) => device_event(row)
                .map(Piece::DeviceEvent)
                .ok_or("a line of the device log that cannot be"),
            // The reader of lines ends there.
            Row::End(_) => Err("a second end"),
        }
    }

    fn conversation_of(&self, peer: &str) -> Option<ConversationRef> {
        let named = ConversationRef {
            kind: *self.kinds.get(peer)?,
            peer: BareJid::new(peer).ok()?,
        };
        let archive = match named.kind {
            ConversationKind::Direct => self.own,
            ConversationKind::Room => &named.peer,
        };
        self.archives.contains(archive).then_some(named)
    }
}

fn archive(row: ArchiveRow) -> Option<ImportedArchive> {
    let is_position = |place: i64| place % 2 == 0 && PLACES.contains(&place);
    if !is_position(row.newest_place)
        || !is_position(row.oldest_place)
        || row.oldest_place > row.newest_place
        || row.last_stanza_id.is_some() != row.last_time.is_some()
    {
        return None;
    }
    let last = row
        .last_stanza_id
        .zip(row.last_time)
        .map(|(id, time)| StanzaIdAndTime(StanzaId::new(id), Timestamp::from_millis(time)));
    Some(ImportedArchive {
        jid: BareJid::new(&row.jid).ok()?,
        newest_place: row.newest_place,
        oldest_place: row.oldest_place,
        last,
    })
}

fn conversation(row: ConversationRow) -> Option<Conversation> {
    Some(Conversation {
        peer: BareJid::new(&row.peer).ok()?,
        kind: row.kind.0,
        encryption: row.encryption.0,
        opt_out: row.opt_out_at.map(|at| OptOut {
            at: Timestamp::from_millis(at),
            reason: row.opt_out_reason,
        }),
        separate_versions: row.separate_versions,
        created: Timestamp::from_millis(row.created),
    })
}

fn message(row: MessageRow, conversation: ConversationRef) -> Option<ImportedMessage> {
    if !PLACES.contains(&row.place) {
        return None;
    }
    let delivery = match row.delivery {
        None => None,
        Some(word) => Some(delivery(&row, word)?),
    };
    let archive_id = match (row.archive, row.stanza_id) {
        (Some(archive), Some(id)) => Some(ArchiveId::new(
            BareJid::new(&archive).ok()?,
            StanzaId::new(id),
        )),
        (None, None) => None,
        _ => return None,
    };
    let content = match (row.text, row.cause) {
        (Some(text), None) => Content::Readable(Plaintext {
            text,
            payload: row.payload.map(|payload| Opaque::from(payload.0)),
        }),
        // What could still be read there is lost with the keys of that device.
        (None, Some(cause)) => Content::Unreadable(Unreadable {
            detail: row.detail,
            ..Unreadable::for_good(cause.0)
        }),
        _ => return None,
    };
    let sender_device = match row.sender_device {
        Some(number) => Some(DeviceId::new(number).ok()?),
        None => None,
    };
    Some(ImportedMessage {
        place: row.place,
        folded_count: row.folded_count,
        message: NewMessage {
            conversation,
            direction: row.direction.0,
            sender: Jid::new(&row.sender).ok()?,
            sender_device,
            sender_key: row.sender_key.map(|key| key.0),
            sender_trust: row.sender_trust.map(|trust| trust.0),
            origin_id: row.origin_id.map(OriginId::new),
            archive_id,
            server_time: row.server_time.map(Timestamp::from_millis),
            received: Timestamp::from_millis(row.received),
            place: Place::Provisional,
            encryption: row.encryption.0,
            content,
            delivery,
            unread: row.unread,
        },
    })
}

fn delivery(row: &MessageRow, word: DeliveryWord) -> Option<DeliveryState> {
    Some(match word {
        // It waits there and not here. Whoever wants to can send it again.
        DeliveryWord::Unsent => DeliveryState::Failed {
            reason: SendFailure::Other,
            detail: Some("exported before it was sent".into()),
        },
        DeliveryWord::Acked => DeliveryState::Acked,
        DeliveryWord::Delivered => DeliveryState::Delivered,
        DeliveryWord::Displayed => DeliveryState::Displayed,
        DeliveryWord::Failed => DeliveryState::Failed {
            reason: row.send_failure?.0,
            detail: row.send_failure_detail.clone(),
        },
    })
}

fn device_event(row: DeviceEventRow) -> Option<DeviceEvent> {
    Some(DeviceEvent {
        at: Timestamp::from_millis(row.at),
        device: DeviceAddress::new(
            BareJid::new(&row.jid).ok()?,
            DeviceId::new(row.device).ok()?,
        ),
        kind: row.kind.0,
        detail: row.detail,
    })
}
