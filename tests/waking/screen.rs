//! What the user of a child sees: each line is something that was on the screen when it was written.

use std::time::{SystemTime, UNIX_EPOCH};

use eft::{Account, Content, Message};
use eft_tests::child::tell_parent;

/// Most that is posted at once.
const AT_ONCE: u32 = 64;

/// Microseconds on the clock that all processes of this machine share.
pub(crate) fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_micros()).unwrap()
}

/// Says what happened, and when.
pub(crate) fn say(line: &str) {
    tell_parent(&format!("{} {line}", now()));
}

/// How a message got onto the screen.
pub(crate) enum How {
    /// As a notification.
    Posted,
    /// In the app, when it came.
    Live,
    /// In the app, when it was opened.
    Drawn,
    /// Not at all: it stands in the history, which is looked at in the end.
    Kept,
}

pub(crate) fn show(how: How, message: &Message) {
    if message.outgoing {
        return;
    }
    let how = match how {
        How::Posted => "posted",
        How::Live => "live",
        How::Drawn => "drawn",
        How::Kept => "kept",
    };
    let text = match &message.content {
        Content::Text(text) => text.clone(),
        Content::Unreadable(why) => format!("UNREADABLE {why}"),
    };
    say(&format!("{how} {} {text}", message.id.as_row()));
}

/// Posts a notification for each message that the user is to be told of. Says so first, and lets the engine know then: a
/// process that dies in between posts it again.
pub(crate) async fn post_announcements(account: &Account) {
    while let Ok(messages) = account.announcements(AT_ONCE).await {
        if messages.is_empty() || !post(account, &messages).await {
            return;
        }
    }
}

/// Whether the engine knows of it now.
pub(crate) async fn post(account: &Account, messages: &[Message]) -> bool {
    for message in messages {
        show(How::Posted, message);
    }
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    account.announced(&ids).await.is_ok()
}
