//! What the server saw: every message that it keeps for Alice, sorted by what it looks like from there.

use std::collections::BTreeMap;

use eft::BareJid;
use eft_tests::ArchivedStanza;

use crate::cast::Cast;
use crate::story::{Failure, MARKER, check};
use crate::telling::Telling;

/// Stands in a message that is not encrypted.
const PLAIN_MARKER: &str = "newt-on-the-stone";

const OMEMO_2: &str = "<encrypted xmlns='urn:xmpp:omemo:2'";
const LEGACY: &str = "<encrypted xmlns='eu.siacs.conversations.axolotl'";

/// Messages that look alike.
#[derive(Default)]
struct Kind {
    count: usize,
    bytes: usize,
    readable_count: usize,
}

/// The table, and what a server sees all the same.
pub(crate) async fn what_it_saw(telling: &Telling, cast: &Cast) -> Result<(), Failure> {
    telling.chapter("What the server saw");
    // A search that finds nothing means something only after it has found something.
    let plain = format!(
        "<message xmlns='jabber:client' type='chat' from='shop@elsewhere.test/1' to='{}'><body>{PLAIN_MARKER}</body></message>",
        cast.dave.jid
    );
    cast.server.inject(&plain).await?;
    check(
        !cast.server.files_containing(PLAIN_MARKER)?.is_empty(),
        "the search does not see a message that is not encrypted",
    )?;
    telling.checked("A search of its files finds the words of a message that is not encrypted.");
    let found = cast.server.files_containing(MARKER)?;
    check(
        found.is_empty(),
        &format!("the server could read messages: {found:?}"),
    )?;
    telling.checked("The same search finds no word of this story in them.");

    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    let mut sample = None;
    for user in ["bob", "carol", "dave", "erin"] {
        let with = BareJid::new(&format!("{user}@{}", cast.server.host()))?;
        for stanza in cast.server.archived_stanzas("alice", &with).await? {
            let kind = kinds.entry(looks(&stanza.xml)?).or_default();
            kind.count += 1;
            kind.bytes += stanza.xml.len();
            kind.readable_count += usize::from(stanza.xml.contains(MARKER));
            check(
                ["from", "to"]
                    .iter()
                    .all(|name| attribute(&stanza.xml, name).is_some()),
                "a message names no sender or no recipient",
            )?;
            sample = Some(stanza);
        }
    }
    telling.row("Alice's archive there          messages   bytes each   readable");
    for (name, kind) in &kinds {
        check(kind.readable_count == 0, "words of the story are readable")?;
        telling.row(&format!(
            "{name:<30} {:>8}   {:>10}   none",
            kind.count,
            kind.bytes.checked_div(kind.count).unwrap_or(0),
        ));
    }
    for expected in [BOTH, ONLY_OMEMO_2, ONLY_LEGACY, EMPTY] {
        check(
            kinds.contains_key(expected),
            &format!("no message with {expected}"),
        )?;
    }
    let sample = sample.ok_or("the archive is empty")?;
    telling.checked(&format!(
        "It does see who, to whom, when and how much: {}.",
        metadata(&sample)?
    ));
    Ok(())
}

const ONLY_OMEMO_2: &str = "text, omemo:2";
const ONLY_LEGACY: &str = "text, legacy";
const BOTH: &str = "text, both in one";
const EMPTY: &str = "keys only, no text";

/// Which kind of message a stanza is, from outside.
fn looks(xml: &str) -> Result<&'static str, Failure> {
    match (
        xml.contains("<payload"),
        xml.contains(OMEMO_2),
        xml.contains(LEGACY),
    ) {
        (true, true, true) => Ok(BOTH),
        (true, true, false) => Ok(ONLY_OMEMO_2),
        (true, false, true) => Ok(ONLY_LEGACY),
        (false, true, _) | (false, _, true) => Ok(EMPTY),
        (_, false, false) => Err(format!("a message that is not encrypted: {xml}").into()),
    }
}

/// What one message tells without being read.
fn metadata(stanza: &ArchivedStanza) -> Result<String, Failure> {
    let from = attribute(&stanza.xml, "from").ok_or("no sender")?;
    let to = attribute(&stanza.xml, "to").ok_or("no recipient")?;
    let bare = |jid: &str| jid.split('/').next().unwrap_or_default().to_owned();
    let seconds = stanza.at.as_millis().div_euclid(1000).rem_euclid(86_400);
    Ok(format!(
        "{} to {}, {:02}:{:02}:{:02} UTC, {} bytes",
        bare(from),
        bare(to),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        stanza.xml.len()
    ))
}

/// An attribute of the stanza itself.
fn attribute<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let head = xml.split('>').next()?;
    let value = head.split_once(&format!(" {name}='"))?.1;
    Some(value.split_once('\'')?.0)
}
