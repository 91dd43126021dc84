mod limits;
mod properties;

use super::*;

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' from='b.example' id='s1' version='1.0' xml:lang='en'>";

fn decode_all(decoder: &mut Decoder, mut input: &[u8]) -> Result<Vec<Frame>, DecodeError> {
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut input)? {
        frames.push(frame);
    }
    assert!(
        input.is_empty(),
        "a decoder that wants more has taken everything"
    );
    Ok(frames)
}

fn decode(text: &str) -> Result<Vec<Frame>, DecodeError> {
    decode_all(&mut Decoder::new(XmlLimits::SESSION), text.as_bytes())
}

fn in_stream(content: &str) -> Result<Vec<Frame>, DecodeError> {
    let mut frames = decode(&format!("{OPEN}{content}"))?;
    assert!(matches!(frames.remove(0), Frame::Header(_)));
    Ok(frames)
}

#[test]
fn a_stream_gives_header_stanzas_and_close() {
    let frames = decode(&format!(
        "{OPEN} <message to='a'><body>hi &amp; bye</body></message>\n<stream:features/></stream:stream>"
    ))
    .unwrap();
    let [
        Frame::Header(header),
        Frame::Element(message),
        Frame::Element(features),
        Frame::Close,
    ] = frames.as_slice()
    else {
        panic!("{frames:?}");
    };
    assert_eq!(header.from.as_deref(), Some("b.example"));
    assert_eq!(header.id.as_deref(), Some("s1"));
    assert_eq!(header.lang.as_deref(), Some("en"));
    assert!(message.is("message", ns::CLIENT));
    assert_eq!(
        message.get_child("body", ns::CLIENT).unwrap().text(),
        "hi & bye"
    );
    assert!(features.is("features", ns::STREAM));
}

#[test]
fn prefixes_resolve_by_scope() {
    let frames = in_stream(
        "<message xmlns:p='one' p:attr='v'><p:x xmlns:p='two'><p:y/></p:x><p:z xmlns='three'><w/></p:z></message>",
    )
    .unwrap();
    let [Frame::Element(message)] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!(message.attr_ns("one", "attr"), Some("v"));
    let x = message.get_child("x", "two").unwrap();
    assert!(x.has_child("y", "two"));
    assert!(
        message
            .get_child("z", "one")
            .unwrap()
            .has_child("w", "three")
    );
}

#[test]
fn what_xmpp_forbids_is_refused() {
    for (text, error) in [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>", DecodeError::Restricted),
        ("<?php evil ?>", DecodeError::Restricted),
    ] {
        let got = decode(text).unwrap_err();
        assert!(
            got == error || matches!(got, DecodeError::Malformed(_)),
            "{text}: {got:?}"
        );
    }
    assert_eq!(in_stream("<!-- c -->"), Err(DecodeError::Restricted));
    assert!(in_stream("<?pi x?>").is_err());
    assert_eq!(in_stream("<a>&lol;</a>"), Err(DecodeError::Entity));
    assert!(in_stream("<a></b>").is_err());
    assert!(in_stream("<a b='1' b='2'/>").is_err());
    assert_eq!(in_stream("<p:a/>"), Err(DecodeError::Prefix));
    assert_eq!(in_stream("<a xmlns:p=''/>"), Err(DecodeError::Prefix));
    assert_eq!(in_stream("<a xmlns:xml='x'/>"), Err(DecodeError::Prefix));
    assert_eq!(in_stream("<xmlns:a/>"), Err(DecodeError::Prefix));
    assert_eq!(
        in_stream("<a xmlns:p='n' xmlns:q='n' p:b='1' q:b='2'/>"),
        Err(DecodeError::DuplicateAttribute)
    );
    assert_eq!(in_stream("stray"), Err(DecodeError::TextBetweenStanzas));
    assert_eq!(in_stream("stray<a/>"), Err(DecodeError::TextBetweenStanzas));
    assert_eq!(
        in_stream("</stream:stream>more"),
        Err(DecodeError::AfterEnd)
    );
    assert_eq!(
        decode("<x xmlns='jabber:client'>"),
        Err(DecodeError::NotAStream)
    );
    assert_eq!(
        decode(
            "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"
        ),
        Err(DecodeError::NotAStream)
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bad in [
        &b"<a>\xFF</a>"[..],
        b"<a>\xC0\x80</a>",
        b"<a>\xED\xA0\x80</a>",
        b"<a>\0</a>",
        b"<a>&#0;</a>",
    ] {
        let mut decoder = Decoder::new(XmlLimits::SESSION);
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let first = decode_all(&mut decoder, bad).unwrap_err();
        // And the decoder stays broken.
        assert_eq!(decode_all(&mut decoder, b"<a/>"), Err(first));
    }
}

fn small() -> XmlLimits {
    XmlLimits {
        stanza_bytes: 1000,
        stanza_memory_bytes: 5000,
        answer_bytes: 3000,
        answer_memory_bytes: 20_000,
        depth: 5,
        attributes: 8,
        stanza_bytes_fatal: 10_000,
        token_bytes_fatal: 5000,
    }
}
