//! A notification extension: it lives for as long as the system lets it, and handles one push after the other.

use std::time::Duration;

use eft::{Account, Error, WakeReason};
use eft_tests::Home;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::screen::{post, say};

pub(crate) const PART: &str = "extension";

/// What an extension has.
const WITHIN: Duration = Duration::from_secs(25);

pub(crate) async fn run() {
    let home = Home::of_this_process().unwrap();
    let eft = home.open().unwrap().for_extension();
    let account = match eft.account(&home.login.jid).await {
        Ok(account) => account,
        Err(error) => return say(&format!("refused {}", error.code())),
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut is_asleep = false;
    while let Ok(Some(push)) = lines.next_line().await {
        if is_asleep && let Err(error) = account.resume().await {
            say(&format!("refused {}", error.code()));
            continue;
        }
        answer(&account, &home, &push).await;
        is_asleep = account.suspend().await.is_ok();
    }
}

/// A push: posts what came, and says how it went.
pub(crate) async fn answer(account: &Account, home: &Home, push: &str) {
    say(&format!("begun {push}"));
    loop {
        let outcome = match account.handle_push(home.options(), WITHIN).await {
            Ok(outcome) => outcome,
            Err(error) => return refuse(push, &error),
        };
        let is_known = post(account, &outcome.notifications).await;
        match outcome.reason {
            WakeReason::CaughtUp if outcome.more && is_known => {}
            WakeReason::CaughtUp if outcome.more => return say(&format!("{push} unfinished")),
            WakeReason::CaughtUp => return say(&format!("{push} caught-up")),
            WakeReason::HeldElsewhere => return say(&format!("{push} aside")),
            WakeReason::Deadline => return say(&format!("{push} late")),
            reason => return say(&format!("{push} failed {reason:?}")),
        }
    }
}

fn refuse(push: &str, error: &Error) {
    say(&format!("{push} refused {}", error.code()));
}
