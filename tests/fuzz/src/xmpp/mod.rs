//! Targets of the session: bytes from a server, elements from peers.

pub(crate) mod element;
pub(crate) mod envelope;
pub(crate) mod kept;
pub(crate) mod login;
pub(crate) mod management;
pub(crate) mod stanza;
pub(crate) mod stream;

use eft_xmpp::Element;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::xml::{Decoder, Frame};

pub(crate) const OPEN: &[u8] =
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

/// The stanzas of a stream, up to where it breaks.
pub(crate) fn stanzas(mut text: &[u8]) -> Vec<Element> {
    let mut decoder = Decoder::new(XmlLimits::SESSION);
    let mut open = OPEN;
    decoder.decode(&mut open).unwrap();
    let mut found = Vec::new();
    while let Ok(Some(frame)) = decoder.decode(&mut text) {
        if let Frame::Element(element) = frame {
            found.push(element);
        }
    }
    found
}
