//! Copies of messages of the account's other clients (XEP-0280 §11): from its own bare address only.

use super::super::state::{CONTACT, Cast, STRANGER};
use super::{Case, Play, Shows, impostors, message_in, message_out};

fn carbon(from: &str, wrapper: &str, inner: &str) -> String {
    format!(
        "<message type='chat' from='{from}' to='{{to}}'><{wrapper} xmlns='urn:xmpp:carbons:2'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></{wrapper}></message>"
    )
}

pub(super) fn cases(cast: &Cast) -> Vec<Case> {
    let own = cast.own();
    let mut cases = Vec::new();
    for (kind, wrapper, message) in [
        (
            "carbon-received",
            "received",
            message_in as fn(&Cast, &str) -> String,
        ),
        ("carbon-sent", "sent", message_out),
    ] {
        let mut add = |name: &str, is_honest: bool, stanza: &dyn Fn(&str) -> String| {
            let id = format!("{kind}.{name}");
            cases.push(Case {
                kind,
                is_honest,
                play: Play::Now(vec![stanza(&id)]),
                shows: Shows::Text(id.clone()),
                id,
            });
        };
        for impostor in impostors(cast) {
            add(impostor.name, false, &|id| {
                carbon(&impostor.jid, wrapper, &message(cast, id))
            });
        }
        add("both-wrappers", false, &|id| {
            let inner = message(cast, id);
            let copy = |name: &str| {
                format!(
                    "<{name} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}\
                     </forwarded></{name}>"
                )
            };
            let (sent, received) = (copy("sent"), copy("received"));
            format!("<message type='chat' from='{own}' to='{{to}}'>{sent}{received}</message>")
        });
        add("copy-of-a-copy", false, &|id| {
            carbon(&own, wrapper, &carbon(CONTACT, wrapper, &message(cast, id)))
        });
        add("of-strangers", false, &|id| {
            let inner = message(cast, id).replace(&own, STRANGER);
            carbon(&own, wrapper, &inner)
        });
        add("own-account", true, &|id| {
            carbon(&own, wrapper, &message(cast, id))
        });
    }
    cases
}
