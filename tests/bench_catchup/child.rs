//! The process that is measured.

use std::path::PathBuf;
use std::sync::Arc;

use eft::{
    Account, BareJid, Config, ConnectOptions, Content, Credentials, Eft, Event, Events,
    FileSecretStore, ServerAddress,
};
use eft_bench::{Failure, cpu, memory};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::process::{AUTHORITY, COUNT, FOLDER, INSTALLS, PART, PORT, WATCH};
use super::script;

pub(crate) async fn run(at_entry: u64) -> Result<(), Failure> {
    let folder = PathBuf::from(std::env::var(FOLDER)?);
    let secrets = Arc::new(FileSecretStore::new(folder.join("keys"))?);
    let config = Config {
        data_dir: folder.join("data"),
    };
    let eft = Eft::open(config, secrets)?;
    let jid: BareJid = script::ACCOUNT.parse()?;
    let is_new = std::env::var(PART)? == INSTALLS;
    let account = match is_new {
        true => {
            let password = script::PASSWORD.to_owned().into();
            eft.add_account(Credentials { jid, password }).await?
        }
        false => eft.account(&jid).await?,
    };
    let events = account.events();
    account.connect(options()?).await?;
    match is_new {
        true => install(&account, events).await?,
        false => read(&account, events, at_entry).await?,
    }
    account.disconnect().await;
    account.shut_down().await;
    Ok(())
}

fn options() -> Result<ConnectOptions, Failure> {
    Ok(ConnectOptions {
        server: Some(ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: std::env::var(PORT)?.parse()?,
            direct_tls: true,
        }),
        extra_roots_pem: Some(std::fs::read_to_string(std::env::var(AUTHORITY)?)?),
        ..ConnectOptions::default()
    })
}

/// Waits for a line.
async fn told() -> Result<(), Failure> {
    let mut line = String::new();
    BufReader::new(tokio::io::stdin())
        .read_line(&mut line)
        .await?;
    Ok(())
}

async fn caught_up(events: &mut Events) -> Result<(), Failure> {
    while let Some(event) = events.next().await {
        if matches!(event, Event::CatchUpProgressed(progress) if progress.complete) {
            return Ok(());
        }
    }
    Err("the account was closed".into())
}

async fn install(account: &Account, mut events: Events) -> Result<(), Failure> {
    caught_up(&mut events).await?;
    println!("{}", account.device_id());
    told().await
}

/// The server holds the archive back until it is known what everything before it took.
async fn read(account: &Account, mut events: Events, at_entry: u64) -> Result<(), Failure> {
    println!("online");
    told().await?;
    let watch = std::env::var_os(WATCH).map(|_| memory::Watch::start());
    let before = cpu::used();
    println!("going");
    caught_up(&mut events).await?;
    let took = cpu::used().saturating_sub(before);
    let grown = watch.map(|watch| watch.end().saturating_sub(at_entry));
    check(account).await?;
    println!("{}", grown.map_or(took.as_nanos(), u128::from));
    Ok(())
}

/// Every message is there once and readable.
async fn check(account: &Account) -> Result<(), Failure> {
    let expected: usize = std::env::var(COUNT)?.parse()?;
    let mut is_there = vec![false; expected];
    for summary in account.conversations().await? {
        let conversation = account.conversation(summary.peer);
        let mut before = None;
        loop {
            let page = conversation.timeline(before, 500).await?;
            for message in page.messages {
                let Content::Text(text) = message.content else {
                    return Err(format!("{:?}", message.content).into());
                };
                // What made the session is older, and no part of it.
                let Some(number) = script::number_of(&text) else {
                    continue;
                };
                let place = is_there.get_mut(number).ok_or("a message too many")?;
                if std::mem::replace(place, true) {
                    return Err(format!("twice: {text}").into());
                }
            }
            before = page.older;
            if before.is_none() {
                break;
            }
        }
    }
    match is_there.iter().position(|is_there| !is_there) {
        Some(number) => Err(format!("message {number} is not there").into()),
        None => Ok(()),
    }
}
