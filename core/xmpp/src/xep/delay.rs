//! XEP-0203: delayed delivery.

use eft_types::{Jid, Timestamp};

use super::datetime;
use crate::xml::{ElementExt, element};
use crate::{Element, address, ns};

/// When a stanza was first sent, according to whoever delayed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// When.
    pub stamp: Timestamp,
    /// Who says so. Anyone can write this; believe it only inside what a trusted party wrapped, or
    /// when the stanza came from that party.
    pub from: Option<Jid>,
}

impl Delay {
    /// `<delay/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        element("delay", ns::DELAY)
            .with_attr_if("from", self.from.as_ref().map(Jid::as_str))
            .with_attr("stamp", datetime::format(self.stamp))
    }

    /// Reads `<delay/>`; `None` if it is something else or its stamp is no time.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("delay", ns::DELAY) {
            return None;
        }
        Some(Self {
            stamp: datetime::parse(element.attr("stamp")?)?,
            from: element
                .attr("from")
                .and_then(|from| address::jid(from).ok()),
        })
    }

    /// The delay that `by` put into a stanza: our server for an offline message, a room for its
    /// history.
    #[must_use]
    pub fn find(stanza: &Element, by: &Jid) -> Option<Self> {
        stanza
            .children()
            .filter_map(Self::parse)
            .find(|delay| delay.from.as_ref() == Some(by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_found_by_its_author() {
        let stanza: Element = "<message xmlns='jabber:client'>\
            <delay xmlns='urn:xmpp:delay' from='evil.example' stamp='1999-01-01T00:00:00Z'/>\
            <delay xmlns='urn:xmpp:delay' stamp='1998-01-01T00:00:00Z'/>\
            <delay xmlns='urn:xmpp:delay' from='b.example' stamp='2026-01-01T00:00:00Z'>Offline</delay></message>"
            .parse()
            .unwrap();
        let server = Jid::new("b.example").unwrap();
        let delay = Delay::find(&stanza, &server).unwrap();
        assert_eq!(datetime::format(delay.stamp), "2026-01-01T00:00:00.000Z");
        assert_eq!(Delay::parse(&delay.to_element()), Some(delay));
        assert_eq!(Delay::find(&stanza, &Jid::new("c.example").unwrap()), None);
    }

    #[test]
    fn a_delay_without_a_time_is_none() {
        for text in [
            "<delay xmlns='urn:xmpp:delay'/>",
            "<delay xmlns='urn:xmpp:delay' stamp='x'/>",
            "<delay xmlns='jabber:x:delay' stamp='2026-01-01T00:00:00Z'/>",
        ] {
            assert_eq!(Delay::parse(&text.parse().unwrap()), None);
        }
    }
}
