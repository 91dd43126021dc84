//! RFC 6121 §5: messages.

use eft_types::Jid;

use crate::address::NotAnAddress;
use crate::xep::text::jid_attr;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// What kind of conversation a message belongs to (RFC 6121 §5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// One to one.
    Chat,
    /// A room.
    Groupchat,
    /// No conversation; also what an unknown or missing type means.
    Normal,
    /// A notice, such as a pubsub event.
    Headline,
    /// An earlier message came back.
    Error,
}

impl MessageKind {
    /// Value of the `type` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Groupchat => "groupchat",
            Self::Normal => "normal",
            Self::Headline => "headline",
            Self::Error => "error",
        }
    }
}

/// The attributes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageHead {
    /// Sender; `None` is our own server speaking for the account.
    pub from: Option<Jid>,
    /// Addressee.
    pub to: Option<Jid>,
    /// Id, chosen by the sender.
    pub id: Option<String>,
    /// Kind.
    pub kind: MessageKind,
}

impl MessageHead {
    /// `None` unless it is a `<message/>` of which both addresses are addresses, where present.
    #[must_use]
    pub fn parse(stanza: &Element) -> Option<Self> {
        if !stanza.is("message", ns::CLIENT) {
            return None;
        }
        let address = |name| -> Result<Option<Jid>, NotAnAddress> { jid_attr(stanza, name) };
        Some(Self {
            from: address("from").ok()?,
            to: address("to").ok()?,
            id: stanza
                .attr("id")
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
            kind: match stanza.attr("type") {
                Some("chat") => MessageKind::Chat,
                Some("groupchat") => MessageKind::Groupchat,
                Some("headline") => MessageKind::Headline,
                Some("error") => MessageKind::Error,
                _ => MessageKind::Normal,
            },
        })
    }
}

/// A message of ours. The server adds `from`.
#[must_use]
pub fn build(to: &Jid, kind: MessageKind, id: &str, children: Vec<Element>) -> Element {
    element("message", ns::CLIENT)
        .with_attr("to", to.as_str())
        .with_attr("type", kind.as_str())
        .with_attr("id", id)
        .with_children(children)
}

/// `<body>`.
#[must_use]
pub fn body(text: &str) -> Element {
    element("body", ns::CLIENT).with_text(text)
}

/// Text of the first `<body>` among a message's children, or an envelope's content.
#[must_use]
pub fn body_of<'a>(children: impl IntoIterator<Item = &'a Element>) -> Option<String> {
    children
        .into_iter()
        .find(|child| child.is("body", ns::CLIENT))
        .map(Element::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_a_round_trip() {
        let to = Jid::new("a@b.example").unwrap();
        let stanza = build(&to, MessageKind::Chat, "m1", vec![body("hi")]);
        let head = MessageHead::parse(&stanza).unwrap();
        assert_eq!(head.to, Some(to));
        assert_eq!(head.from, None);
        assert_eq!(head.id.as_deref(), Some("m1"));
        assert_eq!(head.kind, MessageKind::Chat);
        assert_eq!(body_of(stanza.children()).as_deref(), Some("hi"));
    }

    #[test]
    fn unknown_kinds_are_normal_and_bad_addresses_are_no_message() {
        let parse = |text: &str| MessageHead::parse(&text.parse().unwrap());
        let kind = |kind: &str| {
            parse(&format!("<message xmlns='jabber:client' {kind}/>"))
                .unwrap()
                .kind
        };
        assert_eq!(kind(""), MessageKind::Normal);
        assert_eq!(kind("type='weird'"), MessageKind::Normal);
        assert_eq!(kind("type='error'"), MessageKind::Error);
        assert_eq!(parse("<message xmlns='jabber:client' from='@'/>"), None);
        assert_eq!(parse("<message xmlns='jabber:server'/>"), None);
        assert_eq!(parse("<presence xmlns='jabber:client'/>"), None);
    }
}
