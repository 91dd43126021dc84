//! Too much of anything.

use super::*;

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
