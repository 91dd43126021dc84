//! Push decoder: bytes as they arrive, whole stanzas out.
//!
//! What XMPP forbids (RFC 6120 §11.1: comments, processing instructions, DTDs, entities other than
//! the five predefined ones) is refused by rxml's lexer before anything is allocated for it. Names
//! are resolved here instead of in rxml, so that attributes are counted while they arrive.

mod error;
mod frame;
mod memory;
mod naming;
mod scanner;
mod skipping;

use eft_types::BareJid;
use minidom::{Element, Node};
use rxml::error::EndOrError;
use rxml::{Options, Parse, RawEvent, RawParser, RawQName, WithOptions};

pub use error::DecodeError;
pub use frame::{Frame, InnerLimit, StreamHeader};

use self::memory::{
    ATTRIBUTE_MEMORY_BYTES, ELEMENT_MEMORY_BYTES, FIRST_ATTRIBUTE_MEMORY_BYTES, TEXT_MEMORY_BYTES,
    first_child_bytes,
};
use self::naming::build_element;
use self::scanner::Scanner;
use self::skipping::Skipping;
use super::scope::{Scope, Scopes};
use crate::limits::XmlLimits;
use crate::{address, ns};

/// A start tag of which attributes are still arriving.
#[derive(Debug)]
struct Head {
    name: RawQName,
    attributes: Vec<(RawQName, String)>,
    scope: Scope,
    attribute_count: usize,
}

/// See the module. One decoder reads one stream; a restart (after STARTTLS or SASL) takes a new
/// one.
#[derive(Debug)]
pub struct Decoder {
    parser: RawParser,
    limits: XmlLimits,
    scopes: Scopes,
    /// Open elements of the current stanza, outermost first.
    building: Vec<Element>,
    head: Option<Head>,
    /// The empty list of the last head's attributes, for the next: nearly every element has some.
    spare: Vec<(RawQName, String)>,
    skipping: Option<Skipping>,
    /// Reads in the place of the parser, within an element of a stanza that is being skipped.
    scanner: Option<Scanner>,
    /// Open elements, the stream itself included, and those left out that the scanner reads.
    depth: usize,
    stanza_bytes: usize,
    stanza_memory_bytes: usize,
    /// Whose answers may be larger.
    account: Option<BareJid>,
    /// The stanza under way is one.
    is_answer: bool,
    /// Of the stanza under way, what stands in its own start tag.
    shell_memory_bytes: usize,
    frame_memory_bytes: usize,
    failed: Option<DecodeError>,
    closed: bool,
}

impl Decoder {
    /// Reads a stream from its header.
    #[must_use]
    pub fn new(limits: XmlLimits) -> Self {
        Self::with_later(limits, limits)
    }

    /// Reads a stream from its header, of which more will be let in once the server is known:
    /// [`Self::raise_limits`].
    #[must_use]
    pub fn with_later(limits: XmlLimits, later: XmlLimits) -> Self {
        let options = Options {
            max_token_length: later.token_bytes_fatal.max(limits.token_bytes_fatal),
            ..Options::default()
        };
        let mut parser = RawParser::with_options(options);
        // Text comes in pieces as it arrives, so that dropped text is never held.
        parser.set_text_buffering(false);
        Self {
            parser,
            limits,
            scopes: Scopes::default(),
            building: Vec::new(),
            head: None,
            spare: Vec::new(),
            skipping: None,
            scanner: None,
            depth: 0,
            stanza_bytes: 0,
            stanza_memory_bytes: 0,
            account: None,
            is_answer: false,
            shell_memory_bytes: 0,
            frame_memory_bytes: 0,
            failed: None,
            closed: false,
        }
    }

    /// From the next frame on, these limits hold. SASL2 has no new stream, and so no new decoder,
    /// behind authentication.
    pub fn raise_limits(&mut self, limits: XmlLimits) {
        self.limits = limits;
    }

    /// From the next frame on, answers of this account are known by their `from`, too; those without
    /// `from` always are.
    pub fn set_account(&mut self, account: BareJid) {
        self.account = Some(account);
    }

    /// The content of the stanza under way is being thrown away: it broke a limit.
    #[must_use]
    pub const fn is_dropping(&self) -> bool {
        self.skipping.is_some()
    }

    /// Estimated memory of the frame that [`Self::decode`] gave last.
    #[must_use]
    pub const fn frame_memory_bytes(&self) -> usize {
        self.frame_memory_bytes
    }

    /// Reads from `input` up to the end of the next frame, and moves `input` behind what was read.
    /// `None` means that all of `input` was taken and more is needed.
    ///
    /// # Errors
    /// See [`DecodeError`]. The stream is lost then, and every later call gives the same error.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.decode_inner(input);
        if let Err(error) = result {
            self.failed = Some(error);
            self.building.clear();
            self.head = None;
        }
        result
    }

    fn decode_inner(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, DecodeError> {
        loop {
            if self.closed {
                return if input.iter().all(u8::is_ascii_whitespace) {
                    *input = &[];
                    Ok(None)
                } else {
                    Err(DecodeError::AfterEnd)
                };
            }
            let before = input.len();
            if let Some(scanner) = &mut self.scanner {
                let is_at_end = scanner.scan(input)?;
                self.count_bytes(before - input.len())?;
                if !is_at_end {
                    return Ok(None);
                }
                self.scanner = None;
                self.skip_end_tag_begin()?;
                continue;
            }
            let event = match self.parser.parse(input, false) {
                Ok(event) => event,
                Err(EndOrError::NeedMoreData) => {
                    self.count_bytes(before - input.len())?;
                    return Ok(None);
                }
                Err(EndOrError::Error(error)) => return Err(error.into()),
            };
            self.count_bytes(before - input.len())?;
            let Some(event) = event else { return Ok(None) };
            let is_open = matches!(event, RawEvent::ElementHeadClose(_));
            if is_open && self.skipping.is_some() {
                if let Some(frame) = self.skip_content()? {
                    return Ok(Some(frame));
                }
                continue;
            }
            if let Some(frame) = self.handle_event(event)? {
                return Ok(Some(frame));
            }
        }
    }

    fn count_bytes(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.stanza_bytes = self.stanza_bytes.saturating_add(bytes);
        if self.stanza_bytes > self.limits.stanza_bytes_fatal {
            return Err(DecodeError::TooLarge {
                max_bytes: self.limits.stanza_bytes_fatal,
            });
        }
        let most = if self.is_answer {
            self.limits.answer_bytes
        } else {
            self.limits.stanza_bytes
        };
        if self.stanza_bytes > most {
            self.skip(InnerLimit::Bytes)?;
        }
        Ok(())
    }

    fn count_memory(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.stanza_memory_bytes = self.stanza_memory_bytes.saturating_add(bytes);
        let most = if self.is_answer {
            self.limits.answer_memory_bytes
        } else {
            self.limits.stanza_memory_bytes
        };
        if self.stanza_memory_bytes > most {
            self.skip(InnerLimit::Memory)?;
        }
        Ok(())
    }

    fn handle_event(&mut self, event: RawEvent) -> Result<Option<Frame>, DecodeError> {
        match event {
            RawEvent::XmlDeclaration(..) => Ok(None),
            RawEvent::ElementHeadOpen(_, name) => self.open_head(name).map(|()| None),
            RawEvent::Attribute(_, name, value) => self.take_attribute(name, value).map(|()| None),
            RawEvent::ElementHeadClose(_) => self.close_head(),
            RawEvent::Text(_, text) => self.take_text(text).map(|()| None),
            RawEvent::ElementFoot(_) => Ok(self.close_element()),
        }
    }

    fn open_head(&mut self, name: RawQName) -> Result<(), DecodeError> {
        self.depth += 1;
        if self.skipping.is_some() {
            return Ok(());
        }
        self.head = Some(Head {
            name,
            attributes: core::mem::take(&mut self.spare),
            scope: Scope::default(),
            attribute_count: 0,
        });
        // The stream itself is one level.
        if self.depth > self.limits.depth.saturating_add(1) {
            self.skip(InnerLimit::Depth)?;
        }
        Ok(())
    }

    fn take_attribute(&mut self, name: RawQName, value: String) -> Result<(), DecodeError> {
        let Some(head) = self.head.as_mut() else {
            return Ok(());
        };
        head.attribute_count += 1;
        if head.attribute_count > self.limits.attributes {
            return self.skip(InnerLimit::Attributes);
        }
        let mut memory_bytes = ATTRIBUTE_MEMORY_BYTES + value.len();
        if let Some(attribute) = head.scope.declare(name, value)? {
            if head.attributes.is_empty() {
                memory_bytes += FIRST_ATTRIBUTE_MEMORY_BYTES;
            }
            head.attributes.push(attribute);
        }
        self.count_memory(memory_bytes)
    }

    fn close_head(&mut self) -> Result<Option<Frame>, DecodeError> {
        let Some(head) = &mut self.head else {
            return Ok(None);
        };
        self.scopes.push(core::mem::take(&mut head.scope));
        // Names take their namespaces along: paid for before they are copied, or some letters of prefix
        // would each cost as much as a declaration may have.
        let mut memory_bytes = ELEMENT_MEMORY_BYTES
            + self.scopes.resolve(head.name.0.as_ref())?.len()
            + head.name.1.len();
        memory_bytes += self.building.last().map_or(0, first_child_bytes);
        for ((prefix, name), _) in &head.attributes {
            memory_bytes += name.len();
            if prefix.is_some() {
                memory_bytes += self.scopes.resolve(prefix.as_ref())?.len();
            }
        }
        self.count_memory(memory_bytes)?;
        // Taken already if that was too much.
        let Some(mut head) = self.head.take() else {
            return Ok(None);
        };
        let element = build_element(&self.scopes, &head.name, head.attributes.drain(..))?;
        self.spare = head.attributes;
        if self.depth == 1 {
            self.reset_stanza();
            if !element.is("stream", ns::STREAM) || self.scopes.resolve(None)? != ns::CLIENT {
                return Err(DecodeError::NotAStream);
            }
            return Ok(Some(Frame::Header(StreamHeader::from_element(&element))));
        }
        if self.building.is_empty() {
            self.is_answer = is_answer(&element, self.account.as_ref());
            self.shell_memory_bytes = self.stanza_memory_bytes;
        }
        self.building.push(element);
        Ok(None)
    }

    fn take_text(&mut self, text: String) -> Result<(), DecodeError> {
        if self.skipping.is_some() {
            return Ok(());
        }
        if let Some(open) = self.building.last_mut() {
            let mut memory_bytes = text.len() + first_child_bytes(open);
            if !matches!(open.nodes().next_back(), Some(Node::Text(_))) {
                memory_bytes += TEXT_MEMORY_BYTES;
            }
            open.append_text(text);
            return self.count_memory(memory_bytes);
        }
        // Whitespace between stanzas is a keepalive (RFC 6120 §4.6.1).
        if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            self.reset_stanza();
            Ok(())
        } else {
            Err(DecodeError::TextBetweenStanzas)
        }
    }

    fn close_element(&mut self) -> Option<Frame> {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.closed = true;
            return Some(Frame::Close);
        }
        if self.skipping.is_some() {
            if self.depth > 1 {
                return None;
            }
            self.reset_stanza();
            self.frame_memory_bytes = self.shell_memory_bytes;
            return self
                .skipping
                .take()
                .map(|Skipping { shell, limit }| Frame::Oversized { shell, limit });
        }
        self.scopes.pop();
        let done = self.building.pop()?;
        match self.building.last_mut() {
            Some(parent) => {
                parent.append_child(done);
                None
            }
            None => {
                self.frame_memory_bytes = self.stanza_memory_bytes;
                self.reset_stanza();
                Some(Frame::Element(done))
            }
        }
    }

    fn reset_stanza(&mut self) {
        self.stanza_bytes = 0;
        self.stanza_memory_bytes = 0;
        self.is_answer = false;
    }
}

/// Only our server can say it: it stamps everybody else's `from`.
fn is_answer(stanza: &Element, account: Option<&BareJid>) -> bool {
    stanza.is("iq", ns::CLIENT)
        && stanza.attr("type") == Some("result")
        && stanza.attr("from").is_none_or(|from| {
            let from = address::jid(from);
            account.is_some_and(|account| from.is_ok_and(|from| from.to_bare() == *account))
        })
}

#[cfg(test)]
mod tests;
