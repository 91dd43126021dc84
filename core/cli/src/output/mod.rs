//! What the program prints: lines for a person, or JSON objects for a script.

use std::io::{self, Write as _};

use eft::{BareJid, Content, Delivery, DeviceInfo, Message, OptOut, Trust};
use serde_json::{Value, json};

mod chat;
mod lists;
mod push;
mod report;
mod text;

use crate::conversation::Standing;
use text::{clock, printable};

/// Messages without an answer from which on a device is said to be silent: twice the number after which one that is read
/// answers by itself.
const WORTH_TELLING: u32 = 106;

/// Prints in one of the two forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// One line to standard output, and out of it at once: the other end may be a script that waits for it.
    ///
    /// Every error here is one of standard output itself, most often that its reader is gone.
    fn line(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    fn object(self, object: &Value) -> io::Result<()> {
        self.line(&object.to_string())
    }

    /// The reason why the program ends. Goes to standard error, in JSON mode to standard output.
    pub(crate) fn failure(self, failure: &(dyn std::error::Error + 'static)) {
        let reason = failure.to_string();
        // Nobody is left to be told when this cannot be written either.
        let _ = if self.json {
            let code = failure.downcast_ref::<eft::Error>().map(eft::Error::code);
            self.object(&json!({"event": "failed", "code": code, "reason": reason}))
        } else {
            writeln!(io::stderr(), "eft: {}", printable(&reason))
        };
    }

    /// Advice for a person at a terminal.
    pub(crate) fn hint(self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "eft: {text}");
        }
    }

    /// How things stand with somebody.
    pub(crate) fn conversation(self, peer: &BareJid, standing: &Standing) -> io::Result<()> {
        let opt_out = standing.opt_out.as_ref();
        if self.json {
            return self.object(&json!({
                "event": "conversation",
                "peer": peer.as_str(),
                "opted_out": opt_out.is_some(),
                "reason": opt_out.and_then(|opt_out| opt_out.reason.as_deref()),
                "separate_versions": standing.separate_versions,
                "resent": standing.resent_count,
            }));
        }
        match opt_out {
            Some(opt_out) => self.line(&format!(
                "{}; --keep-encrypted goes on all the same",
                wish(peer, opt_out)
            ))?,
            None => self.line(&format!("{peer}: messages are encrypted"))?,
        }
        if standing.separate_versions {
            self.line("each OMEMO version goes in a stanza of its own")?;
        }
        match standing.resent_count {
            0 => Ok(()),
            count => self.line(&format!("{count} line(s) queued again for the next chat")),
        }
    }

    /// Messages that are not here yet.
    pub(crate) fn gap(self) -> io::Result<()> {
        match self.json {
            true => self.object(&json!({"event": "gap"})),
            false => self.line("-- messages are missing here: they come with the next connection"),
        }
    }

    /// One message of a timeline.
    pub(crate) fn message(self, event: &str, message: &Message) -> io::Result<()> {
        let (text, unreadable) = match &message.content {
            Content::Text(text) => (Some(text.as_str()), None),
            Content::Unreadable(why) => (None, Some(why)),
        };
        let device = message.sender_device.map(eft::DeviceId::as_u32);
        if self.json {
            return self.object(&json!({
                "event": event,
                "id": message.id.as_row(),
                "origin_id": message.origin_id.as_ref().map(eft::OriginId::as_str),
                "from": message.sender.as_str(),
                "conversation": message.conversation.as_str(),
                "device": device,
                "outgoing": message.outgoing,
                "encryption": message.encryption.name(),
                "sent_at_ms": message.sent_at.as_millis(),
                "text": text,
                "unreadable": unreadable.map(eft::Unreadable::code),
                "delivery": message.delivery.as_ref().map(delivery_name),
                "failure": message.delivery.as_ref().and_then(failure_reason),
            }));
        }
        let device = device.map_or_else(String::new, |id| format!("device {id}, "));
        let body = match (text, unreadable) {
            (Some(text), _) => printable(text),
            (None, Some(why)) => format!("[could not be read: {why}]"),
            (None, None) => String::new(),
        };
        self.line(&format!(
            "{} {} ({device}{}): {body}",
            clock(message.sent_at),
            message.sender,
            message.encryption.name(),
        ))
    }

    /// One device of an account.
    pub(crate) fn device(self, event: &str, device: &DeviceInfo) -> io::Result<()> {
        let fingerprint = device.fingerprint.as_ref().map(ToString::to_string);
        if self.json {
            return self.object(&json!({
                "event": event,
                "jid": device.address.jid.as_str(),
                "device": device.address.device.as_u32(),
                "trust": device.trust.name(),
                "listed": device.listed,
                "this": device.this_device,
                "label": device.label,
                "fingerprint": fingerprint,
                "unanswered": device.unanswered_count,
            }));
        }
        let what = match event {
            "device-appeared" => "-- new device: ",
            _ => "",
        };
        let silence = match device.unanswered_count {
            count @ WORTH_TELLING.. => format!(" (silent for {count} messages)"),
            _ => String::new(),
        };
        self.line(&format!(
            "{what}{} device {}{}{}{silence}: {}  {}",
            device.address.jid,
            device.address.device,
            if device.this_device {
                " (this one)"
            } else {
                ""
            },
            if device.listed {
                ""
            } else {
                " (no longer listed)"
            },
            device.trust.name(),
            fingerprint
                .as_deref()
                .unwrap_or("fingerprint not known yet"),
        ))
    }

    /// A decision about a key that no device has shown yet.
    pub(crate) fn unseen(self, jid: &BareJid, fingerprint: &str, trust: Trust) -> io::Result<()> {
        if self.json {
            self.object(&json!({
                "event": "trust", "jid": jid.as_str(), "device": null, "trust": trust.name(),
                "fingerprint": fingerprint,
            }))
        } else {
            self.line(&format!(
                "{jid} no device so far: {}  {fingerprint}",
                trust.name()
            ))
        }
    }

    /// The fingerprint of this device.
    pub(crate) fn fingerprint(
        self,
        jid: &BareJid,
        device: u32,
        fingerprint: &str,
    ) -> io::Result<()> {
        if self.json {
            self.object(&json!({
                "event": "fingerprint", "jid": jid.as_str(), "device": device, "fingerprint": fingerprint,
            }))
        } else {
            self.line(&format!("{jid} device {device}: {fingerprint}"))
        }
    }
}

fn wish(peer: &BareJid, opt_out: &OptOut) -> String {
    let reason = match &opt_out.reason {
        Some(reason) => format!(": {}", printable(reason)),
        None => String::new(),
    };
    format!("{peer} wishes no more encrypted messages{reason}")
}

/// Stable name of a delivery state.
const fn delivery_name(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "queued",
        Delivery::Encrypted => "encrypted",
        Delivery::Sent => "sent",
        Delivery::Acked => "acked",
        Delivery::Delivered => "delivered",
        Delivery::Displayed => "displayed",
        Delivery::Failed { .. } => "failed",
    }
}

/// Stable code of why a message will not be sent.
const fn failure_reason(delivery: &Delivery) -> Option<&str> {
    match delivery {
        Delivery::Failed { reason } => Some(reason.as_str()),
        _ => None,
    }
}
