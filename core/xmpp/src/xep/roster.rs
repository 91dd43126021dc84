//! RFC 6121 §2: the contact list.

use eft_types::BareJid;

use super::text::{is_from_account, is_true};
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// Who sees whose presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// Nobody.
    None,
    /// We see theirs.
    To,
    /// They see ours.
    From,
    /// Both.
    Both,
    /// In a push: the contact was removed.
    Remove,
}

impl Subscription {
    /// The contact may see our presence, so receipts and typing tell it nothing new.
    #[must_use]
    pub const fn shows_ours(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }

    /// We see the contact's presence.
    #[must_use]
    pub const fn shows_theirs(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterItem {
    /// Its account.
    pub jid: BareJid,
    /// The name that we gave it.
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// We asked to see its presence and have no answer yet.
    pub is_pending_out: bool,
    /// Groups, in order.
    pub groups: Vec<String>,
}

/// Answer to [`request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterAnswer {
    /// The version that we named is current; changes come as pushes (§2.6.3).
    Unchanged,
    /// The whole list.
    Full {
        /// Version, if the server keeps versions.
        version: Option<String>,
        /// Contacts. Unreadable ones are left out.
        items: Vec<RosterItem>,
    },
}

/// Payload of the `get`. `version`: the one we have; empty if we have none and the server keeps
/// versions; `None` if it does not.
#[must_use]
pub fn request(version: Option<&str>) -> Element {
    element("query", ns::ROSTER).with_attr_if("ver", version)
}

/// Reads the answer to [`request`].
#[must_use]
pub fn parse_answer(result: &Element) -> RosterAnswer {
    match result.get_child("query", ns::ROSTER) {
        None => RosterAnswer::Unchanged,
        Some(query) => RosterAnswer::Full {
            version: query.attr("ver").map(str::to_owned),
            items: query.children().filter_map(parse_item).collect(),
        },
    }
}

/// One change, sent by our server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterPush {
    /// New version, if the server keeps versions.
    pub version: Option<String>,
    /// The contact as it now is; [`Subscription::Remove`] if it is gone.
    pub item: RosterItem,
}

/// Why something that looks like a push is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// It does not come from our own account (§2.1.6): answer `service-unavailable`, change
    /// nothing.
    #[error("roster push from somebody else")]
    Forged,
    /// Not exactly one readable contact: answer `bad-request`.
    #[error("malformed roster push")]
    Malformed,
}

/// Reads a push; `Ok(None)` if the stanza is none. A push that was read is answered with an empty
/// result.
///
/// # Errors
/// See [`PushError`].
pub fn parse_push(stanza: &Element, own: &BareJid) -> Result<Option<RosterPush>, PushError> {
    let is_push = super::iq::Request::parse(stanza).is_some_and(|request| request.is_set);
    let Some(query) = stanza.get_child("query", ns::ROSTER).filter(|_| is_push) else {
        return Ok(None);
    };
    if !is_from_account(stanza, own) {
        return Err(PushError::Forged);
    }
    let mut items = query.children();
    let item = items
        .next()
        .and_then(parse_item)
        .ok_or(PushError::Malformed)?;
    if items.next().is_some() {
        return Err(PushError::Malformed);
    }
    Ok(Some(RosterPush {
        version: query.attr("ver").map(str::to_owned),
        item,
    }))
}

/// Payload of the `set` that adds a contact or changes its name and groups. It replaces all groups.
#[must_use]
pub fn set(jid: &BareJid, name: Option<&str>, groups: &[String]) -> Element {
    let groups = groups
        .iter()
        .map(|group| element("group", ns::ROSTER).with_text(group));
    element("query", ns::ROSTER).with_child(
        element("item", ns::ROSTER)
            .with_attr("jid", jid.as_str())
            .with_attr_if("name", name)
            .with_children(groups),
    )
}

/// Payload of the `set` that removes a contact and ends both subscriptions.
#[must_use]
pub fn remove(jid: &BareJid) -> Element {
    element("query", ns::ROSTER).with_child(
        element("item", ns::ROSTER)
            .with_attr("jid", jid.as_str())
            .with_attr("subscription", "remove"),
    )
}

fn parse_item(item: &Element) -> Option<RosterItem> {
    if !item.is("item", ns::ROSTER) {
        return None;
    }
    let mut groups: Vec<String> = Vec::new();
    for group in item
        .children()
        .filter(|child| child.is("group", ns::ROSTER))
    {
        let group = group.text();
        if !group.is_empty() && !groups.contains(&group) {
            groups.push(group);
        }
    }
    Some(RosterItem {
        jid: address::bare_jid(item.attr("jid")?).ok()?,
        name: item
            .attr("name")
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        subscription: match item.attr("subscription") {
            Some("to") => Subscription::To,
            Some("from") => Subscription::From,
            Some("both") => Subscription::Both,
            Some("remove") => Subscription::Remove,
            _ => Subscription::None,
        },
        is_pending_out: item.attr("ask") == Some("subscribe") || is_true(item.attr("ask")),
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("me@b.example").unwrap()
    }

    fn push(from: &str, items: &str) -> Result<Option<RosterPush>, PushError> {
        let text = format!(
            "<iq xmlns='jabber:client' type='set' id='1' {from}><query xmlns='jabber:iq:roster' ver='v2'>{items}</query></iq>"
        );
        parse_push(&text.parse().unwrap(), &own())
    }

    const ITEM: &str = "<item jid='friend@c.example' name='F' subscription='both' ask='subscribe'><group>g</group><group>g</group></item>";

    #[test]
    fn a_roster_with_rubbish_in_it_is_read() {
        let text = format!(
            "<iq xmlns='jabber:client' type='result' id='1'><query xmlns='jabber:iq:roster' ver='v1'>{ITEM}\
            <item/><item jid='@@'/><other xmlns='o'/><item jid='x@c.example/res'/><item jid='d.example' subscription='odd'/></query></iq>"
        );
        let RosterAnswer::Full { version, items } = parse_answer(&text.parse().unwrap()) else {
            panic!("unchanged");
        };
        assert_eq!(version.as_deref(), Some("v1"));
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].groups, ["g"]);
        assert!(
            items[0].is_pending_out
                && items[0].subscription.shows_ours()
                && items[0].subscription.shows_theirs()
        );
        assert_eq!(items[1].subscription, Subscription::None);
        assert_eq!(
            parse_answer(
                &"<iq xmlns='jabber:client' type='result' id='1'/>"
                    .parse()
                    .unwrap()
            ),
            RosterAnswer::Unchanged
        );
    }

    #[test]
    fn pushes_come_only_from_our_own_account() {
        for from in ["", "from='me@b.example'"] {
            let push = push(from, ITEM).unwrap().unwrap();
            assert_eq!(push.item.jid.as_str(), "friend@c.example");
            assert_eq!(push.version.as_deref(), Some("v2"));
        }
        for from in [
            "from='friend@c.example'",
            "from='b.example'",
            "from='me@b.example/phone'",
            "from='@@'",
        ] {
            assert_eq!(push(from, ITEM), Err(PushError::Forged), "{from}");
        }
    }

    #[test]
    fn a_push_names_exactly_one_contact() {
        for items in ["", "<item/>", &ITEM.repeat(2)] {
            assert_eq!(push("", items), Err(PushError::Malformed));
        }
        let result: Element =
            "<iq xmlns='jabber:client' type='result' id='1'><query xmlns='jabber:iq:roster'/></iq>"
                .parse()
                .unwrap();
        assert_eq!(parse_push(&result, &own()), Ok(None));
    }

    #[test]
    fn changes_are_written_as_one_item() {
        let jid = BareJid::new("friend@c.example").unwrap();
        let item = parse_item(
            set(&jid, Some("F"), &["g".to_owned()])
                .children()
                .next()
                .unwrap(),
        )
        .unwrap();
        assert_eq!((item.name.as_deref(), item.groups.len()), (Some("F"), 1));
        let item = parse_item(remove(&jid).children().next().unwrap()).unwrap();
        assert_eq!(item.subscription, Subscription::Remove);
        assert_eq!(request(Some("")).attr("ver"), Some(""));
    }
}
