//! A malicious server for XMPP clients: it logs one in, honestly or not, and then says what no server should.
//!
//! ```text
//! malicious --folder <dir> [--listen 127.0.0.1:0] [--listen-tls 127.0.0.1:0] [--domain m.example] [--user user] [--password pencil]
//! ```
//!
//! Nothing in it knows which client it has before it. What is said to it on standard input, and what it answers, stands
//! in `tests/malicious/README.md`.

mod answers;
mod archive;
mod authenticate;
mod cases;
mod channel;
mod control;
mod listen;
mod login;
mod middle;
mod offer;
mod peer;
mod scram;
mod state;
mod tls;
mod token;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

use self::archive::Archive;
use self::listen::listen;
use self::login::Login;
use self::offer::Offer;
use self::state::{CONTACT, Cast, State};
use self::tls::Tls;

type Fault = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "malicious --folder <dir> [--listen <address>] [--listen-tls <address>] \
    [--domain <name>] [--user <name>] [--password <text>]";

/// Pairs of `--name value`.
fn options() -> Result<HashMap<String, String>, Fault> {
    let mut options = HashMap::new();
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let name = name.strip_prefix("--").ok_or(USAGE)?.to_owned();
        options.insert(name, words.next().ok_or(USAGE)?);
    }
    Ok(options)
}

fn answer(value: &serde_json::Value) -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut options = options()?;
    let mut take =
        |name: &str, otherwise: &str| options.remove(name).unwrap_or_else(|| otherwise.to_owned());
    let folder = PathBuf::from(take("folder", ""));
    let (plain, direct) = (
        take("listen", "127.0.0.1:0"),
        take("listen-tls", "127.0.0.1:0"),
    );
    let cast = Cast {
        domain: take("domain", "m.example"),
        user: take("user", "user"),
        password: take("password", "pencil"),
    };
    if folder.as_os_str().is_empty() || !options.is_empty() {
        return Err(USAGE.into());
    }
    let (tls, authority) = Tls::create(&folder, &cast.domain)?;
    let tls = Arc::new(tls);
    let account = cast.own();
    let shared = Arc::new(Mutex::new(State {
        cast,
        login: Login::Honest(Offer::SASL2),
        session: None,
        address: None,
        heard_in_clear: String::new(),
        heard: Vec::new(),
        heard_between: String::new(),
        verdicts: Vec::new(),
        tokens: Vec::new(),
        connection_count: 0,
        nodes: BTreeMap::new(),
        contacts: vec![CONTACT.to_owned()],
        pages: VecDeque::new(),
        archive: Archive::default(),
        is_holding: false,
        held: None,
        queries_at: Vec::new(),
    }));
    let plain = TcpListener::bind(plain).await?;
    let direct = TcpListener::bind(direct).await?;
    answer(&json!({
        "account": account,
        "starttls": plain.local_addr()?.to_string(),
        "direct_tls": direct.local_addr()?.to_string(),
        "authority": authority.authority_path(),
    }))?;
    tokio::spawn(listen(plain, Arc::clone(&tls), Arc::clone(&shared), false));
    tokio::spawn(listen(direct, tls, Arc::clone(&shared), true));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    // Whoever plays has gone: so do we.
    while let Some(line) = lines.next_line().await? {
        answer(&control::carry_out(&shared, &line))?;
    }
    Ok(())
}
