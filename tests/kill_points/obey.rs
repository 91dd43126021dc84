//! What the process does until it is killed: it sends when it is told to, and says what an app would show.

use eft::{BareJid, Content, Delivery, Event};
use eft_tests::Home;
use eft_tests::child::tell_parent as say;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::life::{FIRST, PEER};

/// The part.
pub(crate) const OBEYS: &str = "obeys";
/// What it says once it waits for orders.
pub(crate) const READY: &str = "ready";

/// Each line that it is told is the number of texts to send at once.
pub(crate) async fn run() {
    let home = Home::of_this_process().unwrap();
    let given = |name: &str| std::env::var(name).unwrap();
    let peer: BareJid = given(PEER).parse().unwrap();
    let mut number: u32 = given(FIRST).parse().unwrap();
    let eft = home.open().unwrap();
    let account = eft.account(&home.login.jid).await.unwrap();
    let mut events = account.events();
    let (caught_up, is_caught_up) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut caught_up = Some(caught_up);
        while let Some(event) = events.next().await {
            tell(&event);
            if let Event::CatchUpProgressed(progress) = event
                && progress.complete
                && let Some(caught_up) = caught_up.take()
            {
                // Whoever waited may have gone.
                let _ = caught_up.send(());
            }
        }
    });
    account.connect(home.options()).await.unwrap();
    // Nothing that was written before is on its way any more.
    is_caught_up.await.unwrap();
    say(READY);
    let conversation = account.conversation(peer);
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(order) = orders.next_line().await.unwrap() {
        for _ in 0..order.parse().unwrap() {
            let text = format!("killed {number}");
            number += 1;
            conversation.send(text.clone()).await.unwrap();
            say(&format!("queued {text}"));
        }
    }
}

fn tell(event: &Event) {
    let (word, message) = match event {
        Event::MessageReceived(message) => ("told", message),
        Event::MessageChanged(message) if message.delivery == Some(Delivery::Acked) => {
            ("acked", message)
        }
        Event::RolledBack => return say("rolled-back"),
        _ => return,
    };
    match &message.content {
        Content::Text(text) => say(&format!("{word} {text}")),
        Content::Unreadable(why) => say(&format!("{word} UNREADABLE {why}")),
    }
}
