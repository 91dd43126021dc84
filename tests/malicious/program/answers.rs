//! Answers to what an honest client asks: enough of a server to be online.

use std::time::SystemTime;

use eft_xmpp::Element;
use eft_xmpp::ns;
use eft_xmpp::xml::encode_element;

use super::state::State;

const PUBSUB_FEATURES: [&str; 6] = [
    "urn:xmpp:mam:2",
    "http://jabber.org/protocol/pubsub#publish",
    "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#multi-items",
    "urn:xmpp:blocking",
];

/// Everything that is said in answer to a request, in order.
pub(crate) fn answers(state: &mut State, iq: &Element) -> Vec<String> {
    let id = iq.attr("id").unwrap_or_default();
    let Some(payload) = iq.children().next() else {
        return Vec::new();
    };
    if !matches!(iq.attr("type"), Some("get" | "set")) {
        return Vec::new();
    }
    let from = iq
        .attr("to")
        .map(|to| format!(" from='{to}'"))
        .unwrap_or_default();
    let result = |payload: &str| format!("<iq type='result' id='{id}'{from}>{payload}</iq>");
    let missing = || {
        format!(
            "<iq type='error' id='{id}'{from}><error type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    match (payload.name(), payload.ns().as_str()) {
        ("query", ns::ROSTER) => {
            let items: String = state
                .contacts
                .iter()
                .map(|jid| format!("<item jid='{jid}' subscription='both'/>"))
                .collect();
            vec![result(&format!(
                "<query xmlns='jabber:iq:roster'>{items}</query>"
            ))]
        }
        ("query", ns::DISCO_INFO) => {
            let features: String = PUBSUB_FEATURES
                .iter()
                .map(|feature| format!("<feature var='{feature}'/>"))
                .collect();
            vec![result(&format!(
                "<query xmlns='{}'><identity category='pubsub' type='pep'/>{features}</query>",
                ns::DISCO_INFO
            ))]
        }
        ("query", ns::MAM) => {
            state.queries_at.push(micros());
            if state.is_holding {
                state.held = Some(iq.clone());
                return Vec::new();
            }
            page(state, payload, &result).unwrap_or_else(|| vec![missing()])
        }
        ("pubsub", ns::PUBSUB) => {
            let owner = iq
                .attr("to")
                .map_or_else(|| state.cast.own(), str::to_owned);
            let owner = owner.split('/').next().unwrap_or_default().to_owned();
            vec![pubsub(state, owner, payload).map_or_else(missing, |answer| result(&answer))]
        }
        ("pubsub", ns::PUBSUB_OWNER) => vec![missing()],
        ("blocklist", _) => vec![result("<blocklist xmlns='urn:xmpp:blocking'/>")],
        ("ping" | "enable" | "session", _) => vec![result("")],
        _ => vec![format!(
            "<iq type='error' id='{id}'{from}><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )],
    }
}

/// `None`: the query names a message that is not there.
fn page(
    state: &mut State,
    query: &Element,
    result: &dyn Fn(&str) -> String,
) -> Option<Vec<String>> {
    let page = match state.pages.front() {
        Some(page) if page.is_endless => page.clone(),
        Some(_) => state.pages.pop_front().unwrap_or_default(),
        None => state.archive.page(query)?,
    };
    let query = query.attr("queryid").unwrap_or_default();
    let filled = |text: &String| text.replace("{query}", query);
    let set = page.last.as_ref().map_or(String::new(), |last| {
        format!(
            "<set xmlns='{}'><first>{last}</first><last>{last}</last></set>",
            ns::RSM
        )
    });
    let fin = format!(
        "<fin xmlns='urn:xmpp:mam:2' complete='{}'>{set}</fin>",
        page.is_complete
    );
    let stanzas = page.stanzas.iter().map(filled);
    let behind = page.behind.iter().map(filled);
    Some(stanzas.chain([result(&fin)]).chain(behind).collect())
}

/// `None`: there is no such thing.
fn pubsub(state: &mut State, owner: String, payload: &Element) -> Option<String> {
    let child = payload.children().next()?;
    let node = child.attr("node")?.to_owned();
    let key = (owner, node.clone());
    match child.name() {
        "publish" => {
            let item = child.children().next()?;
            let id = item.attr("id").unwrap_or("current").to_owned();
            let content = item.children().next()?.clone();
            state.nodes.insert(key, (id, content));
            Some(format!(
                "<pubsub xmlns='{}'><publish node='{node}'/></pubsub>",
                ns::PUBSUB
            ))
        }
        "items" => {
            let (id, content) = state.nodes.get(&key)?;
            let content = encode_element(content).ok()?;
            Some(format!(
                "<pubsub xmlns='{}'><items node='{node}'><item id='{id}'>{content}</item></items></pubsub>",
                ns::PUBSUB
            ))
        }
        "subscribe" => Some(format!(
            "<pubsub xmlns='{}'><subscription node='{node}' jid='{}' subscription='subscribed'/></pubsub>",
            ns::PUBSUB,
            state.cast.own()
        )),
        _ => None,
    }
}

/// Now, in microseconds since 1970.
fn micros() -> u64 {
    let passed = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
}
