//! XEP-0297: a stanza inside a stanza.

use super::delay::Delay;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// A forwarded message. Whoever wrapped it could have written anything: check the wrapper first.
#[derive(Clone, Debug, PartialEq)]
pub struct Forwarded {
    /// When it was first sent, according to the wrapper.
    pub delay: Option<Delay>,
    /// The message.
    pub message: Element,
}

impl Forwarded {
    /// Reads `<forwarded/>` inside `parent`. `None` unless it holds exactly one `<message/>`.
    #[must_use]
    pub fn find(parent: &Element) -> Option<Self> {
        let (message, delay) = Self::look(parent)?;
        Some(Self {
            delay,
            message: message.clone(),
        })
    }

    /// The same, where it stands.
    pub(super) fn look(parent: &Element) -> Option<(&Element, Option<Delay>)> {
        let forwarded = parent.get_child("forwarded", ns::FORWARD)?;
        let mut messages = forwarded
            .children()
            .filter(|child| child.is("message", ns::CLIENT));
        let message = messages.next()?;
        if messages.next().is_some() {
            return None;
        }
        Some((message, forwarded.children().find_map(Delay::parse)))
    }

    /// `<forwarded/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        element("forwarded", ns::FORWARD)
            .with_child_if(self.delay.as_ref().map(Delay::to_element))
            .with_child(self.message.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eft_types::Timestamp;

    #[test]
    fn a_forwarded_message_survives_a_round_trip() {
        let forwarded = Forwarded {
            delay: Some(Delay {
                stamp: Timestamp::from_millis(5),
                from: None,
            }),
            message: "<message xmlns='jabber:client' id='1'/>".parse().unwrap(),
        };
        let parent = element("x", "n").with_child(forwarded.to_element());
        assert_eq!(Forwarded::find(&parent), Some(forwarded));
    }

    #[test]
    fn none_or_two_messages_are_refused() {
        for inner in [
            "",
            "<message xmlns='jabber:server'/>",
            "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>",
        ] {
            let parent: Element = format!(
                "<x xmlns='n'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></x>"
            )
            .parse()
            .unwrap();
            assert_eq!(Forwarded::find(&parent), None);
        }
        assert_eq!(Forwarded::find(&element("x", "n")), None);
    }
}
