use super::*;
use crate::xep::message::{body, body_of};
use crate::xml::encode_element;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn envelope(text: &str) -> Envelope {
    Envelope {
        content: vec![body(text)],
        time: Some(Timestamp::from_millis(0)),
        from: Some(BareJid::new("a@b.example").unwrap()),
        to: Some(BareJid::new("room@m.example").unwrap()),
    }
}

fn text_of(envelope: &Envelope, seed: u64) -> String {
    envelope
        .to_text(&mut ChaCha20Rng::seed_from_u64(seed))
        .unwrap()
}

#[test]
fn an_envelope_survives_a_round_trip() {
    for seed in 0..50 {
        let original = envelope("1 < 2 & so on \u{1F600}");
        assert_eq!(
            Envelope::parse(text_of(&original, seed).as_bytes()),
            Ok(original)
        );
    }
    let bare = Envelope {
        content: vec![],
        time: None,
        from: None,
        to: None,
    };
    assert_eq!(Envelope::parse(text_of(&bare, 1).as_bytes()), Ok(bare));
}

#[test]
fn the_text_is_what_deployed_clients_can_read() {
    let text = text_of(&envelope("hi"), 1);
    assert!(text.starts_with("<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi</body></content><rpad>"));
    assert!(text.ends_with(
        "</rpad><time stamp='1970-01-01T00:00:00.000Z'/><from xmlns='urn:xmpp:sce:1' jid='a@b.example'/>\
         <to xmlns='urn:xmpp:sce:1' jid='room@m.example'/></envelope>"
    ));
    assert!(!text.contains("xmlns:") && !text.contains("<?xml"));
}

#[test]
fn lengths_of_short_texts_overlap_and_vary() {
    let lengths = |text: &str| {
        (0..300)
            .map(|seed| text_of(&envelope(text), seed).len())
            .collect::<Vec<_>>()
    };
    let (short, longer) = (lengths("no"), lengths("yes, of course"));
    assert_eq!(
        short.iter().min(),
        longer.iter().min(),
        "the minimum hides the difference"
    );
    for lengths in [short, longer] {
        let (min, max) = (
            *lengths.iter().min().unwrap(),
            *lengths.iter().max().unwrap(),
        );
        assert!(
            min >= MIN_BYTES && max <= MIN_BYTES + 220 && max - min > 150,
            "{min}..{max}"
        );
    }
    let long = "x".repeat(1000);
    let plain = text_of(&envelope(&long), 0).len();
    assert!(plain > 1000 && plain < 1500);
}

#[test]
fn envelopes_of_other_clients_are_read() {
    for text in [
        "<?xml version='1.0' encoding='utf-8'?>\n<envelope xmlns='urn:xmpp:sce:1'><rpad>x</rpad><content><body xmlns='jabber:client'>hi</body></content></envelope>",
        "\u{feff}<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi</body></content></envelope>\n",
        "<s:envelope xmlns:s='urn:xmpp:sce:1'><s:content><c:body xmlns:c='jabber:client'>hi</c:body></s:content><s:to jid='a@b/c'/></s:envelope>",
    ] {
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!(body_of(&envelope.content).as_deref(), Some("hi"), "{text}");
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    let content = "<content/>";
    let envelope = |inner: &str| format!("<envelope xmlns='urn:xmpp:sce:1'>{inner}</envelope>");
    for (text, error) in [
        (String::new(), EnvelopeError::Xml),
        ("hello".to_owned(), EnvelopeError::Xml),
        (envelope(content) + "<x/>", EnvelopeError::Xml),
        (envelope(content) + "</stream:stream>", EnvelopeError::Xml),
        ("</stream:stream>".to_owned(), EnvelopeError::Xml),
        (
            "<!DOCTYPE x>".to_owned() + &envelope(content),
            EnvelopeError::Xml,
        ),
        (
            "<?xml version='1.0'?><?xml version='1.0'?>".to_owned() + &envelope(content),
            EnvelopeError::Xml,
        ),
        (envelope("<content>&lol;</content>"), EnvelopeError::Xml),
        (
            envelope(
                &("<content>".to_owned() + &"<a>".repeat(200) + &"</a>".repeat(200) + "</content>"),
            ),
            EnvelopeError::Xml,
        ),
        (
            "<envelope xmlns='urn:xmpp:sce:1'>".to_owned(),
            EnvelopeError::Xml,
        ),
        (
            "<envelope xmlns='urn:xmpp:sce:0'><content/></envelope>".to_owned(),
            EnvelopeError::WrongElement,
        ),
        (
            "<envelope><content/></envelope>".to_owned(),
            EnvelopeError::WrongElement,
        ),
        (envelope(""), EnvelopeError::Content),
        (envelope("<content/><content/>"), EnvelopeError::Content),
        (envelope("<content/><time/>"), EnvelopeError::Affix("time")),
        (
            envelope("<content/><time stamp='soon'/>"),
            EnvelopeError::Affix("time"),
        ),
        (
            envelope("<content/><from jid='@'/>"),
            EnvelopeError::Affix("from"),
        ),
        (envelope("<content/><to/>"), EnvelopeError::Affix("to")),
        (
            envelope("<content/><to jid='a@b'/><to jid='c@d'/>"),
            EnvelopeError::Affix("to"),
        ),
    ] {
        assert_eq!(Envelope::parse(text.as_bytes()), Err(error), "{text:.80}");
    }
    assert_eq!(Envelope::parse(b"\xFF<envelope/>"), Err(EnvelopeError::Xml));
}

#[test]
fn elements_of_servers_are_dropped_from_the_content() {
    let forged = [
        "<store xmlns='urn:xmpp:hints'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='me@b.example' id='1'/>",
        "<addresses xmlns='http://jabber.org/protocol/address'/>",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/>",
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'/>",
        "<sent xmlns='urn:xmpp:carbons:2'/>",
        "<result xmlns='urn:xmpp:mam:2'/>",
        "<encrypted xmlns='urn:xmpp:omemo:2'/>",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
        "<envelope xmlns='urn:xmpp:sce:1'/>",
    ];
    let text = format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content>{}<body xmlns='jabber:client'>hi</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='o'/></content></envelope>",
        forged.concat()
    );
    let names: Vec<String> = Envelope::parse(text.as_bytes())
        .unwrap()
        .content
        .iter()
        .map(|child| child.name().to_owned())
        .collect();
    assert_eq!(names, ["body", "origin-id"]);
}

#[test]
fn a_restored_message_holds_nothing_that_somebody_added_outside() {
    let outer: Element = "<message xmlns='jabber:client' from='a@b.example/x' to='me@b.example' type='chat' id='m1'>\
        <encrypted xmlns='urn:xmpp:omemo:2'/><body>I am a forged fallback</body><subject>s</subject>\
        <replace xmlns='urn:xmpp:message-correct:0' id='m0'/><reactions xmlns='urn:xmpp:reactions:0' id='m0'/>\
        <received xmlns='urn:xmpp:receipts' id='m0'/><displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/>\
        <x xmlns='jabber:x:oob'><url>http://evil</url></x><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>\
        <composing xmlns='http://jabber.org/protocol/chatstates'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' by='me@b.example' id='s1'/><origin-id xmlns='urn:xmpp:sid:0' id='m1'/>\
        <delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/><store xmlns='urn:xmpp:hints'/>\
        <request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/></message>"
        .parse()
        .unwrap();
    let restored = envelope("hi").restore(&outer);
    assert_eq!(restored.attr("from"), Some("a@b.example/x"));
    let names: Vec<String> = restored
        .children()
        .map(|child| child.name().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "stanza-id",
            "origin-id",
            "delay",
            "store",
            "request",
            "markable",
            "body"
        ]
    );
    assert_eq!(body_of(restored.children()).as_deref(), Some("hi"));
}

#[test]
fn content_stays_out_of_debug() {
    assert!(!format!("{:?}", envelope("secret")).contains("secret"));
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
        let _ = Envelope::parse(&bytes);
    }

    #[test]
    fn any_body_text_survives(text in "\\PC{1,60}") {
        let original = envelope(&text);
        let parsed = Envelope::parse(text_of(&original, 3).as_bytes()).unwrap();
        proptest::prop_assert_eq!(encode_element(&parsed.content[0]).unwrap(), encode_element(&original.content[0]).unwrap());
    }
}
