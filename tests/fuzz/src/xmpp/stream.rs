//! The decoder of the stream.

use eft_xmpp::Element;
use eft_xmpp::limits::XmlLimits;
use eft_xmpp::xml::{Decoder, Frame, encode_element, encode_stanza, encode_stream_open};

use super::OPEN;
use crate::input::{Input, Seed};

/// Small enough that an input can break each of them.
const NARROW: XmlLimits = XmlLimits {
    stanza_bytes: 120,
    stanza_memory_bytes: 2500,
    answer_bytes: 200,
    answer_memory_bytes: 5000,
    depth: 4,
    attributes: 3,
    stanza_bytes_fatal: 400,
    token_bytes_fatal: 300,
};

/// A stream reads the same in whatever pieces it arrives, keeps its limits, and what was read can be written and
/// read again.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let limits = match flags & 3 {
        0 => XmlLimits::LOGIN,
        1 => XmlLimits::SESSION,
        _ => NARROW,
    };
    let piece = usize::from(flags >> 3) + 1;
    let bytes = if flags & 4 == 4 {
        [OPEN, input.rest()].concat()
    } else {
        input.rest().to_vec()
    };
    let whole = read(&bytes, limits, bytes.len().max(1));
    // When an error shows, and which of two, may depend on what arrived with it.
    let pieces = read(&bytes, limits, piece);
    assert!(whole == pieces, "pieces of {piece} bytes read differently");
    for frame in &whole {
        match frame {
            Frame::Element(element) => write_again(element, limits),
            Frame::Oversized { shell, .. } => assert!(shell.nodes().next().is_none()),
            Frame::Header(header) => {
                let text = encode_stream_open(header).unwrap();
                let again = read(text.as_bytes(), XmlLimits::SESSION, text.len());
                assert_eq!(again, [Frame::Header(header.clone())]);
            }
            Frame::Close => {}
        }
    }
}

fn read(bytes: &[u8], limits: XmlLimits, piece: usize) -> Vec<Frame> {
    let mut decoder = Decoder::new(limits);
    let mut frames = Vec::new();
    for mut piece in bytes.chunks(piece) {
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => {
                    assert!(piece.is_empty(), "bytes are left unread");
                    break;
                }
                Err(error) => {
                    let mut more: &[u8] = b"<a/>";
                    assert_eq!(
                        decoder.decode(&mut more),
                        Err(error),
                        "a lost stream goes on"
                    );
                    return frames;
                }
            }
        }
    }
    frames
}

fn write_again(element: &Element, limits: XmlLimits) {
    assert!(depth(element) <= limits.depth, "deeper than the limit");
    // Elements in a namespace of their own attributes are read, but nothing of ours writes them.
    let (Ok(alone), Ok(inside)) = (encode_element(element), encode_stanza(element)) else {
        return;
    };
    for text in [alone, inside] {
        let again = super::stanzas(text.as_bytes());
        assert!(
            again == std::slice::from_ref(element),
            "{text:?} reads as something else"
        );
    }
}

fn depth(element: &Element) -> usize {
    1 + element.children().map(depth).max().unwrap_or_default()
}

/// Streams as servers write them, and what no server may write.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts: &[&str] = &[
        "<message from='a@b.example/c' type='chat' xml:lang='en'><body>a &lt; b &amp; c &#x41;</body></message>",
        "<message/> <presence/>\n<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>",
        "<a:x xmlns:a='one' a:y='1'><b xmlns='two'><a:c/></b></a:x>",
        "<a><b><c><d><e><f><g/></f></e></d></c></b></a><next/>",
        "<a b='1' c='2' d='3' e='4' f='5'/><next/>",
        "<a>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</a><next/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!-- no --><a/>",
        "<?pi?><a/>",
        "<a><![CDATA[<b/>]]></a>",
        "<a xmlns=''><b xmlns:xml='http://www.w3.org/XML/1998/namespace'/></a>",
        "<a>\u{1F600}\u{FFFD}\r\n</a>",
        "text between",
    ];
    let mut seeds = Vec::new();
    for (at, text) in (0..).zip(texts) {
        // Limits and length of pieces change from text to text.
        seeds.push(
            Seed::new()
                .byte(4 | (at % 3) | (at % 5) << 3)
                .rest(text.as_bytes())
                .into_bytes(),
        );
    }
    let narrow = Seed::new().byte(6).rest(texts[3].as_bytes());
    seeds.push(narrow.into_bytes());
    let header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
        id='1' from='b.example' version='1.0' xml:lang='en'><stream:features/>";
    seeds.push(Seed::new().byte(8).rest(header.as_bytes()).into_bytes());
    seeds
}
