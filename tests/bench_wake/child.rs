//! The process that is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eft::{
    BareJid, Config, ConnectOptions, Credentials, Eft, FileSecretStore, ServerAddress, WakeReason,
};

use super::Fault;
use eft_bench::memory;

pub(crate) const PART: &str = "EFT_WAKE_PART";
pub(crate) const COUNT: &str = "EFT_WAKE_COUNT";
pub(crate) const FOLDER: &str = "EFT_WAKE_FOLDER";
pub(crate) const PORT: &str = "EFT_WAKE_PORT";
pub(crate) const AUTHORITY: &str = "EFT_WAKE_AUTHORITY";
pub(crate) const JID: &str = "EFT_WAKE_JID";
pub(crate) const PASSWORD: &str = "EFT_WAKE_PASSWORD";

/// Makes the account and logs in once. Prints 0.
pub(crate) const INSTALLS: &str = "installs";
/// Wakes up once, for so many messages. Prints the growth of its memory.
pub(crate) const WAKES_UP: &str = "wakes up";
/// Wakes up so many times. Prints the growth since the first hundred.
pub(crate) const WAKES_OFTEN: &str = "wakes often";

/// What an extension has.
const WITHIN: Duration = Duration::from_secs(25);

pub(crate) fn is_child() -> bool {
    std::env::var_os(PART).is_some()
}

pub(crate) async fn run(at_entry: u64) -> Result<(), Fault> {
    let folder = PathBuf::from(std::env::var(FOLDER)?);
    let secrets = Arc::new(FileSecretStore::new(folder.join("keys"))?);
    let config = Config {
        data_dir: folder.join("data"),
    };
    let eft = Eft::open(config, secrets)?.for_extension();
    let jid: BareJid = std::env::var(JID)?.parse()?;
    let count: usize = std::env::var(COUNT)?.parse()?;
    let number = match std::env::var(PART)?.as_str() {
        INSTALLS => install(&eft, jid).await?,
        WAKES_UP => wake(&eft, &jid, count, at_entry).await?,
        _ => wake_often(&eft, &jid, count).await?,
    };
    println!("{number}");
    Ok(())
}

fn options() -> Result<ConnectOptions, Fault> {
    Ok(ConnectOptions {
        server: Some(ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: std::env::var(PORT)?.parse()?,
            direct_tls: false,
        }),
        extra_roots_pem: Some(std::fs::read_to_string(std::env::var(AUTHORITY)?)?),
        ..ConnectOptions::default()
    })
}

async fn install(eft: &Eft, jid: BareJid) -> Result<u64, Fault> {
    let password = std::env::var(PASSWORD)?.into();
    let account = eft.add_account(Credentials { jid, password }).await?;
    account.connect(options()?).await?;
    // Until the archive is known to be empty.
    account.handle_push(options()?, WITHIN).await?;
    account.suspend().await?;
    account.shut_down().await;
    Ok(0)
}

async fn wake(eft: &Eft, jid: &BareJid, count: usize, at_entry: u64) -> Result<u64, Fault> {
    let watch = memory::Watch::start();
    let account = eft.account(jid).await?;
    let mut told = 0;
    loop {
        let outcome = account.handle_push(options()?, WITHIN).await?;
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
    Ok(watch.end().saturating_sub(at_entry))
}

async fn wake_often(eft: &Eft, jid: &BareJid, count: usize) -> Result<u64, Fault> {
    const WARM: usize = 100;
    let account = eft.account(jid).await?;
    let mut warm = 0;
    for round in 0..count {
        let outcome = account.handle_push(options()?, WITHIN).await?;
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
    Ok(grown)
}
