//! Rows of the store, as the app shows them.

use eft_omemo::Version;
use eft_store::{DeliveryState, Direction, MessageEncryption, NewMessage, SendFailure};
use eft_types::MessageId;

use crate::message::{Content, Delivery, Encryption, Message, Unreadable};

/// A row of the timeline.
pub(crate) fn message(row: eft_store::Message) -> Message {
    let sent_at = row.time();
    Message {
        id: row.id,
        conversation: row.conversation.peer,
        sender: row.sender.to_bare(),
        sender_device: row.sender_device,
        outgoing: row.direction == Direction::Outgoing,
        origin_id: row.origin_id,
        sent_at,
        content: content(row.content, row.folded_count),
        encryption: encryption(row.encryption),
        delivery: row.delivery.map(delivery),
    }
}

/// A message that has just got its row.
pub(crate) fn new_message(id: MessageId, new: &NewMessage) -> Message {
    Message {
        id,
        conversation: new.conversation.peer.clone(),
        sender: new.sender.to_bare(),
        sender_device: new.sender_device,
        outgoing: new.direction == Direction::Outgoing,
        origin_id: new.origin_id.clone(),
        sent_at: new.server_time.unwrap_or(new.received),
        content: content(new.content.clone(), 0),
        encryption: encryption(new.encryption),
        delivery: new.delivery.clone().map(delivery),
    }
}

fn content(content: eft_store::Content, folded_count: u32) -> Content {
    match content {
        eft_store::Content::Readable(plaintext) => Content::Text(plaintext.text),
        eft_store::Content::Unreadable(unreadable) => Content::Unreadable(Unreadable::new(
            unreadable.cause,
            unreadable.retry.is_some(),
            folded_count,
        )),
    }
}

/// A version of OMEMO.
pub(crate) const fn version(version: Version) -> Encryption {
    match version {
        Version::Omemo2 => Encryption::Omemo2,
        Version::Legacy => Encryption::OmemoLegacy,
    }
}

const fn encryption(encryption: MessageEncryption) -> Encryption {
    match encryption {
        MessageEncryption::Omemo2 => Encryption::Omemo2,
        MessageEncryption::Legacy => Encryption::OmemoLegacy,
        MessageEncryption::None | MessageEncryption::Foreign => Encryption::None,
    }
}

fn delivery(state: DeliveryState) -> Delivery {
    match state {
        DeliveryState::Queued => Delivery::Queued,
        DeliveryState::Encrypted => Delivery::Encrypted,
        DeliveryState::Sent => Delivery::Sent,
        DeliveryState::Acked => Delivery::Acked,
        DeliveryState::Delivered => Delivery::Delivered,
        DeliveryState::Displayed => Delivery::Displayed,
        DeliveryState::Failed { reason, .. } => Delivery::Failed {
            reason: send_failure_code(reason).to_owned(),
        },
    }
}

/// Stable code of a failure; those that have an [`crate::Error`] share its code.
const fn send_failure_code(reason: SendFailure) -> &'static str {
    match reason {
        SendFailure::NoRecipients => "no-recipients",
        SendFailure::NotTrusted => "not-trusted",
        SendFailure::MissingBundle => "missing-bundle",
        SendFailure::TooLarge => "too-large",
        SendFailure::Refused => "not-allowed",
        SendFailure::Cancelled => "cancelled",
        SendFailure::OptedOut => "opted-out",
        SendFailure::Other => "other",
    }
}
