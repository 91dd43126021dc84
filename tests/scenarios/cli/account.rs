//! Remedies at the terminal: another password, a rebuilt database, the history in a file.

use std::os::unix::fs::FileExt as _;

use super::program::{Desk, Ended, run};
use super::{ALICE, BOB, Stage};

#[tokio::test]
async fn a_password_that_was_changed_elsewhere_is_given_once() {
    let stage = Stage::set().await;
    let alice = stage.desk(&stage.alice);
    assert_eq!(alice.chat(BOB, &[]).end().await.code, Some(0));
    stage
        .server
        .change_password(&stage.alice, "another")
        .await
        .unwrap();
    let refused = alice.chat_without_password(BOB).end().await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(refused.objects().last().unwrap()["code"], "auth-rejected");
    let set = with_environment(&alice, &["--json", "password", ALICE], "another").await;
    assert_eq!(set.objects()[0]["event"], "password-set");
    let chat = alice.chat_without_password(BOB).end().await;
    assert_eq!((chat.code, chat.errors.as_str()), (Some(0), ""), "{chat:?}");
    // Without a terminal and without the variable nothing is changed.
    let asked = alice.run(&["password", ALICE]).await;
    assert_eq!(asked.code, Some(1));
    assert!(asked.errors.contains("EFT_PASSWORD"), "{asked:?}");
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_rebuilt() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    talk(&alice, &bob, "before").await;
    let before = alice.run(&["fingerprint", ALICE]).await.lines;
    let database = std::fs::read_dir(alice.data())
        .unwrap()
        .map(|entry| entry.unwrap().path().join("store.db"))
        .find(|path| path.exists())
        .unwrap();
    let file = std::fs::File::options().write(true).open(database).unwrap();
    file.write_all_at(&[0x55; 512], 1024).unwrap();
    let damaged = alice.run(&["--json", "conversations", ALICE]).await;
    assert_eq!(damaged.objects()[0]["code"], "store-damaged", "{damaged:?}");
    let password = &stage.alice.password;
    let rebuilt = with_environment(&alice, &["--json", "rebuild", ALICE], password).await;
    let told = &rebuilt.objects()[0];
    assert_eq!(told["event"], "rebuilt");
    assert!(told["gaps"].as_u64().unwrap() > 0, "{told}");
    assert!(std::path::Path::new(told["set_aside"].as_str().unwrap()).exists());
    let after = alice.run(&["fingerprint", ALICE]).await.lines;
    assert_ne!(after, before, "a new device");
    let again = with_environment(&alice, &["rebuild", ALICE], password).await;
    assert!(again.lines[0].contains("nothing is known to be missing"));
    assert!(again.lines[2].contains("fingerprint"), "{again:?}");
}

#[tokio::test]
async fn the_history_moves_to_another_desk_in_a_file() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    talk(&alice, &bob, "worth keeping").await;
    let file = stage.folder.path().join("history.eft");
    let file = file.to_str().unwrap();
    let exported = with_environment(&alice, &["--json", "export", ALICE, file], "").await;
    assert_eq!(exported.objects()[0]["event"], "exported", "{exported:?}");
    let new = stage.folder.path().join("new");
    let new = Desk::new(&new, &stage.server, &stage.alice);
    let wrong = with_passphrase(&new, &["--json", "import", ALICE, file], "wrong").await;
    assert_eq!(wrong.objects()[0]["code"], "invalid-input", "{wrong:?}");
    let password = &stage.alice.password;
    let imported = with_environment(&new, &["--json", "import", ALICE, file], password).await;
    assert_eq!(imported.objects()[0]["conversations"], 1, "{imported:?}");
    assert_eq!(new.history(BOB).await[0]["text"], "worth keeping");
}

async fn talk(alice: &Desk, bob: &Desk, text: &str) {
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.wait_for(&[("event", "online")]).await;
    let mut alices = alice.chat(BOB, &[]);
    alices.say(text).await;
    bobs.wait_for(&[("event", "message")]).await;
    assert_eq!(alices.end().await.code, Some(0));
    assert_eq!(bobs.end().await.code, Some(0));
}

async fn with_environment(desk: &Desk, words: &[&str], password: &str) -> Ended {
    let ended = secret(desk, words, password, "correct horse").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

async fn with_passphrase(desk: &Desk, words: &[&str], passphrase: &str) -> Ended {
    secret(desk, words, "any", passphrase).await
}

async fn secret(desk: &Desk, words: &[&str], password: &str, passphrase: &str) -> Ended {
    let mut command = desk.command(words);
    command
        .env("EFT_PASSWORD", password)
        .env("EFT_PASSPHRASE", passphrase);
    run(command).await
}
