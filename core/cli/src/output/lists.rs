//! Conversations, what a push brought, what was left to be sent.

use std::io;

use eft::{BareJid, ConversationSummary, RebuiltAccount, WakeOutcome, WakeReason};
use serde_json::json;

use super::Output;
use super::text::printable;

impl Output {
    /// A line of the list of conversations.
    pub(crate) fn summary(self, summary: &ConversationSummary) -> io::Result<()> {
        let newest = summary.last_message.as_ref();
        let text = newest.and_then(|message| match &message.content {
            eft::Content::Text(text) => Some(text.as_str()),
            eft::Content::Unreadable(_) => None,
        });
        if self.json {
            return self.object(&json!({
                "event": "summary",
                "peer": summary.peer.as_str(),
                "unread": summary.unread_count,
                "newest": newest.map(|message| message.id.as_row()),
                "text": text,
            }));
        }
        let unread = match summary.unread_count {
            0 => String::new(),
            count => format!(" ({count} unread)"),
        };
        let first_line = text
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        self.line(&format!(
            "{}{unread}: {}",
            summary.peer,
            printable(first_line)
        ))
    }

    /// What a push brought.
    pub(crate) fn woken(self, outcome: &WakeOutcome) -> io::Result<()> {
        for message in &outcome.notifications {
            self.message("notification", message)?;
        }
        let (reason, text) = match &outcome.reason {
            WakeReason::CaughtUp => ("caught-up", "caught up".to_owned()),
            WakeReason::HeldElsewhere => (
                "held-elsewhere",
                "another program has the account open".to_owned(),
            ),
            WakeReason::Deadline => ("deadline", "the time was over".to_owned()),
            WakeReason::Failed(error) => (error.code(), error.to_string()),
            _ => ("other", "ended".to_owned()),
        };
        if self.json {
            return self.object(&json!({
                "event": "woken",
                "reason": reason,
                "complete": outcome.complete,
                "more": outcome.more,
                "badge": outcome.badge,
            }));
        }
        self.line(&format!(
            "-- {}; {} unread",
            printable(&text),
            outcome.badge
        ))
    }

    /// A file was written.
    pub(crate) fn exported(self, messages: u64) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": "exported", "messages": messages}))
        } else {
            self.line(&format!("{messages} message(s) exported"))
        }
    }

    /// A file was read.
    pub(crate) fn imported(self, conversations: usize) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": "imported", "conversations": conversations}))
        } else {
            self.line(&format!("{conversations} conversation(s) imported"))
        }
    }

    /// The next login is with another password.
    pub(crate) fn password_set(self, me: &BareJid) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": "password-set", "jid": me.as_str()}))
        } else {
            self.line(&format!("{me} logs in with this password from now on"))
        }
    }

    /// A database was put in the place of another.
    pub(crate) fn rebuilt(self, rebuilt: &RebuiltAccount) -> io::Result<()> {
        let (saved, gaps) = (rebuilt.message_count, rebuilt.gap_count);
        let set_aside = rebuilt.set_aside.display().to_string();
        if self.json {
            return self.object(&json!({
                "event": "rebuilt",
                "messages": saved,
                "gaps": gaps,
                "device": rebuilt.account.device_id().as_u32(),
                "fingerprint": rebuilt.account.fingerprint().to_string(),
                "set_aside": set_aside,
            }));
        }
        let missing = match gaps {
            0 => "nothing is known to be missing".to_owned(),
            _ => format!("{gaps} place(s) could not be read"),
        };
        self.line(&format!("{saved} message(s) saved, {missing}"))?;
        self.line(&format!("the old database: {}", printable(&set_aside)))?;
        self.line(&format!(
            "this is a new device now, with the fingerprint {}",
            rebuilt.account.fingerprint()
        ))
    }

    /// Lines were left for the program that has the account.
    pub(crate) fn left(self, count: usize) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": "left", "count": count}))
        } else {
            self.line(&format!("{count} line(s) left to be sent"))
        }
    }
}
