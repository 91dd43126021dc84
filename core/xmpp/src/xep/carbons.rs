//! XEP-0280: copies of what our other clients send and receive.

use eft_types::{BareJid, Jid};

use super::delay::Delay;
use super::forward::Forwarded;
use super::message::{MessageHead, MessageKind};
use super::text::is_from_account;
use crate::xml::element;
use crate::{Element, ns};

/// Payload of the `set` that turns carbons on for this session.
#[must_use]
pub fn enable() -> Element {
    element("enable", ns::CARBONS)
}

/// Keeps a message from being copied. A `no-copy` hint belongs beside it.
#[must_use]
pub fn private() -> Element {
    element("private", ns::CARBONS)
}

/// Which way the copied message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Another client of ours sent it.
    Sent,
    /// It came to another client of ours.
    Received,
}

/// A copy. Session addresses are those of the inner message, never of the wrapper.
#[derive(Clone, Debug, PartialEq)]
pub struct Carbon {
    /// Which way it went.
    pub direction: Direction,
    /// When, if the server says.
    pub delay: Option<Delay>,
    /// The message.
    pub message: Element,
}

/// Why something that looks like a copy is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarbonError {
    /// The wrapper does not come from our own account: CVE-2017-5589 and its family.
    #[error("carbon copy from somebody else")]
    Forged,
    /// The inner message has nothing to do with us, or is no message, or a room's.
    #[error("malformed carbon copy")]
    Malformed,
}

/// Unwraps a copy. `Ok(None)` if `stanza` is none.
///
/// # Errors
/// [`CarbonError`]: ignore the stanza as a whole, its other children included.
pub fn unwrap(stanza: &Element, own: &BareJid) -> Result<Option<Carbon>, CarbonError> {
    let received = stanza.get_child("received", ns::CARBONS);
    let sent = stanza.get_child("sent", ns::CARBONS);
    let (direction, wrapper) = match (received, sent) {
        (None, None) => return Ok(None),
        (Some(wrapper), None) => (Direction::Received, wrapper),
        (None, Some(wrapper)) => (Direction::Sent, wrapper),
        (Some(_), Some(_)) => return Err(CarbonError::Malformed),
    };
    // §11 asks for the bare address; a copy without `from` is not foreseen there.
    if stanza.attr("from").is_none()
        || !is_from_account(stanza, own)
        || !stanza.is("message", ns::CLIENT)
    {
        return Err(CarbonError::Forged);
    }
    let Forwarded { delay, message } = Forwarded::find(wrapper).ok_or(CarbonError::Malformed)?;
    let head = MessageHead::parse(&message).ok_or(CarbonError::Malformed)?;
    let ours = match direction {
        Direction::Sent => head.from.as_ref(),
        Direction::Received => head.to.as_ref(),
    };
    // Rooms are not copied (§6.1). A copied copy would be a second wrapper to check.
    if ours.map(Jid::to_bare).as_ref() != Some(own)
        || head.kind == MessageKind::Groupchat
        || message
            .children()
            .any(|child| child.has_ns(ns::CARBONS) && child.name() != "private")
    {
        return Err(CarbonError::Malformed);
    }
    Ok(Some(Carbon {
        direction,
        delay,
        message,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carbon(from: &str, kind: &str, inner: &str) -> Result<Option<Carbon>, CarbonError> {
        let text = format!(
            "<message xmlns='jabber:client' {from} to='me@b.example/phone'><{kind} xmlns='urn:xmpp:carbons:2'>\
             <forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></{kind}></message>"
        );
        unwrap(
            &text.parse().unwrap(),
            &BareJid::new("me@b.example").unwrap(),
        )
    }

    const SENT: &str = "<message xmlns='jabber:client' from='me@b.example/desk' to='friend@c.example' type='chat'><body>hi</body></message>";
    const RECEIVED: &str = "<message xmlns='jabber:client' from='friend@c.example/x' to='me@b.example/desk' type='chat'><body>hi</body></message>";

    #[test]
    fn copies_from_our_account_are_unwrapped() {
        let sent = carbon("from='me@b.example'", "sent", SENT)
            .unwrap()
            .unwrap();
        assert_eq!(sent.direction, Direction::Sent);
        assert_eq!(sent.message.attr("to"), Some("friend@c.example"));
        let received = carbon("from='me@b.example'", "received", RECEIVED)
            .unwrap()
            .unwrap();
        assert_eq!(received.direction, Direction::Received);
        let no_carbon: Element = SENT.parse().unwrap();
        assert_eq!(
            unwrap(&no_carbon, &BareJid::new("me@b.example").unwrap()),
            Ok(None)
        );
    }

    #[test]
    fn forged_wrappers_are_refused() {
        for from in [
            "",
            "from='evil@c.example'",
            "from='b.example'",
            "from='me@b.example/desk'",
            "from='me@b.example/phone'",
            "from='me@b.example.evil.example'",
            "from='friend@c.example'",
            "from='mе@b.example'",
            "from='not a jid@@'",
        ] {
            for (kind, inner) in [("sent", SENT), ("received", RECEIVED)] {
                assert_eq!(
                    carbon(from, kind, inner),
                    Err(CarbonError::Forged),
                    "{from}"
                );
            }
        }
    }

    #[test]
    fn copies_that_do_not_concern_us_are_refused() {
        for (kind, inner) in [
            ("sent", RECEIVED),
            ("received", SENT),
            ("sent", ""),
            ("sent", "<message xmlns='jabber:client'/>"),
            (
                "received",
                "<message xmlns='jabber:client' type='groupchat' from='r@m/x' to='me@b.example/desk'/>",
            ),
            (
                "received",
                "<message xmlns='jabber:client' from='a@b' to='me@b.example'><sent xmlns='urn:xmpp:carbons:2'/></message>",
            ),
            (
                "received",
                "<presence xmlns='jabber:client' from='a@b' to='me@b.example'/>",
            ),
        ] {
            assert_eq!(
                carbon("from='me@b.example'", kind, inner),
                Err(CarbonError::Malformed),
                "{inner}"
            );
        }
    }
}
