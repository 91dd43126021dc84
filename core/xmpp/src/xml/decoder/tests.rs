use super::*;
use crate::xml::{encode_element, encode_stanza};
use proptest::prelude::*;

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

fn oversized(stanza: &str) -> (Element, InnerLimit) {
    let mut decoder = Decoder::new(small());
    decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
    let text = format!("{stanza}<message id='next'><x xmlns='n'/></message>");
    let frames = decode_all(&mut decoder, text.as_bytes()).unwrap();
    let [Frame::Oversized { shell, limit }, Frame::Element(next)] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!(next.attr("id"), Some("next"));
    assert!(next.has_child("x", "n"));
    assert!(shell.nodes().next().is_none());
    (shell.clone(), *limit)
}

#[test]
fn a_stanza_beyond_an_inner_limit_costs_only_itself() {
    let long = "x".repeat(2000);
    let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
    let many = "<a/>".repeat(100);
    let wide = "<a b='' c='' d='' e='' f='' g='' h='' i='' j=''/>";
    for (content, limit) in [
        (long.as_str(), InnerLimit::Bytes),
        (&format!("<a b='{long}'/>"), InnerLimit::Bytes),
        (&deep, InnerLimit::Depth),
        (&many, InnerLimit::Memory),
        (wide, InnerLimit::Attributes),
        // A declaration is inherited by every child, so it is paid for once per child.
        (
            &format!("<a xmlns='{}'>{}</a>", "n".repeat(400), "<b/>".repeat(8)),
            InnerLimit::Memory,
        ),
    ] {
        let (shell, got) = oversized(&format!("<message id='bad' from='m@x'>{content}</message>"));
        assert_eq!(got, limit);
        assert_eq!(shell.attr("id"), Some("bad"));
        assert_eq!(shell.attr("from"), Some("m@x"));
    }
    let (shell, got) = oversized(
        "<message id='bad' p:q='' b='' c='' d='' e='' f='' g='' h='' xmlns:p='x'>text</message>",
    );
    assert_eq!(got, InnerLimit::Attributes);
    assert_eq!(shell.attr("id"), Some("bad"));
}

#[test]
fn outer_limits_end_the_stream() {
    let mut decoder = Decoder::new(small());
    decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
    let endless = format!("<message>{}", "x".repeat(20_000));
    assert_eq!(
        decode_all(&mut decoder, endless.as_bytes()),
        Err(DecodeError::TooLarge { max_bytes: 10_000 })
    );
    let mut decoder = Decoder::new(small());
    let header = OPEN.replace("id=", "a='' b='' c='' d='' id=");
    assert!(matches!(
        decode_all(&mut decoder, header.as_bytes()),
        Err(DecodeError::TooLarge { .. })
    ));
}

#[test]
fn before_login_every_limit_is_fatal() {
    for content in [
        format!("<a>{}", "x".repeat(70_000)),
        "<a>".repeat(1_000_000),
        format!(
            "<a {}/>",
            (0..1000).map(|i| format!("a{i}='' ")).collect::<String>()
        ),
    ] {
        let mut decoder = Decoder::new(XmlLimits::LOGIN);
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let result = decode_all(&mut decoder, content.as_bytes());
        // An attribute flood may end as a dropped element; it is not a stanza of a login then.
        match result {
            Err(DecodeError::TooLarge { .. }) => {}
            Ok(frames) => assert!(
                matches!(frames.as_slice(), [Frame::Oversized { .. }]),
                "{frames:?}"
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_million_levels_or_attributes_cost_the_stanza_and_no_more() {
    let deep = format!("{}{}", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
    let wide: String = (0..1_000_000).map(|i| format!("a{i}='' ")).collect();
    for (content, expected) in [
        (deep, InnerLimit::Depth),
        (format!("<a {wide}/>"), InnerLimit::Attributes),
        (format!("<a {wide}>text</a>"), InnerLimit::Attributes),
    ] {
        let limits = XmlLimits {
            stanza_bytes_fatal: 20_000_000,
            ..XmlLimits::SESSION
        };
        let mut decoder = Decoder::new(limits);
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let text = format!("<message id='bad'>{content}</message><presence/>");
        let frames = decode_all(&mut decoder, text.as_bytes()).unwrap();
        let [Frame::Oversized { shell, limit }, Frame::Element(next)] = frames.as_slice() else {
            panic!("{} frames", frames.len());
        };
        assert_eq!((shell.attr("id"), *limit), (Some("bad"), expected));
        assert_eq!(next.name(), "presence");
        // Without an end, the bytes end it.
        let mut decoder = Decoder::new(XmlLimits::SESSION);
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let endless = text.replace("</a>", "").repeat(3);
        let result = decode_all(&mut decoder, endless.as_bytes());
        assert!(
            matches!(result, Err(DecodeError::TooLarge { .. })),
            "{result:?}"
        );
        assert!(decoder.building.is_empty());
    }
}

#[test]
fn a_large_roster_fits() {
    let items: String = (0..7000)
        .map(|n| {
            format!(
                "<item jid='contact{n}@example.example' name='Contact number {n}' subscription='both'>\
                 <group>Colleagues</group></item>"
            )
        })
        .collect();
    let roster =
        format!("<iq type='result' id='r'><query xmlns='jabber:iq:roster'>{items}</query></iq>");
    let frames = in_stream(&roster).unwrap();
    let [Frame::Element(iq)] = frames.as_slice() else {
        panic!("dropped");
    };
    let query = iq.get_child("query", "jabber:iq:roster").unwrap();
    assert_eq!(query.children().count(), 7000);
}

#[test]
fn keepalives_without_end_are_no_stanza() {
    let mut decoder = Decoder::new(small());
    decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
    for _ in 0..200 {
        assert_eq!(decode_all(&mut decoder, &[b' '; 100]), Ok(vec![]));
    }
    assert_eq!(decode_all(&mut decoder, b"<a/>").unwrap().len(), 1);
}

#[test]
fn an_answer_of_the_own_account_may_be_larger_than_what_others_write() {
    let text = "x".repeat(2000);
    let read = |attributes: &str| {
        let mut decoder = Decoder::new(small());
        decoder.set_account(BareJid::new("me@b.example").unwrap());
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let stanza = format!("<iq {attributes}>{text}</iq>");
        let frames = decode_all(&mut decoder, stanza.as_bytes()).unwrap();
        matches!(frames.as_slice(), [Frame::Element(_)])
    };
    for own in ["", "from='me@b.example'", "from='ME@b.example/phone'"] {
        assert!(read(&format!("type='result' {own}")), "{own}");
    }
    for other in [
        "from='friend@c.example' type='result'",
        "from='b.example.evil' type='result'",
        "from='' type='result'",
        "type='set'",
        "type='get' from='me@b.example'",
        "type='error'",
        "",
    ] {
        assert!(!read(other), "{other}");
    }
}

#[test]
fn namespaces_of_attributes_are_paid_for_each_time() {
    let attributes: String = (0..6).map(|n| format!("p:a{n}='' ")).collect();
    let namespace = "n".repeat(900);
    let stanza = format!("<message id='bad'><a xmlns:p='{namespace}' {attributes}/></message>");
    let mut decoder = Decoder::new(small());
    decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
    let frames = decode_all(&mut decoder, stanza.as_bytes()).unwrap();
    // 1000 bytes of text are one limit; five times the namespace is another.
    let [Frame::Oversized { limit, .. }] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!(*limit, InnerLimit::Memory);
}

#[test]
fn a_single_token_that_is_too_long_ends_the_stream() {
    let limits = XmlLimits {
        stanza_bytes_fatal: 1_000_000,
        ..small()
    };
    for token in [
        format!("<a b='{}'/>", "v".repeat(6000)),
        format!("<{}/>", "n".repeat(6000)),
    ] {
        let mut decoder = Decoder::new(limits);
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        assert_eq!(
            decode_all(&mut decoder, token.as_bytes()),
            Err(DecodeError::Restricted)
        );
    }
}

/// Whatever a stanza holds, dropping it leaves the stream where reading it does.
#[test]
fn dropped_content_ends_where_the_stanza_does_however_it_arrives() {
    let content = "<a b='1'><c/><d e=\"'/>\" f='&gt;'>t &lt; <![CDATA[</a>]]]]></d></a><g  />";
    let stanza = format!(
        "<message id='bad'>{}{content}</message>",
        "<x>".repeat(6) + content + &"</x>".repeat(6)
    );
    let text = format!("{OPEN}{stanza}<iq id='next'/>");
    for size in 1..text.len() {
        let mut decoder = Decoder::new(small());
        let mut frames = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            frames.extend(decode_all(&mut decoder, piece).unwrap());
        }
        let [
            Frame::Header(_),
            Frame::Oversized { limit, .. },
            Frame::Element(next),
        ] = frames.as_slice()
        else {
            panic!("pieces of {size}: {frames:?}");
        };
        assert_eq!((*limit, next.attr("id")), (InnerLimit::Depth, Some("next")));
    }
}

fn arb_element() -> impl Strategy<Value = Element> {
    let text = proptest::string::string_regex("[ -~\u{e9}\u{4e2d}\u{1F600}\n\t]{0,12}")
        .unwrap()
        .boxed();
    let name = prop_oneof![Just("a"), Just("body"), Just("x-1")];
    let ns = prop_oneof![Just("jabber:client"), Just("n:1"), Just("")];
    let leaf =
        (name, ns, proptest::option::of(text.clone()), text).prop_map(|(name, ns, attr, text)| {
            let mut element = Element::bare(name, ns);
            if let Some(value) = attr {
                use crate::xml::ElementExt;
                element = element.with_attr("k", value);
            }
            if !text.is_empty() {
                element.append_text(text);
            }
            element
        });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4)).prop_map(
            |(mut parent, children)| {
                for child in children {
                    parent.append_child(child);
                }
                parent
            },
        )
    })
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(
        elements in proptest::collection::vec(arb_element(), 1..4),
        cuts in proptest::collection::vec(1usize..40, 1..60),
    ) {
        let mut text = OPEN.to_owned();
        for element in &elements {
            text.push_str(&encode_stanza(element).unwrap());
        }
        text.push_str("</stream:stream>");
        let whole = decode(&text).unwrap();
        prop_assert_eq!(whole.len(), elements.len() + 2);
        for (frame, element) in whole[1..].iter().zip(&elements) {
            let Frame::Element(got) = frame else { panic!("{frame:?}") };
            prop_assert_eq!(encode_element(got).unwrap(), encode_element(element).unwrap());
        }

        let mut decoder = Decoder::new(XmlLimits::SESSION);
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.extend(decode_all(&mut decoder, piece).unwrap());
            rest = tail;
        }
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), in_stream: bool) {
        let mut decoder = Decoder::new(small());
        if in_stream {
            decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        }
        let _ = decode_all(&mut decoder, &bytes);
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "(<|>|/|a|:|p|xmlns|=|'| |&|;|!|\\[|\\]|-|\\?|\"|message|#){0,80}") {
        let mut decoder = Decoder::new(small());
        decode_all(&mut decoder, OPEN.as_bytes()).unwrap();
        let _ = decode_all(&mut decoder, text.as_bytes());
    }
}
