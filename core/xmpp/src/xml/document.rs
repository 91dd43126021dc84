//! A single element that did not come from a stream: what was decrypted.

use minidom::Element;

use super::decoder::{Decoder, Frame};
use crate::limits::XmlLimits;

/// A stream around the document lends it the stream decoder with all its limits.
const OPEN: &str =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// Not one well-formed element within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotOneElement;

/// Reads one element, with nothing around it but white space, a byte order mark, and an XML
/// declaration.
pub(crate) fn parse_document(bytes: &[u8], limits: XmlLimits) -> Result<Element, NotOneElement> {
    let text = core::str::from_utf8(bytes).map_err(|_| NotOneElement)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let text = match text.strip_prefix("<?xml") {
        Some(declaration) => declaration.split_once("?>").ok_or(NotOneElement)?.1,
        None => text,
    };
    let mut decoder = Decoder::new(limits);
    let mut input = OPEN.as_bytes();
    decoder.decode(&mut input).map_err(|_| NotOneElement)?;
    let mut input = text.as_bytes();
    let Ok(Some(Frame::Element(element))) = decoder.decode(&mut input) else {
        return Err(NotOneElement);
    };
    if input.iter().all(u8::is_ascii_whitespace) {
        Ok(element)
    } else {
        Err(NotOneElement)
    }
}
