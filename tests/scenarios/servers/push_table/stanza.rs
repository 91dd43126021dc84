//! The stanzas, as servers see them.

use eft_xmpp::Element;

/// What is in it, as far as a server can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Legacy,
    Omemo2,
    Both,
    EmptyLegacy,
    EmptyOmemo2,
    Omemo2WithBody,
    Omemo2WithOldElement,
}

const LEGACY: &str = "eu.siacs.conversations.axolotl";
const OMEMO2: &str = "urn:xmpp:omemo:2";

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Legacy,
        Self::Omemo2,
        Self::Both,
        Self::EmptyLegacy,
        Self::EmptyOmemo2,
        Self::Omemo2WithBody,
        Self::Omemo2WithOldElement,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Omemo2 => "omemo:2",
            Self::Both => "both in one stanza",
            Self::EmptyLegacy => "empty, legacy",
            Self::EmptyOmemo2 => "empty, omemo:2",
            Self::Omemo2WithBody => "omemo:2 and a `<body>`",
            Self::Omemo2WithOldElement => "omemo:2 and an empty legacy element",
        }
    }

    pub(super) fn stanza(self, to: &str, id: &str, is_room: bool) -> Element {
        let legacy = |payload| {
            format!(
                "<encrypted xmlns='{LEGACY}'><header sid='1'><key rid='2'>AAAA</key><iv>AAAA</iv></header>{payload}</encrypted>"
            )
        };
        let omemo2 = |payload| {
            format!(
                "<encrypted xmlns='{OMEMO2}'><header sid='1'><keys jid='{to}'><key rid='2'>AAAA</key></keys></header>\
                 {payload}</encrypted>"
            )
        };
        let payload = "<payload>AAAA</payload>";
        let body = "<body>This message is encrypted.</body>";
        let eme =
            |namespace| format!("<encryption xmlns='urn:xmpp:eme:0' namespace='{namespace}'/>");
        let children = match self {
            Self::Legacy => [legacy(payload), body.to_owned(), eme(LEGACY)].concat(),
            Self::Omemo2 => [omemo2(payload), eme(OMEMO2)].concat(),
            Self::Both => [
                omemo2(payload),
                legacy(payload),
                body.to_owned(),
                eme(OMEMO2),
                eme(LEGACY),
            ]
            .concat(),
            Self::EmptyLegacy => [legacy(""), eme(LEGACY)].concat(),
            Self::EmptyOmemo2 => [omemo2(""), eme(OMEMO2)].concat(),
            Self::Omemo2WithBody => [omemo2(payload), body.to_owned(), eme(OMEMO2)].concat(),
            Self::Omemo2WithOldElement => [omemo2(payload), legacy(""), eme(OMEMO2)].concat(),
        };
        let kind = if is_room { "groupchat" } else { "chat" };
        format!(
            "<message xmlns='jabber:client' to='{to}' type='{kind}' id='{id}'>{children}<store xmlns='urn:xmpp:hints'/>\
             <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
        )
        .parse()
        .unwrap()
    }
}
