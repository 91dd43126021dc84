//! One database, several hands: who may write, and what becomes of a copy that was put back.

#![allow(clippy::unwrap_used, reason = "a test: what goes wrong has to stop it")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use eft::{Account, BareJid, Config, Credentials, Eft, Event, MemorySecretStore};

fn engine(folder: &Path, secrets: &Arc<MemorySecretStore>) -> Eft {
    let config = Config {
        data_dir: folder.to_owned(),
    };
    Eft::open(config, Arc::clone(secrets) as _).unwrap()
}

fn alice() -> BareJid {
    "alice@a.example".parse().unwrap()
}

async fn installed(folder: &Path, secrets: &Arc<MemorySecretStore>) -> Account {
    let credentials = Credentials {
        jid: alice(),
        password: "secret".to_owned().into(),
    };
    let eft = engine(folder, secrets);
    eft.add_account(credentials).await.unwrap()
}

async fn opened(folder: &Path, secrets: &Arc<MemorySecretStore>) -> Account {
    engine(folder, secrets).account(&alice()).await.unwrap()
}

async fn write(account: &Account, text: &str) -> Result<(), eft::Error> {
    let bob = account.conversation("bob@b.example".parse().unwrap());
    bob.send(text).await.map(drop)
}

async fn texts(account: &Account) -> usize {
    let bob = account.conversation("bob@b.example".parse().unwrap());
    bob.timeline(None, 50).await.unwrap().messages.len()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn whoever_wrote_first_has_the_account_and_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Arc::new(MemorySecretStore::new());
    let first = installed(folder.path(), &secrets).await;
    write(&first, "one").await.unwrap();
    let second = opened(folder.path(), &secrets).await;
    assert_eq!(texts(&second).await, 1, "reading needs no right");
    let error = write(&second, "two").await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("store-locked", true));
    write(&first, "three").await.unwrap();
    first.shut_down().await;
    write(&second, "four").await.unwrap();
    assert_eq!(texts(&second).await, 3);
}

#[tokio::test]
async fn a_copy_that_was_put_back_is_told_of_once_and_an_ordinary_restart_never() {
    let folder = tempfile::tempdir().unwrap();
    let backup = tempfile::tempdir().unwrap();
    let secrets = Arc::new(MemorySecretStore::new());
    let account = installed(folder.path(), &secrets).await;
    write(&account, "before").await.unwrap();
    account.shut_down().await;
    copy(folder.path(), backup.path());
    let rolled_back = async |text: &str| {
        let account = opened(folder.path(), &secrets).await;
        let mut events = account.events();
        write(&account, text).await.unwrap();
        account.shut_down().await;
        let mut told = 0;
        while let Some(event) = events.next().await {
            told += usize::from(matches!(event, Event::RolledBack));
        }
        told
    };
    assert_eq!(rolled_back("after").await, 0);
    assert_eq!(rolled_back("again").await, 0);
    fs::remove_dir_all(folder.path()).unwrap();
    copy(backup.path(), folder.path());
    assert_eq!(rolled_back("in the past").await, 1);
    assert_eq!(rolled_back("and on").await, 0);
}
