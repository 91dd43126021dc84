//! The server's messages (RFC 7395 §3.3), as the stream that they stand for.

use std::io;

use super::frame::violation;
use crate::limits::{WEBSOCKET_FRAMING_BYTES, XmlLimits};
use crate::ns;
use crate::xml::{StreamHeader, encode_stream_close, encode_stream_open, parse_document};

/// Joins.
#[derive(Default)]
pub(super) struct Incoming {
    begin: Vec<u8>,
    kind: Kind,
}

/// Of the message under way.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Too little has come to tell.
    #[default]
    Unknown,
    /// `<open/>` or `<close/>`: needed whole.
    Framing,
    /// Anything else.
    Content,
}

impl Incoming {
    /// Takes the next bytes of a message and appends what they stand for.
    pub(super) fn push(&mut self, bytes: &[u8], stream: &mut Vec<u8>) -> io::Result<()> {
        if self.kind == Kind::Content {
            stream.extend_from_slice(bytes);
            return Ok(());
        }
        self.begin.extend_from_slice(bytes);
        if self.kind == Kind::Unknown {
            self.kind = kind(&self.begin);
        }
        if self.kind == Kind::Content {
            stream.append(&mut self.begin);
        } else if self.begin.len() > WEBSOCKET_FRAMING_BYTES {
            return Err(violation("a message without begin"));
        }
        Ok(())
    }

    /// The message is over.
    pub(super) fn end(&mut self, stream: &mut Vec<u8>) -> io::Result<()> {
        let begin = core::mem::take(&mut self.begin);
        if core::mem::take(&mut self.kind) != Kind::Framing {
            stream.extend_from_slice(&begin);
            return Ok(());
        }
        let unreadable = || violation("an unreadable <open/> or <close/>");
        let element = parse_document(&begin, XmlLimits::LOGIN).map_err(|_| unreadable())?;
        if element.is("close", ns::FRAMING) {
            stream.extend_from_slice(encode_stream_close().as_bytes());
            return Ok(());
        }
        if !element.is("open", ns::FRAMING) {
            return Err(unreadable());
        }
        let text = |name: &str| element.attr(name).map(str::to_owned);
        let header = StreamHeader {
            from: text("from"),
            to: text("to"),
            id: text("id"),
            version: text("version"),
            lang: element.attr_ns(ns::XML, "lang").map(str::to_owned),
        };
        let header = encode_stream_open(&header).map_err(|_| unreadable())?;
        stream.extend_from_slice(header.as_bytes());
        Ok(())
    }
}

fn kind(begin: &[u8]) -> Kind {
    let begin = begin.trim_ascii_start();
    for name in [&b"<open"[..], b"<close"] {
        match begin.strip_prefix(name) {
            Some([]) => return Kind::Unknown,
            Some([next, ..]) if next.is_ascii_whitespace() || b"/>".contains(next) => {
                return Kind::Framing;
            }
            Some(_) => return Kind::Content,
            None if name.starts_with(begin) => return Kind::Unknown,
            None => {}
        }
    }
    Kind::Content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(message: &str, piece_bytes: usize) -> io::Result<String> {
        let (mut incoming, mut stream) = (Incoming::default(), Vec::new());
        for piece in message.as_bytes().chunks(piece_bytes) {
            incoming.push(piece, &mut stream)?;
        }
        incoming.end(&mut stream)?;
        Ok(String::from_utf8(stream).unwrap())
    }

    #[test]
    fn framing_becomes_the_ends_of_a_stream_however_it_is_cut() {
        for piece_bytes in [1, 3, 1000] {
            let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='b.example' id='&lt;1' \
                version='1.0' xml:lang='en'/>";
            assert_eq!(
                join(open, piece_bytes).unwrap(),
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                 xmlns:stream='http://etherx.jabber.org/streams' from='b.example' id='&lt;1' version='1.0' \
                 xml:lang='en'>"
            );
            let close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'></close>";
            assert_eq!(join(close, piece_bytes).unwrap(), "</stream:stream>");
            for content in [
                "<opening xmlns='x'/>",
                "<message xmlns='jabber:client'><open/></message>",
                "<closed/>",
                "<op/>",
                "text",
                " ",
                "",
            ] {
                assert_eq!(join(content, piece_bytes).unwrap(), content);
            }
        }
    }

    #[test]
    fn framing_that_is_none_ends_the_connection() {
        for message in [
            "<open/>",
            "<open xmlns='x'/>",
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>",
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/><message/>",
            "<close ",
        ] {
            assert!(join(message, 7).is_err(), "{message}");
        }
        let endless = format!("<open {}", " ".repeat(WEBSOCKET_FRAMING_BYTES));
        assert!(join(&endless, 100).is_err());
        let endless = " ".repeat(WEBSOCKET_FRAMING_BYTES + 1);
        assert!(join(&endless, 100).is_err());
    }
}
