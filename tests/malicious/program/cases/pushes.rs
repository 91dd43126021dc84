//! Changes of lists that the server keeps for the account: from itself only (RFC 6121 §2.1.6, XEP-0191 §3.2).

use super::super::state::Cast;
use super::{Case, Play, Shows, impostors};

fn iq(from: &str, id: &str, payload: &str) -> String {
    let from = if from.is_empty() {
        String::new()
    } else {
        format!(" from='{from}'")
    };
    format!("<iq type='set'{from} to='{{to}}' id='{id}'>{payload}</iq>")
}

/// An address that only this case names.
fn named(id: &str) -> String {
    format!("{}@forged.example", id.replace('.', "-"))
}

/// The change, for an address.
type PayloadFor = fn(&str) -> String;
/// Where the address is then seen.
type ShownAs = fn(String) -> Shows;

pub(super) fn cases(cast: &Cast) -> Vec<Case> {
    let own = cast.own();
    let mut cases = Vec::new();
    let kinds: [(&'static str, PayloadFor, ShownAs); 2] = [
        (
            "roster-push",
            |jid| {
                format!(
                    "<query xmlns='jabber:iq:roster'><item jid='{jid}' subscription='both'/></query>"
                )
            },
            Shows::Contact,
        ),
        (
            "block-push",
            |jid| format!("<block xmlns='urn:xmpp:blocking'><item jid='{jid}'/></block>"),
            Shows::Blocked,
        ),
    ];
    for (kind, payload, shows) in kinds {
        let mut add = |name: &str, from: &str, is_honest: bool| {
            let id = format!("{kind}.{name}");
            let jid = named(&id);
            cases.push(Case {
                kind,
                is_honest,
                play: Play::Now(vec![iq(from, &id, &payload(&jid))]),
                shows: shows(jid),
                id,
            });
        };
        for impostor in impostors(cast) {
            add(impostor.name, &impostor.jid, false);
        }
        add("own-account", &own, true);
        add("own-account-unnamed", "", true);
    }
    cases
}
