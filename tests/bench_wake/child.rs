//! The process that is measured.

use std::time::Duration;

use eft::{Eft, WakeReason};
use eft_tests::Home;
use eft_tests::child::tell_parent;

use super::{Fault, heap};
use eft_bench::memory;

pub(crate) const COUNT: &str = "EFT_WAKE_COUNT";

/// Makes the account and logs in once. Says zeros.
pub(crate) const INSTALLS: &str = "installs";
/// Wakes up once, for so many messages. Says the growth of its private dirty memory and the peak of its heap, in KiB.
pub(crate) const WAKES_UP: &str = "wakes up";
/// Wakes up so many times. Says the growth since the first hundred, and zero.
pub(crate) const WAKES_OFTEN: &str = "wakes often";

/// What an extension has.
pub(crate) const WITHIN: Duration = Duration::from_secs(25);

pub(crate) async fn run(part: &str, at_entry: u64) -> Result<(), Fault> {
    let home = Home::of_this_process()?;
    let eft = home.open()?.for_extension();
    let count: usize = std::env::var(COUNT)?.parse()?;
    let numbers = match part {
        INSTALLS => install(&eft, &home).await?,
        WAKES_UP => wake(&eft, &home, count, at_entry).await?,
        _ => wake_often(&eft, &home, count).await?,
    };
    tell_parent(&format!("{} {}", numbers[0], numbers[1]));
    Ok(())
}

async fn install(eft: &Eft, home: &Home) -> Result<[u64; 2], Fault> {
    let account = eft.add_account(home.credentials()).await?;
    account.connect(home.options()).await?;
    // Until the archive is known to be empty.
    account.handle_push(home.options(), WITHIN).await?;
    account.suspend().await?;
    account.shut_down().await;
    Ok([0; 2])
}

async fn wake(eft: &Eft, home: &Home, count: usize, at_entry: u64) -> Result<[u64; 2], Fault> {
    let watch = memory::Watch::start();
    let account = eft.account(&home.login.jid).await?;
    let mut told = 0;
    loop {
        let outcome = account.handle_push(home.options(), WITHIN).await?;
        if !matches!(outcome.reason, WakeReason::CaughtUp) {
            return Err(format!("{outcome:?}").into());
        }
        told += outcome.notifications.len();
        let ids: Vec<_> = outcome
            .notifications
            .iter()
            .map(|message| message.id)
            .collect();
        account.announced(&ids).await?;
        if !outcome.more {
            break;
        }
    }
    account.suspend().await?;
    account.shut_down().await;
    if told != count {
        return Err(format!("{told} of {count} messages").into());
    }
    Ok([watch.end().saturating_sub(at_entry), heap::peak_kib()])
}

async fn wake_often(eft: &Eft, home: &Home, count: usize) -> Result<[u64; 2], Fault> {
    const WARM: usize = 100;
    let account = eft.account(&home.login.jid).await?;
    let mut warm = 0;
    for round in 0..count {
        let outcome = account.handle_push(home.options(), WITHIN).await?;
        if !matches!(outcome.reason, WakeReason::CaughtUp) {
            return Err(format!("wake {round}: {outcome:?}").into());
        }
        if round == WARM {
            warm = memory::dirty_kib()?;
        }
    }
    let grown = memory::dirty_kib()?.saturating_sub(warm);
    account.suspend().await?;
    account.shut_down().await;
    Ok([grown, 0])
}
