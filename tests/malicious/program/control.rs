//! What the one who plays says, and what is answered: a line each way.

use std::path::Path;

use eft_xmpp::Element;
use serde_json::{Value, json};

use super::answers::answers;
use super::archive::Archive;
use super::cases::{self, Case, Play};
use super::login::{self, Login};
use super::state::{Page, Shared, lock};

/// Carries a line out and gives the answer.
pub(crate) fn carry_out(shared: &Shared, line: &str) -> Value {
    let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    match command(shared, word, rest.trim()) {
        Ok(answer) => answer,
        Err(error) => json!({ "error": error }),
    }
}

fn command(shared: &Shared, word: &str, rest: &str) -> Result<Value, String> {
    match word {
        "cases" => Ok(all(shared).iter().map(Case::to_json).collect()),
        "logins" => Ok(login::all()
            .into_iter()
            .map(|way| {
                json!({
                    "name": way.name,
                    "honest": matches!(way.login, Login::Honest(_)),
                    "a careful client": way.careful,
                    "without the middle": way.honest,
                })
            })
            .collect()),
        "login" => {
            let way = login::all()
                .into_iter()
                .find(|way| way.name == rest)
                .ok_or_else(|| format!("no login {rest:?}"))?;
            let mut state = lock(shared);
            state.login = way.login;
            state.forget();
            Ok(json!({ "login": rest }))
        }
        "play" => play(shared, rest),
        "send" => {
            send(shared, &[rest.to_owned()])?;
            Ok(json!({ "sent": 1 }))
        }
        "circle" => {
            // Every page is not the last one, and ends where it began.
            lock(shared).pages.push_back(Page {
                stanzas: vec![rest.to_owned()],
                last: Some("circle".to_owned()),
                is_endless: true,
                ..Page::default()
            });
            Ok(json!({ "circle": true }))
        }
        "straight" => {
            lock(shared).pages.clear();
            Ok(json!({ "circle": false }))
        }
        "contacts" => {
            lock(shared).contacts = rest.split_whitespace().map(str::to_owned).collect();
            Ok(json!({ "contacts": rest }))
        }
        "node" => node(shared, rest),
        "archive" => {
            let archive = Archive::read(Path::new(rest)).map_err(|error| error.to_string())?;
            lock(shared).archive = archive;
            Ok(json!({ "archive": rest }))
        }
        "hold" => {
            lock(shared).is_holding = true;
            Ok(json!({ "holding": true }))
        }
        "release" => release(shared),
        "drop" => {
            // Its task ends when nobody can send to it any more.
            lock(shared).session = None;
            Ok(json!({ "dropped": true }))
        }
        "heard" => {
            let state = lock(shared);
            Ok(json!({
                "in_clear": state.heard_in_clear,
                "encrypted": state.heard,
                "between": state.heard_between,
                "verdicts": state.verdicts,
                "connections": state.connection_count,
                "archive_queries": state.queries_at.len(),
                "archive_queries_at": state.queries_at,
                "online": state.session.is_some(),
                "archive_waits": state.held.is_some(),
            }))
        }
        "forget" => {
            let mut state = lock(shared);
            state.forget();
            state.queries_at.clear();
            Ok(json!({ "forgotten": true }))
        }
        _ => Err(format!("no command {word:?}")),
    }
}

fn all(shared: &Shared) -> Vec<Case> {
    let cast = lock(shared).cast.clone();
    cases::all(&cast)
}

/// Publishes in the name of an account.
fn node(shared: &Shared, rest: &str) -> Result<Value, String> {
    let mut words = rest.splitn(4, ' ');
    let mut word = || words.next().ok_or("node <account> <node> <item> <element>");
    let (account, node, item, content) = (word()?, word()?, word()?, word()?);
    let content = content
        .parse::<Element>()
        .map_err(|error| error.to_string())?;
    let key = (account.to_owned(), node.to_owned());
    lock(shared).nodes.insert(key, (item.to_owned(), content));
    Ok(json!({ "node": node }))
}

/// The archive answers, also what was asked meanwhile.
fn release(shared: &Shared) -> Result<Value, String> {
    let mut state = lock(shared);
    state.is_holding = false;
    if let Some(request) = state.held.take() {
        let answer = answers(&mut state, &request).concat();
        let session = state.session.as_ref().ok_or("no client is logged in")?;
        session.send(answer).map_err(|_| "the client has left")?;
    }
    Ok(json!({ "holding": false }))
}

fn play(shared: &Shared, id: &str) -> Result<Value, String> {
    let case = all(shared)
        .into_iter()
        .find(|case| case.id == id)
        .ok_or_else(|| format!("no case {id:?}"))?;
    match &case.play {
        Play::Now(stanzas) => send(shared, stanzas)?,
        Play::NextPage(page) => {
            let page = Page {
                stanzas: page
                    .stanzas
                    .iter()
                    .map(|text| addressed(shared, text))
                    .collect(),
                behind: page
                    .behind
                    .iter()
                    .map(|text| addressed(shared, text))
                    .collect(),
                ..page.clone()
            };
            lock(shared).pages.push_back(page);
        }
    }
    Ok(json!({ "played": id }))
}

/// Archive cases are played before the client is there: then its account stands for it.
fn addressed(shared: &Shared, text: &str) -> String {
    let state = lock(shared);
    let address = state.address.clone();
    text.replace(
        "{to}",
        &address.unwrap_or_else(|| format!("{}/client", state.cast.own())),
    )
}

fn send(shared: &Shared, stanzas: &[String]) -> Result<(), String> {
    for stanza in stanzas {
        let text = addressed(shared, stanza);
        let state = lock(shared);
        let session = state.session.as_ref().ok_or("no client is logged in")?;
        session.send(text).map_err(|_| "the client has left")?;
    }
    Ok(())
}
