//! Names that the archive gives to messages (XEP-0359 §5): only the account's own archive can.

use super::super::state::{CONTACT, Cast};
use super::{Case, Play, Shows, impostors};

fn message(id: &str, text: &str, by: Option<&str>) -> String {
    let by = by.map(|by| format!(" by='{by}'")).unwrap_or_default();
    // The sender's own ids differ: the archive's name is all that the two have in common.
    format!(
        "<message type='chat' from='{CONTACT}/phone' to='{{to}}' id='{text}'><body>{text}</body>\
         <stanza-id xmlns='urn:xmpp:sid:0'{by} id='{id}'/></message>"
    )
}

pub(super) fn cases(cast: &Cast) -> Vec<Case> {
    const KIND: &str = "stanza-id";
    let own = cast.own();
    let mut cases = Vec::new();
    let mut add = |name: &str, by: Option<&str>, is_honest: bool| {
        let id = format!("{KIND}.{name}");
        cases.push(Case {
            kind: KIND,
            is_honest,
            // The first takes the name of the second, which is then taken for known.
            play: Play::Now(vec![
                message(&id, &format!("{id}.before"), by),
                message(&id, &id, Some(&own)),
            ]),
            shows: Shows::Hides(id.clone()),
            id,
        });
    };
    for impostor in impostors(cast) {
        add(impostor.name, Some(&impostor.jid), false);
    }
    add("nobody", None, false);
    add("own-account", Some(&own), true);
    cases
}
