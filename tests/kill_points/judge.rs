//! What has to be true after a round.

use std::collections::BTreeMap;

use eft::{Content, Message};
use eft_tests::soak::difference;

fn texts<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<String> {
    let text = |message: &Message| match &message.content {
        Content::Text(text) => text.clone(),
        Content::Unreadable(why) => format!("UNREADABLE {why}"),
    };
    messages.into_iter().map(text).collect()
}

/// `said`: what the process that was killed said, in all its lives. `written`: what the phone wrote. `history`, `heard`:
/// what stands on the phone in the end, and what it was told of.
pub(crate) fn judge(
    said: &[String],
    written: &[String],
    history: &[Message],
    heard: &[Message],
) -> Vec<String> {
    let mut faults = Vec::new();
    let after = |word: &str| -> Vec<String> {
        let rest = said.iter().filter_map(|line| line.strip_prefix(word));
        rest.map(str::to_owned).collect()
    };
    for line in said {
        if line == "rolled-back" || line.contains("UNREADABLE") || line.contains("row unsettled") {
            faults.push(line.clone());
        }
    }
    let mut compare = |what: &str, found: &[String], expected: &[String]| {
        if found != expected {
            faults.push(difference(what, found, expected));
        }
    };
    // Between the two devices: the same, once, in the same order.
    compare("shown to the process", &after("row received "), written);
    let sent = after("row acked ");
    let arrived = texts(history.iter().filter(|row| !row.outgoing));
    compare("shown to the phone", &arrived, &sent);
    compare("told to the phone", &texts(heard), &sent);
    // A process that dies between the commit and the telling tells nothing: its app finds the rows. None is told twice.
    let mut told = BTreeMap::<String, u32>::new();
    for text in after("told ") {
        *told.entry(text).or_default() += 1;
    }
    for (text, count) in told {
        if count > 1 {
            faults.push(format!("told {count} times: {text}"));
        }
        if !written.contains(&text) {
            faults.push(format!("nobody wrote {text}"));
        }
    }
    for text in after("queued ").into_iter().chain(after("acked ")) {
        if !sent.contains(&text) {
            faults.push(format!("lost: {text}"));
        }
    }
    faults
}
