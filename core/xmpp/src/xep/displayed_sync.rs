//! XEP-0490: how far our account has read, shared by its clients in a private node.

use eft_types::{Jid, StanzaId};

use super::pubsub::{AccessModel, Item, MaxItems, NodeConfig};
use super::stanza_id::stanza_id;
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// A conversation has been read up to here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displayed {
    /// Contact or room; the full address for a private conversation with an occupant.
    pub conversation: Jid,
    /// Id of the last message that was read, as the archive gave it that keeps the conversation.
    pub up_to: StanzaId,
}

impl Displayed {
    /// Payload of the item, which has the conversation as its id ([`super::pubsub::publish`]).
    /// `archive` gave the id: the room, or for everything else our account.
    #[must_use]
    pub fn to_element(&self, archive: &Jid) -> Element {
        element("displayed", ns::MDS).with_child(
            element("stanza-id", ns::SID)
                .with_attr("by", archive.as_str())
                .with_attr("id", self.up_to.as_str()),
        )
    }

    /// Reads an item of the node. Our account has to be its owner: that is for the caller to have
    /// checked ([`super::pubsub::PubSubEvent::from`]). `archive_of` tells who archives a conversation;
    /// an id by anybody else is none.
    #[must_use]
    pub fn parse(item: &Item, archive_of: impl FnOnce(&Jid) -> Jid) -> Option<Self> {
        let conversation = address::jid(item.id.as_deref()?).ok()?;
        let payload = item
            .payload
            .as_ref()
            .filter(|payload| payload.is("displayed", ns::MDS))?;
        let up_to = stanza_id(payload, &archive_of(&conversation))?;
        Some(Self {
            conversation,
            up_to,
        })
    }
}

/// How the node has to be kept: nobody else may read it, and no conversation pushes another out.
#[must_use]
pub fn node_config() -> NodeConfig {
    NodeConfig {
        access_model: Some(AccessModel::Whitelist),
        max_items: Some(MaxItems::Max),
        persist_items: Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eft_types::BareJid;

    fn archive_of(conversation: &Jid) -> Jid {
        // Rooms archive themselves, everything else is in our account's archive.
        if conversation.domain().as_str() == "rooms.c.example" {
            conversation.to_bare().into()
        } else {
            BareJid::new("me@b.example").unwrap().into()
        }
    }

    fn item(id: &str, by: &str) -> Item {
        let archive = Jid::new(by).unwrap();
        let displayed = Displayed {
            conversation: Jid::new(id).unwrap(),
            up_to: StanzaId::new("s1"),
        };
        Item {
            id: Some(id.to_owned()),
            payload: Some(displayed.to_element(&archive)),
        }
    }

    #[test]
    fn a_mark_survives_a_round_trip_with_the_archive_that_counts() {
        for (conversation, archive) in [
            ("friend@d.example", "me@b.example"),
            ("room@rooms.c.example", "room@rooms.c.example"),
            ("room@rooms.c.example/nick", "room@rooms.c.example"),
        ] {
            let parsed = Displayed::parse(&item(conversation, archive), archive_of).unwrap();
            assert_eq!(parsed.conversation.as_str(), conversation);
            assert_eq!(parsed.up_to.as_str(), "s1");
        }
    }

    #[test]
    fn a_mark_by_another_archive_or_without_an_address_is_none() {
        for by in ["friend@d.example", "b.example", "me@b.example/phone"] {
            assert_eq!(
                Displayed::parse(&item("friend@d.example", by), archive_of),
                None
            );
        }
        let good = item("friend@d.example", "me@b.example");
        for bad in [
            Item {
                id: None,
                ..good.clone()
            },
            Item {
                id: Some("@".to_owned()),
                ..good.clone()
            },
            Item {
                payload: None,
                ..good.clone()
            },
            Item {
                payload: Some(element("displayed", "other")),
                ..good
            },
        ] {
            assert_eq!(Displayed::parse(&bad, archive_of), None);
        }
    }

    #[test]
    fn the_node_is_ours_alone() {
        let options = node_config().to_publish_options();
        assert_eq!(options.value("pubsub#access_model"), Some("whitelist"));
        assert_eq!(options.value("pubsub#max_items"), Some("max"));
    }
}
