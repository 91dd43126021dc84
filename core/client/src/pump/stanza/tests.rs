use eft_omemo::EncryptedKey;
use eft_types::DeviceId;
use rand::SeedableRng as _;

use super::*;

fn bob() -> BareJid {
    BareJid::new("bob@b.example").unwrap()
}

fn encrypted(version: Version, has_payload: bool) -> EncryptedMessage {
    EncryptedMessage {
        version,
        sender: BareJid::new("alice@a.example").unwrap(),
        sid: DeviceId::new(5).unwrap(),
        keys: vec![EncryptedKey {
            jid: Some(bob()),
            rid: DeviceId::new(7).unwrap(),
            kex: true,
            data: vec![1, 2, 3],
        }],
        iv: (version == Version::Legacy).then(|| vec![9; 12]),
        payload: has_payload.then(|| vec![4, 5, 6]),
    }
}

fn marks(stanza: &Element) -> Vec<String> {
    ExplicitEncryption::find_all(stanza)
        .map(|mark| mark.namespace)
        .collect()
}

#[test]
fn a_message_says_what_servers_and_other_clients_need_and_no_more() {
    let id = OriginId::new("o1");
    for (versions, has_body) in [
        (&[Version::Omemo2][..], false),
        (&[Version::Legacy], true),
        (&[Version::Omemo2, Version::Legacy], true),
    ] {
        let elements: Vec<_> = versions
            .iter()
            .map(|version| encrypted(*version, true))
            .collect();
        let stanza = encrypted_message(&bob(), &id, &elements);
        assert_eq!(stanza.attr("to"), Some("bob@b.example"));
        assert_eq!(stanza.attr("type"), Some("chat"));
        assert_eq!(stanza.attr("id"), Some("o1"));
        assert_eq!(stanza_id::origin_id(&stanza), Some(id.clone()));
        assert!(
            stanza.has_child("store", ns::HINTS),
            "or servers would not archive it"
        );
        assert_eq!(marks(&stanza).len(), versions.len());
        // XEP-0420 §5: none beside an envelope alone. Legacy clients show it where they lack OMEMO.
        let body = message::body_of(stanza.children());
        assert_eq!(body.is_some(), has_body);
        assert!(body.is_none_or(|body| body == LEGACY_FALLBACK));
    }
}

#[test]
fn pitfall_29_an_empty_message_has_no_body_and_is_archived() {
    for version in Version::ALL {
        let stanza = empty_message(&bob(), &OriginId::new("o1"), encrypted(version, false));
        assert_eq!(message::body_of(stanza.children()), None);
        assert!(stanza.has_child("store", ns::HINTS));
        assert_eq!(marks(&stanza).len(), 1);
    }
}

#[test]
fn what_is_kept_as_bytes_comes_back_as_it_was() {
    for version in Version::ALL {
        let stanza = encrypted_message(
            &bob(),
            &OriginId::new("<&'\">"),
            &[encrypted(version, true)],
        );
        assert_eq!(from_bytes(&to_bytes(&stanza).unwrap()).unwrap(), stanza);
    }
    for rubbish in [&b""[..], b"<message>", b"\xff", b"text"] {
        let error = from_bytes(&Opaque::new(rubbish.to_vec())).unwrap_err();
        assert_eq!(error.code(), "bug");
    }
}

#[test]
fn an_envelope_names_both_sides_and_the_time() {
    let mut rng = StdRng::seed_from_u64(1);
    let own = BareJid::new("alice@a.example").unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let text = envelope("1 < 2 ☕", &own, &bob(), now, &mut rng).unwrap();
    let read = sce::Envelope::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (read.from.as_ref(), read.to.as_ref()),
        (Some(&own), Some(&bob()))
    );
    assert_eq!(read.time, Some(now));
    let read = content(&read);
    assert_eq!(read.text, "1 < 2 ☕");
    assert!(read.payload.is_none() && !read.is_transient);
    // `Conversation::send` has refused what XML cannot carry.
    assert!(envelope("\u{1}", &own, &bob(), now, &mut rng).is_err());
}

#[test]
fn ids_are_not_to_be_guessed() {
    let mut rng = StdRng::seed_from_u64(1);
    let ids: std::collections::HashSet<_> = (0..1000).map(|_| new_id(&mut rng)).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.len() == 32));
}

#[test]
fn capabilities_match_what_is_answered_and_ask_for_device_lists() {
    let question: Element = format!(
        "<iq xmlns='jabber:client' type='get' id='1' from='b.example'>\
         <query xmlns='http://jabber.org/protocol/disco#info' node='{}'/></iq>",
        caps().disco_node()
    )
    .parse()
    .unwrap();
    let answer = disco_answer(&question).unwrap();
    let info = DiscoInfo::parse(&answer).unwrap();
    assert!(caps().vouches_for(&info));
    for node in [ns::OMEMO_2_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
        assert!(info.has(&format!("{node}+notify")), "{node}");
    }
}

#[test]
fn an_element_with_attributes_of_foreign_namespaces_is_kept_without_them() {
    let envelope = sce::Envelope::parse(
        b"<envelope xmlns='urn:xmpp:sce:1'><content>\
          <place xmlns='n' xmlns:geo='g' geo:lat='1' name='home' xml:lang='en'><inner geo:lon='2'/></place>\
          </content><rpad/></envelope>",
    )
    .unwrap();
    let read = content(&envelope);
    assert!(!read.is_transient);
    let kept = String::from_utf8(read.payload.unwrap().as_bytes().to_vec()).unwrap();
    assert_eq!(
        kept,
        "<place xmlns='n' name='home' xml:lang='en'><inner/></place>"
    );
}
