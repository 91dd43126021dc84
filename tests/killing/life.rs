//! What the process does until it is killed: it logs in, says something, hears something. Each line of its output is
//! something that an app would have done.

use std::time::Duration;

use eft::{Account, BareJid, Content, Delivery, Event};
use eft_tests::Home;
use eft_tests::child::tell_parent as say;
use eft_tests::phone::history;

/// With whom it talks.
pub(crate) const PEER: &str = "EFT_KILLED_PEER";
/// Number of the first message that it writes.
pub(crate) const FIRST: &str = "EFT_KILLED_FIRST";

/// Lives until it is killed.
pub(crate) const LIVES: &str = "lives";
/// Goes on until everything is settled, and shows what it has.
pub(crate) const SETTLES: &str = "settles";

/// How long everything may take to settle.
const PATIENCE: Duration = Duration::from_secs(60);

fn given(name: &str) -> String {
    std::env::var(name).unwrap()
}

pub(crate) async fn run(part: &str) {
    let home = Home::of_this_process().unwrap();
    let peer: BareJid = given(PEER).parse().unwrap();
    let eft = home.open().unwrap();
    // A process that was killed while it made the account left none, or half of one.
    let account = match eft.account(&home.login.jid).await {
        Ok(account) => account,
        Err(_) => eft.add_account(home.credentials()).await.unwrap(),
    };
    tokio::spawn(tell(account.clone()));
    let settling = account.events();
    account.connect(home.options()).await.unwrap();
    say("online");
    match part {
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
        let rows = history(account, peer).await.unwrap();
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
