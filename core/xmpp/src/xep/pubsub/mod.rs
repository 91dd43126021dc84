//! XEP-0060: publish-subscribe, as XEP-0163 (PEP) uses it: each account is a pubsub service of its
//! own.

mod config;
mod event;

pub use config::{AccessModel, MaxItems, NodeConfig};
pub use event::{NodeChange, PubSubEvent};

use eft_types::Jid;

use super::data_forms::DataForm;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

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
    /// Its content; `None` if the service left it out. The first element, if somebody put in
    /// several.
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

#[cfg(test)]
mod tests;
