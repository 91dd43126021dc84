//! What a node tells its subscribers (XEP-0060 §7.1.2).

use eft_types::Jid;

use super::{Item, items_of};
use crate::xep::text::jid_attr;
use crate::{Element, ns};

/// Something happened at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct PubSubEvent {
    /// The service: for PEP the account that owns the node; `None` is our own account. Whether we
    /// care about that account is the caller's decision.
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
    /// Reads an event; `None` if the stanza is none. The service of an account speaks as its bare
    /// address. A full address is a client or a room's occupant, who can write anything: such an
    /// event is none.
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
