//! RFC 6121 §3 and §4: presence and subscriptions.

use eft_types::{BareJid, Jid};

use super::caps::Caps;
use super::text::jid_attr;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// What a presence stanza says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PresenceKind {
    /// There. No `type` attribute.
    Available,
    /// Gone.
    Unavailable,
    /// Asks to see the other's presence.
    Subscribe,
    /// Allows it.
    Subscribed,
    /// Stops seeing it.
    Unsubscribe,
    /// Denies it, or takes it back.
    Unsubscribed,
    /// A server asks for the current one.
    Probe,
    /// An earlier presence came back.
    Error,
}

/// How somebody is there (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Show {
    /// Wants to chat.
    Chat,
    /// Away.
    Away,
    /// Away for longer.
    ExtendedAway,
    /// Does not want to be disturbed.
    DoNotDisturb,
}

/// A presence stanza that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Whose.
    pub from: Option<Jid>,
    /// What it says.
    pub kind: PresenceKind,
    /// How.
    pub show: Option<Show>,
    /// Text for humans.
    pub status: Option<String>,
    /// XEP-0115.
    pub caps: Option<Caps>,
}

impl Presence {
    /// `None` unless it is a `<presence/>` of a known type.
    #[must_use]
    pub fn parse(stanza: &Element) -> Option<Self> {
        if !stanza.is("presence", ns::CLIENT) {
            return None;
        }
        let kind = match stanza.attr("type") {
            None => PresenceKind::Available,
            Some("unavailable") => PresenceKind::Unavailable,
            Some("subscribe") => PresenceKind::Subscribe,
            Some("subscribed") => PresenceKind::Subscribed,
            Some("unsubscribe") => PresenceKind::Unsubscribe,
            Some("unsubscribed") => PresenceKind::Unsubscribed,
            Some("probe") => PresenceKind::Probe,
            Some("error") => PresenceKind::Error,
            Some(_) => return None,
        };
        let show = match stanza
            .get_child("show", ns::CLIENT)
            .map(Element::text)
            .as_deref()
        {
            Some("chat") => Some(Show::Chat),
            Some("away") => Some(Show::Away),
            Some("xa") => Some(Show::ExtendedAway),
            Some("dnd") => Some(Show::DoNotDisturb),
            _ => None,
        };
        Some(Self {
            from: jid_attr(stanza, "from").ok()?,
            kind,
            show,
            status: stanza.get_child("status", ns::CLIENT).map(Element::text),
            caps: Caps::find(stanza),
        })
    }
}

/// Broadcast of being there, with capabilities.
#[must_use]
pub fn available(caps: &Caps, show: Option<Show>, priority: i8) -> Element {
    let show = show.map(|show| {
        element("show", ns::CLIENT).with_text(match show {
            Show::Chat => "chat",
            Show::Away => "away",
            Show::ExtendedAway => "xa",
            Show::DoNotDisturb => "dnd",
        })
    });
    let priority =
        (priority != 0).then(|| element("priority", ns::CLIENT).with_text(priority.to_string()));
    element("presence", ns::CLIENT)
        .with_child_if(show)
        .with_child_if(priority)
        .with_child(caps.to_element())
}

/// Broadcast of going.
#[must_use]
pub fn unavailable() -> Element {
    element("presence", ns::CLIENT).with_attr("type", "unavailable")
}

/// Asks to see a contact's presence.
#[must_use]
pub fn subscribe(to: &BareJid) -> Element {
    directed("subscribe", to)
}

/// Lets a contact see ours, now or as soon as it asks (RFC 6121 §3.4).
#[must_use]
pub fn subscribed(to: &BareJid) -> Element {
    directed("subscribed", to)
}

/// Stops seeing a contact's presence.
#[must_use]
pub fn unsubscribe(to: &BareJid) -> Element {
    directed("unsubscribe", to)
}

/// Stops showing a contact ours.
#[must_use]
pub fn unsubscribed(to: &BareJid) -> Element {
    directed("unsubscribed", to)
}

fn directed(kind: &str, to: &BareJid) -> Element {
    element("presence", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("to", to.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xep::disco::client_info;

    #[test]
    fn our_presence_is_read_as_it_was_meant() {
        let caps = Caps::of("n", &client_info("Eft", "phone", &[]));
        let parsed = Presence::parse(&available(&caps, Some(Show::ExtendedAway), -1)).unwrap();
        assert_eq!(parsed.kind, PresenceKind::Available);
        assert_eq!(parsed.show, Some(Show::ExtendedAway));
        assert_eq!(parsed.caps, Some(caps));
        assert_eq!(
            Presence::parse(&unavailable()).unwrap().kind,
            PresenceKind::Unavailable
        );
    }

    #[test]
    fn subscriptions_go_to_bare_addresses() {
        let to = BareJid::new("a@b.example").unwrap();
        for (stanza, kind) in [
            (subscribe(&to), PresenceKind::Subscribe),
            (subscribed(&to), PresenceKind::Subscribed),
            (unsubscribe(&to), PresenceKind::Unsubscribe),
            (unsubscribed(&to), PresenceKind::Unsubscribed),
        ] {
            assert_eq!(stanza.attr("to"), Some("a@b.example"));
            assert_eq!(Presence::parse(&stanza).unwrap().kind, kind);
        }
    }

    #[test]
    fn rubbish_is_no_presence() {
        for text in [
            "<presence xmlns='jabber:client' type='odd'/>",
            "<presence xmlns='jabber:client' from='@'/>",
            "<message xmlns='jabber:client'/>",
        ] {
            assert_eq!(Presence::parse(&text.parse().unwrap()), None);
        }
    }
}
