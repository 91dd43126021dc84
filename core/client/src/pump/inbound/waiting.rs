//! A message that others of the same device must come before.

use eft_omemo::EncryptedMessage;
use eft_store::{
    Content, MessageEncryption, MessageUpdate, RetryTrigger, SenderTrust, Unreadable,
    UnreadableCause,
};
use eft_types::DeviceAddress;
use eft_xmpp::Element;
use rand::rngs::StdRng;

use super::found::{Found, Read};
use super::{Inbound, Receiving, Seen};
use crate::error::Error;
use crate::pump::pending::{Chain, Position};
use crate::pump::stanza;
use crate::translate::encrypted;
use crate::unit::Unit;

impl Inbound<'_> {
    /// Where the message stands in its chain, as far as the first element for this device tells.
    pub(crate) fn position(&self) -> Option<Position> {
        let parts = self.parts();
        let mut messages = parts.iter().filter_map(|part| part.message.as_ref().ok());
        messages.find_map(|message| self.position_of(message))
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

    /// A message that others of the same device must come before. Its bytes are kept, as long as
    /// there is room.
    pub(super) fn pending(
        &self,
        unit: &Unit<'_>,
        message: &EncryptedMessage,
        detail: String,
    ) -> Read {
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
            Found::Message(read) => Retried::Settled {
                is_news: read.content.is_readable() && !self.is_outgoing(),
                trust: read.trust,
                content: MessageUpdate::Content {
                    content: read.content,
                    encryption: read.encryption,
                    sender_key: read.key,
                },
            },
            // The row that waited stays as the trace of it.
            Found::Duplicate => Retried::gone(UnreadableCause::KeyUsed),
            Found::Nothing | Found::Transient => Retried::gone(UnreadableCause::Other),
        })
    }
}

/// What became of a message that had to wait.
pub(crate) enum Retried {
    /// It still has to.
    Waits,
    /// It has not.
    Settled {
        /// What its row becomes.
        content: MessageUpdate,
        /// What is thought of the key that authenticated it.
        trust: Option<SenderTrust>,
        /// Whether the user has something to read now.
        is_news: bool,
    },
}

impl Retried {
    /// There is nothing to show, and nothing to wait for.
    const fn gone(cause: UnreadableCause) -> Self {
        Self::Settled {
            content: MessageUpdate::Content {
                content: Content::Unreadable(Unreadable::for_good(cause)),
                encryption: MessageEncryption::Omemo2,
                sender_key: None,
            },
            trust: None,
            is_news: false,
        }
    }
}
