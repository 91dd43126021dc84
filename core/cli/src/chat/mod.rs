//! `eft chat`: lines in, messages out.

use std::collections::BTreeSet;
use std::time::Duration;

use eft::{
    Account, ConnectOptions, Credentials, Delivery, Eft, Event, Events, MessageId, ServerAddress,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::args::Chat;
use crate::output::Output;
use crate::{Failure, password};

/// How long to wait for the server's acknowledgement of the last lines after input has ended.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs until standard input ends (or, with `--follow`, until interrupted).
pub(crate) async fn run(eft: &Eft, chat: Chat, output: &Output) -> Result<(), Failure> {
    let options = connect_options(&chat)?;
    let account = if eft.accounts()?.contains(&chat.me) {
        eft.account(&chat.me).await?
    } else {
        eft.add_account(Credentials {
            jid: chat.me.clone(),
            password: password::ask(&chat.me)?,
        })
        .await?
    };
    let mut events = account.events();
    account.connect(options).await?;
    let result = talk(&account, &chat, &mut events, output).await;
    account.shut_down().await;
    result
}

async fn talk(
    account: &Account,
    chat: &Chat,
    events: &mut Events,
    output: &Output,
) -> Result<(), Failure> {
    let conversation = account.conversation(chat.peer.clone());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut unacked = BTreeSet::new();
    let mut input_open = true;
    let mut give_up = None;
    loop {
        if !input_open && !chat.follow && unacked.is_empty() {
            return Ok(());
        }
        tokio::select! {
            line = lines.next_line(), if input_open => match line? {
                Some(line) if line.is_empty() => {}
                Some(line) => { unacked.insert(conversation.send(line).await?); }
                None => {
                    input_open = false;
                    give_up = Some(tokio::time::Instant::now() + FLUSH_TIMEOUT);
                }
            },
            event = events.next() => match event {
                None => return Ok(()),
                Some(event) => {
                    settle(&event, &mut unacked);
                    if concerns(&event, chat) {
                        output.event(&event);
                    }
                }
            },
            () = sleep_until(give_up), if !input_open && !chat.follow => {
                return Err(format!("{} message(s) not acknowledged yet; they stay queued", unacked.len()).into());
            }
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// Removes a message that reached the server, or never will, from the set that is waited for.
fn settle(event: &Event, unacked: &mut BTreeSet<MessageId>) {
    if let Event::MessageChanged(message) = event
        && !matches!(
            message.delivery,
            Some(Delivery::Queued | Delivery::Encrypted | Delivery::Sent)
        )
    {
        unacked.remove(&message.id);
    }
}

/// Messages of other conversations are stored but not printed here.
fn concerns(event: &Event, chat: &Chat) -> bool {
    match event {
        Event::MessageReceived(message) | Event::MessageChanged(message) => {
            message.conversation == chat.peer
        }
        _ => true,
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn connect_options(chat: &Chat) -> Result<ConnectOptions, Failure> {
    let server = chat
        .server
        .as_deref()
        .map(|text| {
            let (host, port) = text
                .rsplit_once(':')
                .ok_or("--server needs HOST:PORT")?;
            Ok::<_, Failure>(ServerAddress {
                host: host.trim_matches(['[', ']']).to_owned(),
                port: port.parse().map_err(|_| "--server needs a port number")?,
                direct_tls: chat.direct_tls,
            })
        })
        .transpose()?;
    let extra_roots_pem = chat
        .ca
        .as_ref()
        .map(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))
        })
        .transpose()?;
    Ok(ConnectOptions {
        server,
        extra_roots_pem,
        allow_plain: chat.allow_plain,
        resource: None,
    })
}
