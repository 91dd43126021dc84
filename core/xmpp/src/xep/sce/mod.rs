//! XEP-0420: stanza content encryption, the envelope that OMEMO 2 encrypts.
//!
//! Deployed clients drop an envelope with namespace prefixes, and one does not see `<to/>` in a
//! group unless its namespace is repeated on it: so `xmlns` is written on each affix that carries
//! an address.

use eft_types::{BareJid, Timestamp};
use rand_core::CryptoRng;

use super::{datetime, delay, hints};
use crate::limits::XmlLimits;
use crate::xml::{ElementExt, EncodeError, element, parse_document, write_element};
use crate::{Element, address, ns};

/// §4.1, first step: no envelope is shorter than this, so that short answers are not told apart
/// when chance gives little padding. Affixes take about 250 bytes; the rest covers most chat
/// messages.
const MIN_BYTES: usize = 512;

/// §4.1, second step: most characters of padding on top.
const MAX_RANDOM_PAD: u64 = 200;

/// What is encrypted.
#[derive(Clone, PartialEq)]
pub struct Envelope {
    /// The elements that make up the message.
    pub content: Vec<Element>,
    /// When it was encrypted, by the sender's clock.
    pub time: Option<Timestamp>,
    /// Who sent it; to be compared with the sender of the stanza.
    pub from: Option<BareJid>,
    /// For whom, or for which room; to be compared with the stanza.
    pub to: Option<BareJid>,
}

impl core::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Envelope")
            .field("content_count", &self.content.len())
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// Why a decrypted text is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not well-formed, more than one element, or beyond the limits of a stanza.
    #[error("not one well-formed XML element")]
    Xml,
    /// Another element.
    #[error("not an envelope")]
    WrongElement,
    /// No `<content/>`, or several.
    #[error("no single content")]
    Content,
    /// `<time/>`, `<from/>` or `<to/>` twice or unreadable. An affix that is there must be checked,
    /// so it must be readable.
    #[error("unreadable {0}")]
    Affix(&'static str),
}

impl Envelope {
    /// Text to encrypt, padded.
    ///
    /// # Errors
    /// [`EncodeError`] if the content holds what XML cannot express.
    pub fn to_text(&self, rng: &mut impl CryptoRng) -> Result<String, EncodeError> {
        let mut head = format!("<envelope xmlns='{}'><content>", ns::SCE);
        for child in &self.content {
            write_element(&mut head, child, Some(ns::SCE))?;
        }
        head.push_str("</content>");
        let mut tail = String::new();
        if let Some(time) = self.time {
            let time = element("time", ns::SCE).with_attr("stamp", datetime::format(time));
            write_element(&mut tail, &time, Some(ns::SCE))?;
        }
        for (name, jid) in [("from", &self.from), ("to", &self.to)] {
            if let Some(jid) = jid {
                let affix = element(name, ns::SCE).with_attr("jid", jid.as_str());
                write_element(&mut tail, &affix, None)?;
            }
        }
        tail.push_str("</envelope>");
        let length = head.len() + "<rpad></rpad>".len() + tail.len();
        let padding = padding(MIN_BYTES.saturating_sub(length), rng);
        Ok(format!("{head}<rpad>{padding}</rpad>{tail}"))
    }

    /// Reads a decrypted text. Elements that only servers may write ([`is_server_processed`]) are
    /// dropped from the content.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn parse(text: &[u8]) -> Result<Self, EnvelopeError> {
        let root = parse_document(text, XmlLimits::SESSION).map_err(|_| EnvelopeError::Xml)?;
        if !root.is("envelope", ns::SCE) {
            return Err(EnvelopeError::WrongElement);
        }
        let content = single(&root, "content")
            .map_err(|_| EnvelopeError::Content)?
            .ok_or(EnvelopeError::Content)?;
        let time = match single(&root, "time")? {
            None => None,
            Some(time) => Some(
                time.attr("stamp")
                    .and_then(datetime::parse)
                    .ok_or(EnvelopeError::Affix("time"))?,
            ),
        };
        let address = |name| -> Result<Option<BareJid>, EnvelopeError> {
            let Some(affix) = single(&root, name)? else {
                return Ok(None);
            };
            // Senders have written full addresses; the bare one is what is meant.
            let jid = affix.attr("jid").and_then(|jid| address::jid(jid).ok());
            jid.map(|jid| Some(jid.into_bare()))
                .ok_or(EnvelopeError::Affix(name))
        };
        Ok(Self {
            content: content
                .children()
                .filter(|child| !is_server_processed(child))
                .cloned()
                .collect(),
            time,
            from: address("from")?,
            to: address("to")?,
        })
    }

    /// The message as it was before encryption (§6): `outer` without anything that should have been
    /// encrypted, with the content in its place.
    #[must_use]
    pub fn restore(self, outer: &Element) -> Element {
        outer
            .shell()
            .with_children(
                outer
                    .children()
                    .filter(|child| may_stand_outside(child))
                    .cloned(),
            )
            .with_children(self.content)
    }
}

fn single<'a>(
    parent: &'a Element,
    name: &'static str,
) -> Result<Option<&'a Element>, EnvelopeError> {
    let mut found = parent.children().filter(|child| child.is(name, ns::SCE));
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(EnvelopeError::Affix(name)),
    }
}

/// Fixed part and random part, of characters that need no escape.
fn padding(at_least: usize, rng: &mut impl CryptoRng) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 201 does not divide 2⁶⁴; the bias is below 2⁻⁵⁶.
    let random_count = usize::try_from(rng.next_u64() % (MAX_RANDOM_PAD + 1)).unwrap_or(0);
    let mut bytes = vec![0; at_least + random_count];
    rng.fill_bytes(&mut bytes);
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)))
        .map(|byte| char::from(*byte))
        .collect()
}

/// Elements that mean something only because a server wrote or read them (§5): inside an envelope
/// they are forgeries, and dropped. The XEP's own table, and what servers and rooms are the authors
/// of.
#[must_use]
pub fn is_server_processed(element: &Element) -> bool {
    hints::Hint::parse(element).is_some()
        || [ns::HINTS, ns::ADDRESSES, ns::EME, ns::DELAY, ns::OCCUPANT_ID, ns::MUC_USER, ns::CARBONS, ns::MAM]
            .iter()
            .any(|ns| element.has_ns(*ns))
        || element.is("stanza-id", ns::SID)
        // Nothing encrypted stands inside something encrypted.
        || element.is("encrypted", ns::OMEMO_2)
        || element.is("encrypted", ns::OMEMO_LEGACY)
        || element.is("envelope", ns::SCE)
}

/// Children of an encrypted stanza that are believed although nobody encrypted them: what servers
/// and rooms write, and what peers still look for outside. Everything else there was written by
/// somebody on the way, or should not have been sent, and is ignored.
#[must_use]
pub fn may_stand_outside(element: &Element) -> bool {
    element.is("stanza-id", ns::SID)
        || element.is("origin-id", ns::SID)
        || delay::Delay::parse(element).is_some()
        || element.has_ns(ns::OCCUPANT_ID)
        || element.is("x", ns::MUC_USER)
        || element.has_ns(ns::HINTS)
        || element.has_ns(ns::EME)
        || element.has_ns(ns::ADDRESSES)
        || element.is("private", ns::CARBONS)
        || element.is("request", ns::RECEIPTS)
        || element.is("markable", "urn:xmpp:chat-markers:0")
}

#[cfg(test)]
mod tests;
