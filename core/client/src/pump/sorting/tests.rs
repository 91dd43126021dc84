//! Who may say what, and what is answered.

use eft_types::DeviceId;
use eft_xmpp::xep::pubsub::Item;

use super::*;

fn stanza(text: &str) -> Element {
    text.parse().unwrap()
}

fn items(payloads: &[&str]) -> NodeChange {
    NodeChange::Items {
        published: payloads
            .iter()
            .map(|payload| Item {
                id: Some("current".to_owned()),
                payload: (!payload.is_empty()).then(|| stanza(payload)),
            })
            .collect(),
        retracted: Vec::new(),
    }
}

#[test]
fn the_newest_list_of_an_event_counts_and_a_vanished_node_is_an_empty_one() {
    let ids = |change: &NodeChange, is_own| {
        event_list(Version::Omemo2, change, is_own)
            .map(|list| list.ids().map(DeviceId::as_u32).collect::<Vec<_>>())
    };
    let list = "<devices xmlns='urn:xmpp:omemo:2'><device id='5'/><device id='0'/></devices>";
    let older = "<devices xmlns='urn:xmpp:omemo:2'><device id='4'/></devices>";
    for is_own in [true, false] {
        assert_eq!(ids(&items(&[older, list]), is_own), Some(vec![5]));
        assert_eq!(ids(&NodeChange::Deleted, is_own), Some(vec![]));
        assert_eq!(ids(&NodeChange::Purged, is_own), Some(vec![]));
        assert_eq!(ids(&NodeChange::Other, is_own), None);
        assert_eq!(ids(&items(&[]), is_own), None);
        assert_eq!(ids(&items(&[""]), is_own), None);
    }
    // Rubbish on our own node is put right; on another's it is the other's business.
    let rubbish = items(&["<list xmlns='urn:example'/>"]);
    assert_eq!(ids(&rubbish, true), Some(vec![]));
    assert_eq!(ids(&rubbish, false), None);
}

#[test]
fn every_request_is_answered_and_nothing_else() {
    let kind = |text: &str| {
        let answer = answer_request(&stanza(text), true)?;
        assert_eq!(answer.attr("to"), Some("bob@b.example/x"));
        assert_eq!(answer.attr("id"), Some("7"));
        answer.attr("type").map(str::to_owned)
    };
    let iq = |kind: &str, inner: &str| {
        format!(
            "<iq xmlns='jabber:client' type='{kind}' id='7' from='bob@b.example/x'>{inner}</iq>"
        )
    };
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    let disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let unknown = "<query xmlns='urn:example'/>";
    assert_eq!(kind(&iq("get", ping)).as_deref(), Some("result"));
    assert_eq!(kind(&iq("get", disco)).as_deref(), Some("result"));
    let foreign_node = "<query xmlns='http://jabber.org/protocol/disco#info' node='theirs'/>";
    for refused in [
        iq("get", unknown),
        iq("set", unknown),
        iq("get", foreign_node),
    ] {
        assert_eq!(kind(&refused).as_deref(), Some("error"), "{refused}");
    }
    for silent in [iq("result", ping), iq("error", ping), iq("strange", ping)] {
        assert_eq!(kind(&silent), None, "{silent}");
    }
}

#[test]
fn a_stranger_is_answered_as_if_nobody_were_there() {
    let ping = "<iq xmlns='jabber:client' type='get' id='7' from='mallory@m.example/x'>\
                <ping xmlns='urn:xmpp:ping'/></iq>";
    let answer = answer_request(&stanza(ping), false).unwrap();
    assert_eq!(answer.attr("type"), Some("error"));
    let error = StanzaError::parse(&answer);
    assert!(error.is_not_implemented(), "{error}");
    let answer = "<iq xmlns='jabber:client' type='result' id='7' from='mallory@m.example/x'/>";
    assert!(answer_request(&stanza(answer), false).is_none());
}
