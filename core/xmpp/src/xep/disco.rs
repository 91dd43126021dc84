//! XEP-0030: who is there and what can it do.

use std::collections::BTreeSet;

use eft_types::{BareJid, Jid};

use super::data_forms::DataForm;
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// What an entity is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Such as `client`, `server`, `conference`.
    pub category: String,
    /// Such as `phone`, `im`, `text`.
    pub kind: String,
    /// Language of the name.
    pub lang: Option<String>,
    /// Name for humans.
    pub name: Option<String>,
}

/// What an entity says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DiscoInfo {
    /// Node that was asked about.
    pub node: Option<String>,
    /// What it is.
    pub identities: Vec<Identity>,
    /// What it can do. In the order of arrival, duplicates included: XEP-0115 §5.4 has to see them.
    pub features: Vec<String>,
    /// XEP-0128 extensions.
    pub forms: Vec<DataForm>,
}

/// Payload of the `get` for information.
#[must_use]
pub fn info_request(node: Option<&str>) -> Element {
    element("query", ns::DISCO_INFO).with_attr_if("node", node)
}

/// Payload of the `get` for items.
#[must_use]
pub fn items_request(node: Option<&str>) -> Element {
    element("query", ns::DISCO_ITEMS).with_attr_if("node", node)
}

/// If a stanza asks about us: the node, which may be none.
#[must_use]
pub fn asked_info(stanza: &Element) -> Option<Option<&str>> {
    let request = super::iq::Request::parse(stanza)?;
    let query = request
        .payload
        .filter(|payload| payload.is("query", ns::DISCO_INFO))?;
    (!request.is_set).then(|| query.attr("node"))
}

/// Whether somebody who asks about us may hear more than that nobody is there: our account, its
/// server, and those who see our presence anyway. To all others an answer would tell that we are
/// online, and with which software (XEP-0030 §8, RFC 6121 §8.5.3); they get
/// `service-unavailable`, as if we were not.
#[must_use]
pub fn may_ask(
    from: Option<&Jid>,
    own: &BareJid,
    sees_our_presence: impl FnOnce(&BareJid) -> bool,
) -> bool {
    let Some(from) = from.map(Jid::to_bare) else {
        return true;
    };
    from == *own
        || (from.node().is_none() && from.domain() == own.domain())
        || sees_our_presence(&from)
}

impl DiscoInfo {
    /// Reads the answer to [`info_request`]; `None` if there is no `<query/>`.
    #[must_use]
    pub fn parse(result: &Element) -> Option<Self> {
        let query = result.get_child("query", ns::DISCO_INFO)?;
        let of = |name: &'static str| {
            query
                .children()
                .filter(move |child| child.is(name, ns::DISCO_INFO))
        };
        Some(Self {
            node: query.attr("node").map(str::to_owned),
            identities: of("identity")
                .map(|identity| Identity {
                    category: identity.attr("category").unwrap_or_default().to_owned(),
                    kind: identity.attr("type").unwrap_or_default().to_owned(),
                    lang: identity.attr_ns(ns::XML, "lang").map(str::to_owned),
                    name: identity.attr("name").map(str::to_owned),
                })
                .collect(),
            features: of("feature")
                .filter_map(|feature| feature.attr("var"))
                .map(str::to_owned)
                .collect(),
            forms: query.children().filter_map(DataForm::parse).collect(),
        })
    }

    /// Payload of the answer to somebody who asked.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let identities = self.identities.iter().map(|identity| {
            element("identity", ns::DISCO_INFO)
                .with_attr("category", identity.category.as_str())
                .with_attr("type", identity.kind.as_str())
                .with_attr_if("name", identity.name.as_deref())
        });
        let features = self
            .features
            .iter()
            .map(|feature| element("feature", ns::DISCO_INFO).with_attr("var", feature.as_str()));
        element("query", ns::DISCO_INFO)
            .with_attr_if("node", self.node.as_deref())
            .with_children(identities)
            .with_children(features)
            .with_children(self.forms.iter().map(DataForm::to_element))
    }

    /// Whether a feature is announced.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }

    /// Whether an identity is announced.
    #[must_use]
    pub fn is(&self, category: &str, kind: &str) -> bool {
        self.identities
            .iter()
            .any(|identity| identity.category == category && identity.kind == kind)
    }
}

/// What we say about ourselves: the features that this crate serves, plus the caller's. Written
/// without languages, so that [`DiscoInfo::to_element`] and the caps hash agree.
#[must_use]
pub fn client_info(name: &str, kind: &str, more_features: &[&str]) -> DiscoInfo {
    let features: BTreeSet<String> = [
        ns::CAPS,
        ns::DISCO_INFO,
        ns::EME,
        ns::PING,
        ns::SID,
        // The `+notify` features make servers send us the device lists of contacts (XEP-0163 §4).
        "urn:xmpp:omemo:2:devices+notify",
        "eu.siacs.conversations.axolotl.devicelist+notify",
    ]
    .iter()
    .chain(more_features)
    .map(|feature| (*feature).to_owned())
    .collect();
    DiscoInfo {
        node: None,
        identities: vec![Identity {
            category: "client".to_owned(),
            kind: kind.to_owned(),
            lang: None,
            name: Some(name.to_owned()),
        }],
        features: features.into_iter().collect(),
        forms: Vec::new(),
    }
}

/// An item of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoItem {
    /// Address.
    pub jid: Jid,
    /// Node.
    pub node: Option<String>,
    /// Name for humans.
    pub name: Option<String>,
}

/// Reads the answer to [`items_request`]; `None` if there is no `<query/>`. Items without a
/// readable address are left out.
#[must_use]
pub fn parse_items(result: &Element) -> Option<Vec<DiscoItem>> {
    let query = result.get_child("query", ns::DISCO_ITEMS)?;
    let items = query
        .children()
        .filter(|child| child.is("item", ns::DISCO_ITEMS))
        .filter_map(|item| {
            Some(DiscoItem {
                jid: address::jid(item.attr("jid")?).ok()?,
                node: item.attr("node").map(str::to_owned),
                name: item.attr("name").map(str::to_owned),
            })
        })
        .collect();
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xep::iq;

    #[test]
    fn information_survives_a_round_trip() {
        let mut info = client_info("Eft", "phone", &["urn:example:more", ns::PING]);
        info.node = Some("n#v".to_owned());
        info.forms.push(DataForm::submit("t").with("a", "b"));
        let result = element("iq", ns::CLIENT).with_child(info.to_element());
        assert_eq!(DiscoInfo::parse(&result), Some(info.clone()));
        assert!(info.has("urn:xmpp:omemo:2:devices+notify"));
        assert!(info.has("eu.siacs.conversations.axolotl.devicelist+notify"));
        assert!(info.is("client", "phone"));
        assert_eq!(
            info.features
                .iter()
                .filter(|feature| *feature == ns::PING)
                .count(),
            1
        );
    }

    #[test]
    fn a_question_about_us_is_recognised() {
        let stanza = iq::get("1", None, info_request(Some("n#v")));
        assert_eq!(asked_info(&stanza), Some(Some("n#v")));
        assert_eq!(
            asked_info(&iq::get("1", None, info_request(None))),
            Some(None)
        );
        assert_eq!(asked_info(&iq::set("1", None, info_request(None))), None);
        assert_eq!(asked_info(&iq::get("1", None, items_request(None))), None);
    }

    #[test]
    fn strangers_learn_nothing() {
        let own = BareJid::new("me@b.example").unwrap();
        let friend = BareJid::new("friend@c.example").unwrap();
        let may = |from: Option<&str>| {
            let from = from.map(|from| Jid::new(from).unwrap());
            may_ask(from.as_ref(), &own, |jid| *jid == friend)
        };
        for from in [
            "me@b.example",
            "me@b.example/other",
            "b.example",
            "friend@c.example/x",
        ] {
            assert!(may(Some(from)), "{from}");
        }
        assert!(may(None), "the server, about the account");
        for from in [
            "rogue@c.example/x",
            "c.example",
            "other@b.example",
            "x.b.example",
        ] {
            assert!(!may(Some(from)), "{from}");
        }
        assert!(
            !client_info("Eft", "phone", &[]).has(ns::RECEIPTS),
            "none are sent"
        );
    }

    #[test]
    fn items_with_rubbish_among_them_are_read() {
        let result: Element = "<iq xmlns='jabber:client'><query xmlns='http://jabber.org/protocol/disco#items'>\
            <item jid='upload.b.example' name='Upload'/><item/><item jid='@@'/><other/></query></iq>"
            .parse()
            .unwrap();
        let items = parse_items(&result).unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].jid.as_str(), "upload.b.example");
        assert_eq!(parse_items(&element("iq", ns::CLIENT)), None);
    }
}
