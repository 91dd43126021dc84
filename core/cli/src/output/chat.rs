//! What happens in a chat.

use std::io;

use eft::{
    BareJid, CatchUpProgress, ConnectionState, Delivery, Event, Message, OptOut, SessionInfo,
};
use serde_json::json;

use super::text::printable;
use super::{Output, wish};

impl Output {
    /// Something that happened in a chat.
    pub(crate) fn event(self, event: &Event) -> io::Result<()> {
        match event {
            Event::MessageReceived(message) => self.message("message", message),
            Event::MessageChanged(message) => self.changed(message),
            Event::ConnectionChanged(state) => self.connection(state),
            Event::CatchUpProgressed(progress) => self.catch_up(*progress),
            Event::DeviceAppeared { device } => self.device("device-appeared", device),
            Event::DeviceVanished { jid, device } => self.note(
                "device-vanished",
                jid.as_str(),
                *device,
                "is no longer listed",
            ),
            Event::DeviceDowngraded { jid, device } => self.note(
                "device-downgraded",
                jid.as_str(),
                *device,
                "is listed for legacy OMEMO only now; nothing is sent to it",
            ),
            Event::IdentityChanged { jid, device } => self.note(
                "identity-changed",
                jid.as_str(),
                *device,
                "shows another identity key than before; nothing of it is accepted",
            ),
            Event::OptedOut { jid, opt_out } => self.opted_out(jid, opt_out),
            Event::RolledBack if self.json => self.object(&json!({"event": "rolled-back"})),
            Event::RolledBack => {
                self.line("-- a backup was put back: new encryption sessions are being made")
            }
            Event::Reset if self.json => self.object(&json!({"event": "reset"})),
            _ => Ok(()),
        }
    }

    fn note(self, event: &str, jid: &str, device: u32, text: &str) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": event, "jid": jid, "device": device}))
        } else {
            self.line(&format!("-- device {device} of {jid} {text}"))
        }
    }

    fn opted_out(self, jid: &BareJid, opt_out: &OptOut) -> io::Result<()> {
        if self.json {
            return self.object(
                &json!({"event": "opted-out", "jid": jid.as_str(), "reason": opt_out.reason}),
            );
        }
        self.line(&format!("-- {}", wish(jid, opt_out)))?;
        self.line(&format!(
            "-- nothing is sent until you say: eft conversation --keep-encrypted YOU {jid}"
        ))
    }

    fn connection(self, state: &ConnectionState) -> io::Result<()> {
        let (name, error) = match state {
            ConnectionState::Connecting => ("connecting", None),
            ConnectionState::Online => ("online", None),
            ConnectionState::Offline { error, .. } => ("offline", Some(error)),
            ConnectionState::Disconnected => ("disconnected", None),
        };
        match error {
            Some(error) if self.json => self
                .object(&json!({"event": name, "code": error.code(), "reason": error.to_string()})),
            None if self.json => self.object(&json!({"event": name})),
            Some(error) => self.line(&format!("-- {name}: {}", printable(&error.to_string()))),
            None => self.line(&format!("-- {name}")),
        }
    }

    fn catch_up(self, progress: CatchUpProgress) -> io::Result<()> {
        if self.json {
            self.object(&json!({
                "event": "catch-up",
                "received": progress.received_count,
                "complete": progress.complete,
                "gap": progress.gap_is_open,
            }))
        } else if progress.complete && progress.received_count > 0 {
            self.line(&format!(
                "-- caught up, {} from the archive",
                progress.received_count
            ))
        } else {
            Ok(())
        }
    }

    fn changed(self, message: &Message) -> io::Result<()> {
        if self.json {
            self.message("changed", message)
        } else if let Some(Delivery::Failed { reason }) = &message.delivery {
            self.line(&format!("-- not sent: {reason}"))
        } else {
            Ok(())
        }
    }

    /// A line of standard input that cannot become a message.
    pub(crate) fn refused(self, error: &eft::Error) -> io::Result<()> {
        if self.json {
            self.object(
                &json!({"event": "refused", "code": error.code(), "reason": error.to_string()}),
            )
        } else {
            self.line(&format!("-- not sent: {error}"))
        }
    }

    /// The program was asked to end while lines were on their way.
    pub(crate) fn left_queued(self, count: usize) -> io::Result<()> {
        if self.json {
            self.object(&json!({"event": "interrupted", "queued": count}))
        } else if count > 0 {
            self.line(&format!("-- {count} line(s) stay queued for the next chat"))
        } else {
            Ok(())
        }
    }

    /// The account is connected, and how that was done.
    pub(crate) fn online(self, session: Option<SessionInfo>) -> io::Result<()> {
        let is_resumed = session.is_some_and(|session| session.is_resumed);
        if self.json {
            let by_token = session.is_some_and(|session| session.by_token);
            self.object(&json!({"event": "online", "resumed": is_resumed, "by_token": by_token}))
        } else {
            self.line("-- online")
        }
    }
}
