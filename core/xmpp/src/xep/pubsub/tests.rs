use super::*;
use crate::xml::encode_element;

fn devices() -> Element {
    element("devices", ns::OMEMO_2)
}

const OPEN: NodeConfig = NodeConfig {
    access_model: Some(AccessModel::Open),
    max_items: Some(MaxItems::Max),
    persist_items: Some(true),
};

#[test]
fn an_item_is_published_with_its_preconditions() {
    let payload = publish("n", Some("current"), devices(), Some(&OPEN));
    assert_eq!(
        encode_element(&payload).unwrap(),
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='current'>\
         <devices xmlns='urn:xmpp:omemo:2'/></item></publish><publish-options>\
         <x xmlns='jabber:x:data' type='submit'><field type='hidden' var='FORM_TYPE'>\
         <value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
         <field var='pubsub#access_model'><value>open</value></field>\
         <field var='pubsub#max_items'><value>max</value></field>\
         <field var='pubsub#persist_items'><value>true</value></field></x></publish-options></pubsub>"
    );
    let plain = publish("n", None, devices(), None);
    assert!(!plain.has_child("publish-options", ns::PUBSUB));
}

#[test]
fn requests_name_their_node_and_items() {
    let text = |payload| encode_element(&payload).unwrap();
    let pubsub =
        |inner: &str| format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub>");
    assert_eq!(
        text(items("n", &["1", "2"], None)),
        pubsub("<items node='n'><item id='1'/><item id='2'/></items>")
    );
    assert_eq!(
        text(items("n", &[], Some(1))),
        pubsub("<items max_items='1' node='n'/>")
    );
    assert_eq!(
        text(retract("n", "1", true)),
        pubsub("<retract node='n' notify='true'><item id='1'/></retract>")
    );
    assert_eq!(
        text(retract("n", "1", false)),
        pubsub("<retract node='n'><item id='1'/></retract>")
    );
    let jid = Jid::new("me@b.example").unwrap();
    assert_eq!(
        text(subscribe("n", &jid)),
        pubsub("<subscribe jid='me@b.example' node='n'/>")
    );
    assert_eq!(
        text(unsubscribe("n", &jid)),
        pubsub("<unsubscribe jid='me@b.example' node='n'/>")
    );
    let owner = |inner: &str| {
        format!("<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>{inner}</pubsub>")
    };
    assert_eq!(
        text(configuration_request("n")),
        owner("<configure node='n'/>")
    );
    assert_eq!(text(delete("n")), owner("<delete node='n'/>"));
}

#[test]
fn a_configuration_is_answered_with_our_wishes_in_it() {
    let result: Element = "<iq xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
        <configure node='n'><x xmlns='jabber:x:data' type='form'>\
        <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>\
        <field var='pubsub#access_model' type='list-single'><value>presence</value></field>\
        <field var='pubsub#persist_items' type='boolean'><value>1</value></field>\
        <field var='pubsub#title'><value>keep me</value></field></x></configure></pubsub></iq>"
        .parse()
        .unwrap();
    let form = parse_configuration(&result).unwrap();
    assert!(!OPEN.is_met_by(&form));
    let persistent = NodeConfig {
        persist_items: Some(true),
        ..NodeConfig::default()
    };
    assert!(persistent.is_met_by(&form), "1 is true");
    let answer = OPEN.apply_to(form);
    assert_eq!(answer.form_type(), Some(ns::PUBSUB_NODE_CONFIG));
    assert_eq!(answer.value("pubsub#access_model"), Some("open"));
    assert_eq!(answer.value("pubsub#title"), Some("keep me"));
    assert!(OPEN.is_met_by(&answer));
    let payload = configure("n", &answer);
    let sent = payload
        .get_child("configure", ns::PUBSUB_OWNER)
        .unwrap()
        .get_child("x", ns::DATA_FORMS)
        .unwrap();
    assert_eq!(DataForm::parse(sent), Some(answer));
}

#[test]
fn items_are_read_for_the_node_asked() {
    let result: Element = "<iq xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>\
        <item id='1'><a xmlns='x'/><b xmlns='x'/></item><item/></items></pubsub></iq>"
        .parse()
        .unwrap();
    let items = parse_items(&result, "n").unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].id.as_deref(), Some("1"));
    assert!(items[0].payload.as_ref().unwrap().is("a", "x"));
    assert_eq!(
        items[1],
        Item {
            id: None,
            payload: None
        }
    );
    assert_eq!(parse_items(&result, "other"), None);
    assert_eq!(parse_items(&element("iq", ns::CLIENT), "n"), None);
}

fn event(from: &str, inner: &str) -> Option<PubSubEvent> {
    let text = format!(
        "<message xmlns='jabber:client' type='headline' {from}>\
        <event xmlns='http://jabber.org/protocol/pubsub#event'>{inner}</event></message>"
    );
    PubSubEvent::parse(&text.parse().unwrap())
}

#[test]
fn events_name_their_service_node_and_change() {
    let got = event(
        "from='friend@c.example'",
        "<items node='n'><item id='1'><a xmlns='x'/></item><retract id='0'/></items>",
    )
    .unwrap();
    assert_eq!(got.from, Some(Jid::new("friend@c.example").unwrap()));
    assert_eq!(got.node, "n");
    let NodeChange::Items {
        published,
        retracted,
    } = got.change
    else {
        panic!("{got:?}");
    };
    assert_eq!((published.len(), retracted), (1, vec!["0".to_owned()]));
    assert_eq!(
        event("", "<purge node='n'/>").unwrap().change,
        NodeChange::Purged
    );
    assert_eq!(
        event("", "<delete node='n'/>").unwrap().change,
        NodeChange::Deleted
    );
    assert_eq!(
        event("", "<configuration node='n'/>").unwrap().change,
        NodeChange::Other
    );
    assert_eq!(event("", "").map(|event| event.node), None);
    assert_eq!(event("", "<items/>"), None);
}

#[test]
fn clients_and_occupants_cannot_pose_as_a_service() {
    for from in [
        "friend@c.example/phone",
        "me@b.example/x",
        "room@m.example/nick",
        "@@",
    ] {
        assert_eq!(
            event(&format!("from='{from}'"), "<purge node='n'/>"),
            None,
            "{from}"
        );
    }
    let error: Element = "<message xmlns='jabber:client' type='error'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
        <purge node='n'/></event></message>".parse().unwrap();
    assert_eq!(PubSubEvent::parse(&error), None);
}
