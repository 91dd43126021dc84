//! A result of an archive's page, made small: pages wait in memory until they are worked through.

use std::ops::Deref;

use eft_types::DeviceAddress;
use eft_xmpp::xep::mam::ArchivedMessage;
use eft_xmpp::{Element, address};

use crate::translate::encrypted::{self, Part};

/// A message of an archive, of which what is encrypted was read already.
#[derive(Debug)]
pub(crate) struct Archived {
    rest: ArchivedMessage,
    /// What was encrypted in it; `None` if nobody knows who sent it.
    pub(super) encrypted: Option<Vec<Part>>,
}

impl Archived {
    pub(crate) fn new(own: &DeviceAddress, mut archived: ArchivedMessage) -> Self {
        let message = &mut archived.message;
        let sender = match message.attr("from") {
            Some(from) => address::jid(from).ok().map(|from| from.to_bare()),
            // RFC 6120 §8.1: without an address the stanza is from the account.
            None => Some(own.jid.clone()),
        };
        let encrypted = sender.map(|sender| encrypted::take(message, &sender, own));
        Self {
            rest: archived,
            encrypted,
        }
    }

    /// Bytes that it keeps in memory, about.
    pub(crate) fn weight_bytes(&self) -> usize {
        let parts = self.encrypted.iter().flatten().map(Part::weight_bytes);
        parts.sum::<usize>() + weight(&self.message)
    }
}

impl Deref for Archived {
    type Target = ArchivedMessage;

    fn deref(&self) -> &ArchivedMessage {
        &self.rest
    }
}

/// Size of the texts in an element, and something for each element and attribute.
fn weight(element: &Element) -> usize {
    /// An element in memory, with an attribute, about.
    const ELEMENT_BYTES: usize = 1024;
    let texts: usize = element.texts().map(str::len).sum();
    let children: usize = element.children().map(weight).sum();
    ELEMENT_BYTES + texts + children
}
