//! Nodes of the account's own PEP service (XEP-0163): what they say comes from its bare address.

use super::super::state::{CONTACT, Cast};
use super::{Case, Play, Shows, impostors};

fn event(from: &str, node: &str, item: &str, payload: &str) -> String {
    format!(
        "<message type='headline' from='{from}' to='{{to}}'>\
         <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{node}'>\
         <item id='{item}'>{payload}</item></items></event></message>"
    )
}

/// A list of one device.
type ListOf = fn(u32) -> String;

pub(super) fn cases(cast: &Cast) -> Vec<Case> {
    let own = cast.own();
    let mut cases = Vec::new();
    let mut device: u32 = 70_000;
    let lists: [(&'static str, &str, ListOf); 2] = [
        ("device-list", "urn:xmpp:omemo:2:devices", |device| {
            format!("<devices xmlns='urn:xmpp:omemo:2'><device id='{device}'/></devices>")
        }),
        (
            "device-list-legacy",
            "eu.siacs.conversations.axolotl.devicelist",
            |device| {
                format!(
                    "<list xmlns='eu.siacs.conversations.axolotl'><device id='{device}'/></list>"
                )
            },
        ),
    ];
    for (kind, node, list) in lists {
        let mut add = |name: &str, from: &str, of: &str, is_honest: bool| {
            device += 1;
            cases.push(Case {
                id: format!("{kind}.{name}"),
                kind,
                is_honest,
                play: Play::Now(vec![event(from, node, "current", &list(device))]),
                shows: Shows::Device {
                    jid: of.to_owned(),
                    device,
                },
            });
        };
        for impostor in impostors(cast) {
            // A contact may change its own list; it is the account's that nobody else may touch.
            add(impostor.name, &impostor.jid, &own, false);
        }
        // A client of the contact is not the contact's service.
        add(
            "of-a-contact-by-its-client",
            &format!("{CONTACT}/phone"),
            CONTACT,
            false,
        );
        add("of-a-contact", CONTACT, CONTACT, true);
        add("own-account", &own, &own, true);
    }
    let room = |id: &str| format!("{}@rooms.example", id.replace('.', "-"));
    for impostor in impostors(cast)
        .into_iter()
        .map(|impostor| (impostor.name, impostor.jid, false))
        .chain([("own-account", own.clone(), true)])
    {
        let (name, from, is_honest) = impostor;
        let id = format!("bookmark.{name}");
        let jid = room(&id);
        cases.push(Case {
            kind: "bookmark",
            is_honest,
            play: Play::Now(vec![event(
                &from,
                "urn:xmpp:bookmarks:1",
                &jid,
                "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'/>",
            )]),
            shows: Shows::Room(jid),
            id,
        });
        let id = format!("displayed.{name}");
        cases.push(Case {
            kind: "displayed",
            is_honest,
            play: Play::Now(vec![event(
                &from,
                "urn:xmpp:mds:displayed:0",
                CONTACT,
                &format!(
                    "<displayed xmlns='urn:xmpp:mds:displayed:0'>\
                     <stanza-id xmlns='urn:xmpp:sid:0' by='{own}' id='{id}'/></displayed>"
                ),
            )]),
            shows: Shows::Displayed {
                jid: CONTACT.to_owned(),
                message: id.clone(),
            },
            id,
        });
    }
    cases
}
