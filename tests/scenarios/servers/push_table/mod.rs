//! What servers push, and what they mark as important: a table from real runs, which `docs/push.md` shows.
//!
//! Servers look at a stanza from outside. So both sides are plain clients here, and nothing is encrypted for anybody: only
//! the form of the stanzas counts, which is that of Eft's.

mod stanza;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use eft_tests::{AnyServer, AppServer, AppServerPlace, Push, Server as _, ServerKind};
use eft_xmpp::driver::CloseStyle;

use super::client::Client;
use super::push_stage::prosody_with_module;
use stanza::Kind;

/// Prosody waits a second for more before it pushes what comes to a sleeping session; a busy machine takes longer.
const SILENCE: Duration = Duration::from_secs(4);

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The device left its stream open, or ended it.
    sleeps: bool,
    is_room: bool,
}

const PLACES: [(Place, &str); 4] = [
    (place(true, false), "asleep"),
    (place(false, false), "no session"),
    (place(true, true), "room, asleep"),
    (place(false, true), "room, no session"),
];

const fn place(sleeps: bool, is_room: bool) -> Place {
    Place { sleeps, is_room }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Important,
    Pushed,
    Silent,
}

impl Fate {
    const fn word(self) -> &'static str {
        match self {
            Self::Important => "important",
            Self::Pushed => "pushed",
            Self::Silent => "—",
        }
    }
}

type Fates = BTreeMap<(Kind, Place), Fate>;

/// A device of its own for each cell.
async fn run(server: AnyServer, app: &AppServerPlace, kinds: &[Kind]) -> Fates {
    let app_server = AppServer::connect(app).await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let mut alice = Client::connect(&server, &alice).await;
    let mut cells = Vec::new();
    for &kind in kinds {
        for (place, _) in PLACES {
            let name = format!("device{}", cells.len());
            let login = server.add_account(&name).await.unwrap();
            let room = format!("{name}@conference.{}", server.host());
            let mut client = Client::connect(&server, &login).await;
            if place.is_room {
                alice.open_room(&room).await;
                client.join(&room).await;
            }
            client.enable_push(&app.name, &name).await;
            client
                .close(match place.sleeps {
                    true => CloseStyle::LeaveOpen,
                    false => CloseStyle::EndStream,
                })
                .await;
            let to = match place.is_room {
                true => room,
                false => login.jid.to_string(),
            };
            cells.push((kind, place, name, to));
        }
    }
    // What was still under way to the devices is not what is looked for.
    tokio::time::sleep(SILENCE).await;
    let before = app_server.pushes().len();
    for (kind, place, name, to) in &cells {
        alice.send(&kind.stanza(to, name, place.is_room)).await;
    }
    tokio::time::sleep(SILENCE).await;
    let pushes = app_server.pushes().split_off(before);
    let fate = |name: &str| fate(pushes.iter().filter(|push| push.node == name));
    cells
        .into_iter()
        .map(|(kind, place, name, _)| ((kind, place), fate(&name)))
        .collect()
}

fn fate<'a>(pushes: impl Iterator<Item = &'a Push>) -> Fate {
    let is_important = |push: &Push| {
        let mut fields = push.summary.iter();
        fields.any(|(name, value)| name == "last-message-body" && !value.is_empty())
    };
    pushes.fold(Fate::Silent, |fate, push| match fate {
        Fate::Important => fate,
        _ if is_important(push) => Fate::Important,
        _ => Fate::Pushed,
    })
}

fn table(fates: &Fates, kinds: &[Kind]) -> String {
    let mut table = String::from("| stanza |");
    for (_, place) in PLACES {
        let _ = write!(table, " {place} |");
    }
    table += &format!("\n|---|{}\n", "---|".repeat(PLACES.len()));
    for &kind in kinds {
        let _ = write!(table, "| {} |", kind.name());
        for (place, _) in PLACES {
            let _ = write!(table, " {} |", fates[&(kind, place)].word());
        }
        table += "\n";
    }
    table
}

/// The part of the docs below a heading shows it.
#[allow(
    clippy::print_stdout,
    reason = "a new server's table is read here, with --nocapture"
)]
fn assert_told(heading: &str, table: &str) {
    println!("### {heading}\n\n{table}");
    let docs = include_str!("../../../../docs/push.md");
    let below = docs.split_once(&format!("### {heading}\n"));
    let part = below.and_then(|(_, rest)| rest.split("\n#").next());
    assert!(
        part.is_some_and(|part| part.contains(table)),
        "docs/push.md shows another table below {heading} than\n{table}"
    );
}

#[tokio::test]
async fn prosody_pushes_what_the_docs_say() {
    let app = AppServerPlace::beside("eft.test").unwrap();
    let server = AnyServer::start_with(ServerKind::Prosody, Some(&app)).await;
    let fates = run(server.unwrap(), &app, &Kind::ALL).await;
    assert_told("Prosody 13", &table(&fates, &Kind::ALL));
}

#[tokio::test]
async fn ejabberd_pushes_what_the_docs_say() {
    let app = AppServerPlace::beside("eft.test").unwrap();
    let server = AnyServer::start_with(ServerKind::Ejabberd, Some(&app)).await;
    let fates = run(server.unwrap(), &app, &Kind::ALL).await;
    assert_told("ejabberd 24.12", &table(&fates, &Kind::ALL));
}

#[tokio::test]
async fn prosody_with_the_module_of_the_docs_knows_what_is_important() {
    let kinds = [Kind::Omemo2, Kind::EmptyOmemo2];
    let app = AppServerPlace::beside("eft.test").unwrap();
    let (server, _folder) = prosody_with_module(&app).await;
    let fates = run(server, &app, &kinds).await;
    assert_told("Prosody 13 with the module", &table(&fates, &kinds));
}
