//! Our stream, cut into the messages of RFC 7395 §3.3. It comes from our own encoder and is well-formed; quotes and
//! angle brackets within values are escaped there.

use crate::ns;

/// Cuts.
#[derive(Default)]
pub(super) struct Outgoing {
    /// The element under way.
    element: Vec<u8>,
    depth: usize,
    tag: Option<Tag>,
}

/// A tag under way.
#[derive(Default)]
struct Tag {
    /// The byte behind `<`.
    first: Option<u8>,
    last: u8,
    quote: Option<u8>,
}

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A text message.
    Text(String),
    /// The same, and after it nothing more comes.
    Last(String),
}

const HEADER: &str =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";

impl Outgoing {
    /// Takes the next bytes and hands on every message that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], mut emit: impl FnMut(Message)) {
        for byte in bytes {
            if self.element.is_empty() && *byte != b'<' {
                // White space between elements has no message to stand in.
                continue;
            }
            self.element.push(*byte);
            if self.ends_with(*byte) {
                let element = core::mem::take(&mut self.element);
                if let Some(message) = message(&element) {
                    emit(message);
                }
            }
        }
    }

    /// Whether the element ends with this byte.
    fn ends_with(&mut self, byte: u8) -> bool {
        let Some(tag) = &mut self.tag else {
            if byte == b'<' {
                self.tag = Some(Tag::default());
            }
            return false;
        };
        match (tag.quote, byte) {
            (Some(quote), byte) if byte == quote => tag.quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => tag.quote = Some(byte),
            (None, b'>') => {
                let (first, last) = (tag.first, tag.last);
                self.tag = None;
                match (first, last) {
                    (Some(b'?'), _) => {}
                    (Some(b'/'), _) => self.depth = self.depth.saturating_sub(1),
                    (_, b'/') => {}
                    _ if self.depth == 0 && self.element.starts_with(b"<stream:stream") => {}
                    _ => self.depth += 1,
                }
                return self.depth == 0;
            }
            (None, _) => {}
        }
        tag.first.get_or_insert(byte);
        tag.last = byte;
        false
    }
}

fn message(element: &[u8]) -> Option<Message> {
    let text = core::str::from_utf8(element).ok()?;
    if text.starts_with("<?") {
        return None;
    }
    if text.starts_with("</") {
        return Some(Message::Last(format!("<close xmlns='{}'/>", ns::FRAMING)));
    }
    if let Some(attributes) = text.strip_prefix(HEADER) {
        let attributes = attributes.strip_suffix('>').unwrap_or(attributes);
        let open = format!("<open xmlns='{}'{attributes}/>", ns::FRAMING);
        return Some(Message::Text(open));
    }
    let name_end = text.find([' ', '/', '>']).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    // In a stream, the header has said it.
    let prefix = if name.starts_with("<stream:") {
        format!(" xmlns:stream='{}'", ns::STREAM)
    } else {
        String::new()
    };
    if rest.starts_with(" xmlns='") {
        return Some(Message::Text(format!("{name}{prefix}{rest}")));
    }
    let text = format!("{name} xmlns='{}'{prefix}{rest}", ns::CLIENT);
    Some(Message::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{StreamHeader, encode_stanza, encode_stream_close, encode_stream_open};

    fn cut(pieces: &[&str]) -> Vec<Message> {
        let (mut outgoing, mut messages) = (Outgoing::default(), Vec::new());
        for piece in pieces {
            outgoing.push(piece.as_bytes(), |message| messages.push(message));
        }
        messages
    }

    fn texts(pieces: &[&str]) -> Vec<String> {
        cut(pieces)
            .into_iter()
            .map(|(Message::Text(text) | Message::Last(text))| text)
            .collect()
    }

    #[test]
    fn header_and_end_have_elements_of_their_own() {
        let header = StreamHeader {
            to: Some("b.example".to_owned()),
            version: Some("1.0".to_owned()),
            ..StreamHeader::default()
        };
        let text = encode_stream_open(&header).unwrap()
            + "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
        assert_eq!(
            texts(&[&text]),
            [
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='b.example' version='1.0'/>",
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
            ]
        );
        let last = Message::Last("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".to_owned());
        assert_eq!(cut(&[encode_stream_close()]), [last]);
    }

    #[test]
    fn each_stanza_is_a_message_that_declares_its_namespace() {
        let stanzas = [
            "<message xmlns='jabber:client' to='a@b.example'><body>1 &lt; 2 'x' > \"y\"</body></message>",
            "<iq xmlns='jabber:client' type='get' id='/>&apos;'><query xmlns='q'><query/></query></iq>",
            "<presence xmlns='jabber:client'/>",
            "<r xmlns='urn:xmpp:sm:3'/>",
        ];
        let elements = stanzas.map(|text| text.parse::<crate::Element>().unwrap());
        let stream: String = elements
            .iter()
            .map(|element| encode_stanza(element).unwrap() + " \n")
            .collect();
        let messages = texts(&[&stream]);
        assert_eq!(messages.len(), 4);
        for (message, element) in messages.iter().zip(&elements) {
            assert_eq!(&message.parse::<crate::Element>().unwrap(), element);
        }
        // However it is cut.
        let bytes: Vec<String> = stream.chars().map(String::from).collect();
        let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
        assert_eq!(texts(&bytes), messages);
    }

    #[test]
    fn a_stream_error_declares_its_prefix() {
        let text = "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
        let messages = texts(&[text]);
        let element: crate::Element = messages[0].parse().unwrap();
        assert!(element.is("error", ns::STREAM));
    }
}
