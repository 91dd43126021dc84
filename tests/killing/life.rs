//! What the process does until it is killed: it logs in, says something, hears something. Each line of its output is
//! something that an app would have done.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eft::{
    Account, BareJid, Config, ConnectOptions, Content, Credentials, Delivery, Eft, Event,
    FileSecretStore, ServerAddress,
};

/// What a child is to do; its presence makes the child.
pub(crate) const PART: &str = "EFT_KILLED_PART";
pub(crate) const FOLDER: &str = "EFT_KILLED_FOLDER";
pub(crate) const PORT: &str = "EFT_KILLED_PORT";
pub(crate) const AUTHORITY: &str = "EFT_KILLED_AUTHORITY";
pub(crate) const JID: &str = "EFT_KILLED_JID";
pub(crate) const PASSWORD: &str = "EFT_KILLED_PASSWORD";
pub(crate) const PEER: &str = "EFT_KILLED_PEER";
/// Number of the first message that it writes.
pub(crate) const FIRST: &str = "EFT_KILLED_FIRST";

/// Lives until it is killed.
pub(crate) const LIVES: &str = "lives";
/// Goes on until everything is settled, and shows what it has.
pub(crate) const SETTLES: &str = "settles";

/// How long everything may take to settle.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn is_child() -> bool {
    std::env::var_os(PART).is_some()
}

fn given(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn say(line: &str) {
    println!("=> {line}");
}

pub(crate) async fn run() {
    let folder = PathBuf::from(given(FOLDER));
    let secrets = Arc::new(FileSecretStore::new(folder.join("keys")).unwrap());
    let config = Config {
        data_dir: folder.join("data"),
    };
    let jid: BareJid = given(JID).parse().unwrap();
    let peer: BareJid = given(PEER).parse().unwrap();
    let eft = Eft::open(config, secrets).unwrap();
    let credentials = Credentials {
        jid: jid.clone(),
        password: given(PASSWORD).into(),
    };
    // A process that was killed while it made the account left none, or half of one.
    let account = match eft.account(&jid).await {
        Ok(account) => account,
        Err(_) => eft.add_account(credentials).await.unwrap(),
    };
    tokio::spawn(tell(account.clone()));
    let options = ConnectOptions {
        server: Some(ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: given(PORT).parse().unwrap(),
            direct_tls: false,
        }),
        extra_roots_pem: std::fs::read_to_string(given(AUTHORITY)).ok(),
        ..ConnectOptions::default()
    };
    let settling = account.events();
    account.connect(options).await.unwrap();
    say("online");
    match given(PART).as_str() {
        LIVES => write(&account, &peer).await,
        _ => settle(&account, &peer, settling).await,
    }
}

/// What an app would show when it happens.
async fn tell(account: Account) {
    let mut events = account.events();
    while let Some(event) = events.next().await {
        match event {
            Event::MessageReceived(message) => say(&format!("told {}", text(&message.content))),
            Event::RolledBack => say("rolled-back"),
            Event::MessageChanged(message) if message.delivery == Some(Delivery::Acked) => {
                say(&format!("acked {}", text(&message.content)));
            }
            _ => {}
        }
    }
}

fn text(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Unreadable(why) => format!("UNREADABLE {why}"),
    }
}

async fn write(account: &Account, peer: &BareJid) {
    let conversation = account.conversation(peer.clone());
    let first: u32 = given(FIRST).parse().unwrap();
    for number in first.. {
        let text = format!("killed {number}");
        conversation.send(text.clone()).await.unwrap();
        say(&format!("queued {text}"));
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
}

async fn settle(account: &Account, peer: &BareJid, mut events: eft::Events) {
    let caught_up = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::CatchUpProgressed(progress) if progress.complete) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, caught_up).await.unwrap();
    let begun = std::time::Instant::now();
    let rows = loop {
        let rows = history(account, peer).await;
        let is_open = |row: &eft::Message| {
            matches!(
                row.delivery,
                Some(Delivery::Queued | Delivery::Encrypted | Delivery::Sent)
            )
        };
        if !rows.iter().any(is_open) || begun.elapsed() > PATIENCE {
            break rows;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for row in rows {
        let state = match row.delivery {
            None => "received",
            Some(Delivery::Acked) => "acked",
            Some(_) => "unsettled",
        };
        say(&format!("row {state} {}", text(&row.content)));
    }
    account.disconnect().await;
    account.shut_down().await;
    say("settled");
}

async fn history(account: &Account, peer: &BareJid) -> Vec<eft::Message> {
    let conversation = account.conversation(peer.clone());
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = conversation.timeline(before, 500).await.unwrap();
        rows.extend(page.messages);
        before = page.older;
        if before.is_none() {
            rows.reverse();
            return rows;
        }
    }
}
