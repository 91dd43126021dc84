//! XEP-0191: the list of addresses that may not reach us.

use std::collections::BTreeSet;

use eft_types::{BareJid, Jid};

use super::text::is_from_account;
use crate::limits::MAX_BLOCKED;
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// The list changed, as the server tells all our clients. Answer with an empty result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockPush {
    /// These are blocked now.
    Blocked(BTreeSet<Jid>),
    /// These are not blocked any more.
    Unblocked(BTreeSet<Jid>),
    /// None is blocked any more.
    AllUnblocked,
}

/// Why something that looks like a push is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockPushError {
    /// It does not come from our own account: answer `service-unavailable`, change nothing. Whoever
    /// could unblock himself would.
    #[error("block list push from somebody else")]
    Forged,
    /// An unreadable or missing address, or too many: ask for the whole list.
    #[error("malformed block list push")]
    Malformed,
}

/// Payload of the `get` for the list.
#[must_use]
pub fn request() -> Element {
    element("blocklist", ns::BLOCKING)
}

/// Payload of the `set` that blocks. A bare address blocks all its resources.
#[must_use]
pub fn block(jids: &[Jid]) -> Element {
    element("block", ns::BLOCKING).with_children(items(jids))
}

/// Payload of the `set` that unblocks; no address unblocks all.
#[must_use]
pub fn unblock(jids: &[Jid]) -> Element {
    element("unblock", ns::BLOCKING).with_children(items(jids))
}

/// Reads the answer to [`request`]; `None` if it is none or names what is no address.
#[must_use]
pub fn parse_answer(result: &Element) -> Option<BTreeSet<Jid>> {
    read_items(result.get_child("blocklist", ns::BLOCKING)?)
}

/// Reads a push; `Ok(None)` if the stanza is none.
///
/// # Errors
/// See [`BlockPushError`].
pub fn parse_push(stanza: &Element, own: &BareJid) -> Result<Option<BlockPush>, BlockPushError> {
    let request = super::iq::Request::parse(stanza).filter(|request| request.is_set);
    let Some(payload) = request
        .and_then(|request| request.payload)
        .filter(|payload| payload.has_ns(ns::BLOCKING))
    else {
        return Ok(None);
    };
    if !is_from_account(stanza, own) {
        return Err(BlockPushError::Forged);
    }
    let jids = read_items(payload).ok_or(BlockPushError::Malformed)?;
    match (payload.name(), jids.is_empty()) {
        ("block", false) => Ok(Some(BlockPush::Blocked(jids))),
        ("unblock", false) => Ok(Some(BlockPush::Unblocked(jids))),
        ("unblock", true) => Ok(Some(BlockPush::AllUnblocked)),
        _ => Err(BlockPushError::Malformed),
    }
}

fn items(jids: &[Jid]) -> impl Iterator<Item = Element> {
    jids.iter()
        .map(|jid| element("item", ns::BLOCKING).with_attr("jid", jid.as_str()))
}

fn read_items(list: &Element) -> Option<BTreeSet<Jid>> {
    let jids: BTreeSet<Jid> = list
        .children()
        .filter(|child| child.is("item", ns::BLOCKING))
        .take(MAX_BLOCKED + 1)
        .map(|item| address::jid(item.attr("jid")?).ok())
        .collect::<Option<_>>()?;
    (jids.len() <= MAX_BLOCKED).then_some(jids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xep::iq;

    fn own() -> BareJid {
        BareJid::new("me@b.example").unwrap()
    }

    fn jids(list: &[&str]) -> BTreeSet<Jid> {
        list.iter().map(|jid| Jid::new(jid).unwrap()).collect()
    }

    fn push(from: Option<&str>, payload: &str) -> Element {
        let from = from.map_or_else(String::new, |from| format!(" from='{from}'"));
        format!("<iq xmlns='jabber:client' type='set' id='1'{from}>{payload}</iq>")
            .parse()
            .unwrap()
    }

    const BLOCK: &str = "<block xmlns='urn:xmpp:blocking'><item jid='rogue@c.example'/></block>";
    const UNBLOCK_ALL: &str = "<unblock xmlns='urn:xmpp:blocking'/>";

    #[test]
    fn a_list_is_written_and_read() {
        let list = [
            Jid::new("a@c.example").unwrap(),
            Jid::new("d.example").unwrap(),
        ];
        let stanza = iq::set("1", None, block(&list));
        assert_eq!(
            parse_push(&stanza, &own()),
            Ok(Some(BlockPush::Blocked(jids(&[
                "a@c.example",
                "d.example"
            ]))))
        );
        let stanza = iq::set("1", None, unblock(&[]));
        assert_eq!(
            parse_push(&stanza, &own()),
            Ok(Some(BlockPush::AllUnblocked))
        );
        let answer: Element =
            "<iq xmlns='jabber:client' type='result'><blocklist xmlns='urn:xmpp:blocking'>\
            <item jid='a@c.example'/></blocklist></iq>"
                .parse()
                .unwrap();
        assert_eq!(parse_answer(&answer), Some(jids(&["a@c.example"])));
        assert_eq!(parse_answer(&Element::bare("iq", ns::CLIENT)), None);
    }

    #[test]
    fn only_our_own_account_may_change_the_list() {
        for from in [None, Some("me@b.example"), Some("ME@B.example")] {
            assert!(matches!(
                parse_push(&push(from, BLOCK), &own()),
                Ok(Some(_))
            ));
        }
        for from in [
            "rogue@c.example",
            "b.example",
            "me@b.example/phone",
            "me@b.example.evil",
            "mе@b.example",
            "@",
        ] {
            for payload in [BLOCK, UNBLOCK_ALL] {
                assert_eq!(
                    parse_push(&push(Some(from), payload), &own()),
                    Err(BlockPushError::Forged),
                    "{from}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_half_a_list() {
        for payload in [
            "<block xmlns='urn:xmpp:blocking'/>",
            "<block xmlns='urn:xmpp:blocking'><item/></block>",
            "<block xmlns='urn:xmpp:blocking'><item jid='a@c.example'/><item jid='@'/></block>",
            "<blocklist xmlns='urn:xmpp:blocking'/>",
        ] {
            assert_eq!(
                parse_push(&push(None, payload), &own()),
                Err(BlockPushError::Malformed),
                "{payload}"
            );
        }
        assert_eq!(
            parse_push(&push(None, "<query xmlns='other'/>"), &own()),
            Ok(None)
        );
    }
}
