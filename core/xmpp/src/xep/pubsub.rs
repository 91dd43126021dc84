//! XEP-0060: publish-subscribe, as XEP-0163 (PEP) uses it: each account is a pubsub service of its own.

use eft_types::Jid;

use super::data_forms::DataForm;
use super::text::jid_attr;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Who may read a node (§4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessModel {
    /// Everybody. OMEMO needs it.
    Open,
    /// Whoever sees our presence; the default of PEP.
    Presence,
    /// Ourselves only (XEP-0223).
    Whitelist,
}

impl AccessModel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Presence => "presence",
            Self::Whitelist => "whitelist",
        }
    }
}

/// How many items a node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaxItems {
    /// As many as the server allows. Old servers refuse the word: then ask for a number.
    Max,
    /// This many.
    Count(u32),
}

/// What we want of a node; `None` leaves it as it is. As publish options these are preconditions: demand as few as
/// possible, or clients with other habits fight over the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NodeConfig {
    /// Who may read.
    pub access_model: Option<AccessModel>,
    /// How many items stay.
    pub max_items: Option<MaxItems>,
    /// Whether items stay at all.
    pub persist_items: Option<bool>,
}

impl NodeConfig {
    fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let access_model = self.access_model.map(|model| model.as_str().to_owned());
        let max_items = self.max_items.map(|max| match max {
            MaxItems::Max => "max".to_owned(),
            MaxItems::Count(count) => count.to_string(),
        });
        let persist_items = self
            .persist_items
            .map(|persist| if persist { "true" } else { "false" }.to_owned());
        [
            ("pubsub#access_model", access_model),
            ("pubsub#max_items", max_items),
            ("pubsub#persist_items", persist_items),
        ]
        .into_iter()
        .filter_map(|(var, value)| Some((var, value?)))
    }

    /// The form for `<publish-options/>` (§7.1.5).
    #[must_use]
    pub fn to_publish_options(&self) -> DataForm {
        self.fields().fold(
            DataForm::submit(ns::PUBSUB_PUBLISH_OPTIONS),
            |form, (var, value)| form.with(var, value),
        )
    }

    /// Answers the owner's configuration form (§8.2): what the server sent, with our wishes in it.
    #[must_use]
    pub fn apply_to(&self, form: DataForm) -> DataForm {
        self.fields()
            .fold(form.into_submit(), |form, (var, value)| {
                form.with(var, value)
            })
    }

    /// Whether a node that is configured as in `form` is already as we want it.
    #[must_use]
    pub fn is_met_by(&self, form: &DataForm) -> bool {
        self.fields().all(|(var, value)| match form.value(var) {
            Some(current) if var == "pubsub#persist_items" => {
                form.flag(var) == Some(value == "true") && !current.is_empty()
            }
            current => current == Some(value.as_str()),
        })
    }
}

/// Payload of the `set` that publishes one item. Without an id the server makes one up.
#[must_use]
pub fn publish(
    node: &str,
    item_id: Option<&str>,
    payload: Element,
    options: Option<&NodeConfig>,
) -> Element {
    let item = element("item", ns::PUBSUB)
        .with_attr_if("id", item_id)
        .with_child(payload);
    let options = options.map(|options| {
        element("publish-options", ns::PUBSUB).with_child(options.to_publish_options().to_element())
    });
    element("pubsub", ns::PUBSUB)
        .with_child(
            element("publish", ns::PUBSUB)
                .with_attr("node", node)
                .with_child(item),
        )
        .with_child_if(options)
}

/// Payload of the `get` for items: those named, or the newest `max`, or all.
#[must_use]
pub fn items(node: &str, ids: &[&str], max: Option<u32>) -> Element {
    let wanted = ids
        .iter()
        .map(|id| element("item", ns::PUBSUB).with_attr("id", *id));
    element("pubsub", ns::PUBSUB).with_child(
        element("items", ns::PUBSUB)
            .with_attr("node", node)
            .with_attr_if("max_items", max.map(|max| max.to_string()))
            .with_children(wanted),
    )
}

/// Payload of the `set` that removes an item. `notify` tells subscribers.
#[must_use]
pub fn retract(node: &str, item_id: &str, notify: bool) -> Element {
    element("pubsub", ns::PUBSUB).with_child(
        element("retract", ns::PUBSUB)
            .with_attr("node", node)
            .with_attr_if("notify", notify.then_some("true"))
            .with_child(element("item", ns::PUBSUB).with_attr("id", item_id)),
    )
}

/// Payload of the `set` that subscribes an address of ours to a node.
#[must_use]
pub fn subscribe(node: &str, subscriber: &Jid) -> Element {
    subscription("subscribe", node, subscriber)
}

/// Payload of the `set` that ends it.
#[must_use]
pub fn unsubscribe(node: &str, subscriber: &Jid) -> Element {
    subscription("unsubscribe", node, subscriber)
}

fn subscription(name: &str, node: &str, subscriber: &Jid) -> Element {
    element("pubsub", ns::PUBSUB).with_child(
        element(name, ns::PUBSUB)
            .with_attr("node", node)
            .with_attr("jid", subscriber.as_str()),
    )
}

/// Payload of the `get` for a node's configuration form.
#[must_use]
pub fn configuration_request(node: &str) -> Element {
    element("pubsub", ns::PUBSUB_OWNER)
        .with_child(element("configure", ns::PUBSUB_OWNER).with_attr("node", node))
}

/// Payload of the `set` that submits it ([`NodeConfig::apply_to`]).
#[must_use]
pub fn configure(node: &str, form: &DataForm) -> Element {
    element("pubsub", ns::PUBSUB_OWNER).with_child(
        element("configure", ns::PUBSUB_OWNER)
            .with_attr("node", node)
            .with_child(form.to_element()),
    )
}

/// Payload of the `set` that deletes a node.
#[must_use]
pub fn delete(node: &str) -> Element {
    element("pubsub", ns::PUBSUB_OWNER)
        .with_child(element("delete", ns::PUBSUB_OWNER).with_attr("node", node))
}

/// An item.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its id in the node.
    pub id: Option<String>,
    /// Its content; `None` if the service left it out. The first element, if somebody put in several.
    pub payload: Option<Element>,
}

/// Reads the answer to [`items`]; `None` if it is about another node. An empty list is an answer.
#[must_use]
pub fn parse_items(result: &Element, node: &str) -> Option<Vec<Item>> {
    let items = result
        .get_child("pubsub", ns::PUBSUB)?
        .get_child("items", ns::PUBSUB)?;
    (items.attr("node") == Some(node)).then(|| items_of(items, ns::PUBSUB))
}

/// Reads the answer to [`configuration_request`].
#[must_use]
pub fn parse_configuration(result: &Element) -> Option<DataForm> {
    result
        .get_child("pubsub", ns::PUBSUB_OWNER)?
        .get_child("configure", ns::PUBSUB_OWNER)?
        .children()
        .find_map(DataForm::parse)
}

fn items_of(parent: &Element, ns: &str) -> Vec<Item> {
    parent
        .children()
        .filter(|child| child.is("item", ns))
        .map(|item| Item {
            id: item.attr("id").map(str::to_owned),
            payload: item.children().next().cloned(),
        })
        .collect()
}

/// Something happened at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct PubSubEvent {
    /// The service: for PEP the account that owns the node; `None` is our own account. Whether we care about that
    /// account is the caller's decision.
    pub from: Option<Jid>,
    /// The node.
    pub node: String,
    /// What happened.
    pub change: NodeChange,
}

/// What happened at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeChange {
    /// Items were published or removed.
    Items {
        /// New or changed.
        published: Vec<Item>,
        /// Ids of removed ones.
        retracted: Vec<String>,
    },
    /// All items were removed.
    Purged,
    /// The node is gone.
    Deleted,
    /// The node was configured, or something that we do not know.
    Other,
}

impl PubSubEvent {
    /// Reads an event; `None` if the stanza is none. The service of an account speaks as its bare address. A full
    /// address is a client or a room's occupant, who can write anything: such an event is none.
    #[must_use]
    pub fn parse(stanza: &Element) -> Option<Self> {
        if !stanza.is("message", ns::CLIENT) || stanza.attr("type") == Some("error") {
            return None;
        }
        let from = jid_attr(stanza, "from").ok()?;
        if from.as_ref().is_some_and(Jid::is_full) {
            return None;
        }
        let event = stanza.get_child("event", ns::PUBSUB_EVENT)?;
        let change = event
            .children()
            .find(|child| child.has_ns(ns::PUBSUB_EVENT))?;
        Some(Self {
            from,
            node: change.attr("node")?.to_owned(),
            change: match change.name() {
                "items" => NodeChange::Items {
                    published: items_of(change, ns::PUBSUB_EVENT),
                    retracted: change
                        .children()
                        .filter(|child| child.is("retract", ns::PUBSUB_EVENT))
                        .filter_map(|retract| retract.attr("id"))
                        .map(str::to_owned)
                        .collect(),
                },
                "purge" => NodeChange::Purged,
                "delete" => NodeChange::Deleted,
                _ => NodeChange::Other,
            },
        })
    }
}

#[cfg(test)]
mod tests {
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
        let pubsub = |inner: &str| {
            format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub>")
        };
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
}
