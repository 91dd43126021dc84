//! Results of an archive (XEP-0313 §4.2): of the running query, from the archive that was asked, before its end.

use super::super::state::{Cast, Page};
use super::{Case, Play, Shows, impostors, message_in};

fn result(from: &str, query: &str, id: &str, inner: &str) -> String {
    let from = if from.is_empty() {
        String::new()
    } else {
        format!(" from='{from}'")
    };
    format!(
        "<message{from} to='{{to}}'><result xmlns='urn:xmpp:mam:2'{query} id='{id}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>\
         {inner}</forwarded></result></message>"
    )
}

pub(super) fn cases(cast: &Cast) -> Vec<Case> {
    const KIND: &str = "archive";
    const QUERY: &str = " queryid='{query}'";
    let own = cast.own();
    let mut cases = Vec::new();
    let mut add = |name: &str, is_honest: bool, play: &dyn Fn(&str) -> Play| {
        let id = format!("{KIND}.{name}");
        cases.push(Case {
            kind: KIND,
            is_honest,
            play: play(&id),
            shows: Shows::Text(id.clone()),
            id,
        });
    };
    let page = |stanza: String, last: &str| {
        Play::NextPage(Page {
            stanzas: vec![stanza],
            last: Some(last.to_owned()),
            is_complete: true,
            ..Page::default()
        })
    };
    for impostor in impostors(cast) {
        // Who guessed the id of the query: the worst case.
        add(impostor.name, false, &|id| {
            page(result(&impostor.jid, QUERY, id, &message_in(cast, id)), id)
        });
    }
    add("other-query", false, &|id| {
        page(
            result(&own, " queryid='another'", id, &message_in(cast, id)),
            id,
        )
    });
    add("no-query", false, &|id| {
        page(result(&own, "", id, &message_in(cast, id)), id)
    });
    add("behind-the-end", false, &|id| {
        Play::NextPage(Page {
            behind: vec![result(&own, QUERY, id, &message_in(cast, id))],
            is_complete: true,
            ..Page::default()
        })
    });
    add("unasked", false, &|id| {
        Play::Now(vec![result(
            &own,
            " queryid='1'",
            id,
            &message_in(cast, id),
        )])
    });
    add("unasked-contact", false, &|id| {
        let inner = message_in(cast, id);
        Play::Now(vec![result(super::CONTACT, " queryid='1'", id, &inner)])
    });
    add("own-account", true, &|id| {
        page(result(&own, QUERY, id, &message_in(cast, id)), id)
    });
    add("own-account-unnamed", true, &|id| {
        page(result("", QUERY, id, &message_in(cast, id)), id)
    });
    cases
}
