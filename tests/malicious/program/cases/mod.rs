//! What is played: forgeries, and beside each kind of them the honest thing, so that a client which ignores everything
//! passes nothing.

mod archive;
mod carbons;
mod events;
mod messages;
mod pushes;

use serde_json::{Value, json};

use super::state::{CONTACT, Cast, Page, STRANGER};

/// One thing to play.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// `kind.who`.
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    /// The honest one of its kind.
    pub(crate) is_honest: bool,
    pub(crate) play: Play,
    pub(crate) shows: Shows,
}

/// How it is played.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// These stanzas, now. `{to}` stands for the client's full address.
    Now(Vec<String>),
    /// This answer to the next archive query.
    NextPage(Page),
}

/// What could be seen at a client that accepted it.
#[derive(Clone, Debug)]
pub(crate) enum Shows {
    /// A message with this text.
    Text(String),
    /// This text is *not* shown, because it is taken for a message that was there before.
    Hides(String),
    /// A contact.
    Contact(String),
    /// A device on somebody's list.
    Device { jid: String, device: u32 },
    /// A blocked address.
    Blocked(String),
    /// A room in the list of rooms.
    Room(String),
    /// The conversation with somebody is read up to a message.
    Displayed { jid: String, message: String },
}

impl Shows {
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "text": text }),
            Self::Hides(text) => json!({ "hides": text }),
            Self::Contact(jid) => json!({ "contact": jid }),
            Self::Device { jid, device } => json!({ "device": device, "of": jid }),
            Self::Blocked(jid) => json!({ "blocked": jid }),
            Self::Room(jid) => json!({ "room": jid }),
            Self::Displayed { jid, message } => json!({ "displayed": message, "with": jid }),
        }
    }
}

impl Case {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "kind": self.kind,
            "honest": self.is_honest,
            "played": match self.play {
                Play::Now(_) => "now",
                Play::NextPage(_) => "with the next archive query",
            },
            "shows": self.shows.to_json(),
        })
    }
}

/// Somebody who is not the account's own server, with a name for the case.
pub(crate) struct Impostor {
    pub(crate) name: &'static str,
    pub(crate) jid: String,
}

/// All who may not speak for the account.
pub(crate) fn impostors(cast: &Cast) -> Vec<Impostor> {
    let (own, user, domain) = (cast.own(), &cast.user, &cast.domain);
    let mut chars = user.chars();
    // Cyrillic for Latin.
    let alike: String = user
        .chars()
        .map(|letter| match letter {
            'a' => 'а',
            'e' => 'е',
            'o' => 'о',
            other => other,
        })
        .collect();
    let shorter = chars.next_back().map_or("x", |_| chars.as_str()).to_owned();
    [
        ("contact", CONTACT.to_owned()),
        ("contact-client", format!("{CONTACT}/phone")),
        ("stranger", format!("{STRANGER}/phone")),
        ("server", domain.clone()),
        ("service", format!("pubsub.{domain}")),
        ("own-client", "{to}".to_owned()),
        ("own-other-client", format!("{own}/other")),
        ("look-alike", format!("{alike}@{domain}")),
        ("same-name-elsewhere", format!("{user}@c.example")),
        ("longer-domain", format!("{own}.c.example")),
        ("prefix", format!("{shorter}@{domain}")),
        ("own-as-resource", format!("{CONTACT}/{own}")),
        ("escaped", format!("{user}\\40{domain}@c.example")),
    ]
    .into_iter()
    .map(|(name, jid)| Impostor { name, jid })
    .collect()
}

/// A chat message of the contact to the account.
pub(crate) fn message_in(cast: &Cast, id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='{}' id='{id}'>\
         <body>{id}</body></message>",
        cast.own()
    )
}

/// A chat message of the account to the contact.
pub(crate) fn message_out(cast: &Cast, id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='chat' from='{}/other' to='{CONTACT}' id='{id}'>\
         <body>{id}</body></message>",
        cast.own()
    )
}

/// Everything there is.
pub(crate) fn all(cast: &Cast) -> Vec<Case> {
    [
        carbons::cases(cast),
        archive::cases(cast),
        pushes::cases(cast),
        events::cases(cast),
        messages::cases(cast),
    ]
    .concat()
}
