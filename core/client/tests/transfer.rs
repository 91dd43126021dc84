//! The history goes to another device in a file.

#![allow(clippy::unwrap_used, reason = "a test: what goes wrong has to stop it")]

use std::path::Path;
use std::sync::Arc;

use eft::{Account, BareJid, Config, Content, Credentials, Eft, IdentityKey, MemorySecretStore};

const PASSPHRASE: &str = "correct horse battery staple";

fn engine(folder: &Path) -> Eft {
    let config = Config {
        data_dir: folder.to_owned(),
    };
    Eft::open(config, Arc::new(MemorySecretStore::new())).unwrap()
}

fn credentials() -> Credentials {
    Credentials {
        jid: "alice@a.example".parse().unwrap(),
        password: "secret".to_owned().into(),
    }
}

fn bob() -> BareJid {
    "bob@b.example".parse().unwrap()
}

async fn texts(account: &Account) -> Vec<String> {
    let page = account
        .conversation(bob())
        .timeline(None, 50)
        .await
        .unwrap();
    let text = |content: &Content| match content {
        Content::Text(text) => text.clone(),
        Content::Unreadable(why) => why.to_string(),
    };
    page.messages
        .iter()
        .map(|message| text(&message.content))
        .collect()
}

#[tokio::test]
async fn a_new_device_has_the_history_and_the_identity_only_if_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let old = engine(&folder.path().join("old"))
        .add_account(credentials())
        .await
        .unwrap();
    for text in ["one", "two"] {
        old.conversation(bob()).send(text).await.unwrap();
    }
    for (name, identity) in [("stays", IdentityKey::Stays), ("moves", IdentityKey::Moves)] {
        let file = folder.path().join(name);
        let exported = old.export(&file, PASSPHRASE, identity).await.unwrap();
        assert_eq!(exported.message_count, 2);
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"b.example"));
        let new = engine(&folder.path().join(format!("new-{name}")));
        let new = new
            .import_account(credentials(), &file, PASSPHRASE)
            .await
            .unwrap();
        assert_eq!(texts(&new).await, texts(&old).await);
        assert_ne!(new.device_id(), old.device_id());
        let is_same = new.fingerprint() == old.fingerprint();
        assert_eq!(is_same, identity == IdentityKey::Moves, "{name}");
        new.shut_down().await;
    }
    old.shut_down().await;
}

#[tokio::test]
async fn what_cannot_be_imported_leaves_an_account_that_can_be_set_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let old = engine(&folder.path().join("old"))
        .add_account(credentials())
        .await
        .unwrap();
    old.conversation(bob()).send("one").await.unwrap();
    let file = folder.path().join("file");
    let error = old.export(&file, "", IdentityKey::Stays).await.unwrap_err();
    assert_eq!(error.code(), "invalid-input");
    assert!(!file.exists() && !folder.path().join("file.part").exists());
    old.export(&file, PASSPHRASE, IdentityKey::Stays)
        .await
        .unwrap();
    let whole = std::fs::read(&file).unwrap();
    let cut = folder.path().join("cut");
    std::fs::write(&cut, &whole[..whole.len() - 10]).unwrap();

    let new = engine(&folder.path().join("new"));
    for (path, passphrase) in [
        (&file, "another"),
        (&cut, PASSPHRASE),
        (&folder.path().join("nothing"), PASSPHRASE),
    ] {
        let error = new
            .import_account(credentials(), path, passphrase)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "invalid-input", "{error}");
    }
    let account = new
        .import_account(credentials(), &file, PASSPHRASE)
        .await
        .unwrap();
    assert_eq!(texts(&account).await, ["one"]);
    let again = new
        .import_account(credentials(), &file, PASSPHRASE)
        .await
        .unwrap_err();
    assert_eq!(again.code(), "invalid-input", "it has a device already");
}
