//! XEP-0359: ids that outlive the stanza.

use eft_types::{Jid, OriginId, StanzaId};

use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// `<origin-id/>`: the id that we chose.
#[must_use]
pub fn origin_id_element(id: &OriginId) -> Element {
    element("origin-id", ns::SID).with_attr("id", id.as_str())
}

/// The id that the sender chose. Anyone can write anything here: it means something only together
/// with the sender.
#[must_use]
pub fn origin_id(message: &Element) -> Option<OriginId> {
    let id = message.get_child("origin-id", ns::SID)?.attr("id")?;
    (!id.is_empty()).then(|| OriginId::new(id))
}

/// The id that `archive` gave. Ids by others are ignored: they may be forged (§6). Believe the
/// result only if the archive announces `urn:xmpp:sid:0` or `urn:xmpp:mam:2`, because only then
/// does it remove forgeries; two ids by the same archive are a sign that it does not, and give
/// `None`.
#[must_use]
pub fn stanza_id(message: &Element, archive: &Jid) -> Option<StanzaId> {
    let mut ids = message.children().filter(|child| {
        child.is("stanza-id", ns::SID)
            && child
                .attr("by")
                .and_then(|by| address::jid(by).ok())
                .is_some_and(|by| by == *archive)
    });
    let id = ids.next()?.attr("id")?;
    if ids.next().is_some() || id.is_empty() {
        return None;
    }
    Some(StanzaId::new(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(children: &str) -> Option<String> {
        let message: Element = format!("<message xmlns='jabber:client'>{children}</message>")
            .parse()
            .unwrap();
        stanza_id(&message, &Jid::new("me@b.example").unwrap()).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn only_the_archive_named_may_give_an_id() {
        let by =
            |by: &str, id: &str| format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{id}'/>");
        assert_eq!(id(&by("me@b.example", "1")).as_deref(), Some("1"));
        assert_eq!(
            id(&(by("room@c.example", "x") + &by("ME@b.example", "1"))).as_deref(),
            Some("1")
        );
        for forged in [
            by("evil@c.example", "1"),
            by("me@b.example/phone", "1"),
            by("b.example", "1"),
            by("mе@b.example", "1"),
            by("me@b.example", ""),
            "<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>".to_owned(),
            "<stanza-id xmlns='urn:xmpp:sid:0' by='me@b.example'/>".to_owned(),
            "<stanza-id xmlns='other' by='me@b.example' id='1'/>".to_owned(),
            by("me@b.example", "1") + &by("me@b.example", "2"),
        ] {
            assert_eq!(id(&forged), None, "{forged}");
        }
    }

    #[test]
    fn origin_ids_survive_a_round_trip() {
        let message =
            element("message", ns::CLIENT).with_child(origin_id_element(&OriginId::new("o1")));
        assert_eq!(origin_id(&message), Some(OriginId::new("o1")));
        assert_eq!(origin_id(&element("message", ns::CLIENT)), None);
    }
}
