//! The app: the user opens it, leaves it, the system freezes it, and a push may wake it as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eft::{Account, BareJid, Event};
use eft_tests::Home;
use eft_tests::phone::history;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::extension;
use super::screen::{How, post_announcements, say, show};

pub(crate) const PART: &str = "app";

/// With whom it talks.
pub(crate) const PEER: &str = "EFT_WAKING_PEER";

/// What the parent says: the user opens the app.
pub(crate) const OPEN: &str = "open";
/// The user leaves it; it goes on for a while.
pub(crate) const LEAVE: &str = "leave";
/// The system is about to freeze it.
pub(crate) const SLEEP: &str = "sleep";
/// It shows everything that it has.
pub(crate) const ROWS: &str = "rows";

struct App {
    account: Account,
    home: Home,
    peer: BareJid,
    is_open: Arc<AtomicBool>,
    is_asleep: bool,
}

pub(crate) async fn run() {
    let home = Home::of_this_process().unwrap();
    let peer: BareJid = std::env::var(PEER).unwrap().parse().unwrap();
    let eft = home.open().unwrap();
    let account = match eft.account(&home.login.jid).await {
        Ok(account) => account,
        // The first life.
        Err(_) => match eft.add_account(home.credentials()).await {
            Ok(account) => account,
            Err(error) => return say(&format!("refused {}", error.code())),
        },
    };
    account.set_active(false);
    let is_open = Arc::new(AtomicBool::new(false));
    let mut app = App {
        account,
        home,
        peer,
        is_open,
        is_asleep: false,
    };
    tokio::spawn(watch(
        app.account.clone(),
        app.peer.clone(),
        app.is_open.clone(),
    ));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.as_str() {
            OPEN => app.open().await,
            LEAVE => app.leave(),
            SLEEP => app.sleep().await,
            ROWS => app.rows().await,
            push => app.push(push).await,
        }
    }
}

/// What happens while nobody asks.
async fn watch(account: Account, peer: BareJid, is_open: Arc<AtomicBool>) {
    let mut events = account.events();
    while let Some(event) = events.next().await {
        let is_open = is_open.load(Ordering::Acquire);
        match event {
            Event::MessageReceived(message) | Event::MessageChanged(message) if is_open => {
                show(How::Live, &message);
            }
            // A text that came as the user turned away is a notification, too.
            Event::MessageReceived(message) => {
                show(How::Posted, &message);
                post_announcements(&account).await;
            }
            Event::MessageChanged(_) => post_announcements(&account).await,
            Event::CatchUpProgressed(progress) if progress.complete => say("whole"),
            Event::Reset if is_open => draw(&account, &peer).await,
            Event::Reset => post_announcements(&account).await,
            Event::RolledBack => say("rolled-back"),
            _ => {}
        }
    }
}

/// Shows what was not read yet; then it is read.
async fn draw(account: &Account, peer: &BareJid) {
    let Ok(summaries) = account.conversations().await else {
        return;
    };
    let found = summaries.iter().find(|summary| summary.peer == *peer);
    let unread = found.map_or(0, |summary| summary.unread_count);
    if unread == 0 {
        return;
    }
    let conversation = account.conversation(peer.clone());
    // A screenful more: one that comes meanwhile must not push the oldest out.
    let mut left = unread + 50;
    let (mut newest, mut before) = (None, None);
    while left > 0 {
        let Ok(page) = conversation.timeline(before, left.min(200)).await else {
            return;
        };
        for message in page.messages.iter().filter(|message| !message.outgoing) {
            newest = newest.or(Some(message.id));
            show(How::Drawn, message);
            left = left.saturating_sub(1);
        }
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    if let Some(newest) = newest {
        // While another process has the account, they stay unread and are drawn again.
        let _ = conversation.mark_read(newest).await;
    }
}

impl App {
    async fn open(&mut self) {
        if !self.awake().await {
            return;
        }
        say("opened");
        self.is_open.store(true, Ordering::Release);
        self.account.set_active(true);
        draw(&self.account, &self.peer).await;
        let (account, options) = (self.account.clone(), self.home.options());
        let (peer, is_open) = (self.peer.clone(), Arc::clone(&self.is_open));
        tokio::spawn(async move {
            // An extension may have the account for a moment, and write.
            while is_open.load(Ordering::Acquire) {
                if account.connect(options.clone()).await.is_ok() {
                    draw(&account, &peer).await;
                    return say("online");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }

    fn leave(&self) {
        self.is_open.store(false, Ordering::Release);
        self.account.set_active(false);
    }

    async fn sleep(&mut self) {
        self.leave();
        match self.account.suspend().await {
            Ok(()) => say("asleep"),
            Err(error) => say(&format!("refused {}", error.code())),
        }
        self.is_asleep = true;
    }

    async fn push(&mut self, push: &str) {
        let was_asleep = self.is_asleep;
        if self.awake().await {
            extension::answer(&self.account, &self.home, push).await;
            if was_asleep {
                self.sleep().await;
            }
        }
    }

    async fn awake(&mut self) -> bool {
        if self.is_asleep {
            match self.account.resume().await {
                Ok(()) => self.is_asleep = false,
                Err(error) => say(&format!("refused {}", error.code())),
            }
        }
        !self.is_asleep
    }

    async fn rows(&self) {
        for message in history(&self.account, &self.peer).await.unwrap() {
            show(How::Kept, &message);
        }
        say("rows");
    }
}
