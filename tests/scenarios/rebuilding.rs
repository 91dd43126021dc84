//! A database that is damaged, or whose key is lost: the user decides, and goes on as a new device.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use eft::{BareJid, Content, Error, KeyFault};
use eft_tests::{Login, Phone, Prosody};

/// Alice and Bob, who have talked.
struct Talk {
    folder: tempfile::TempDir,
    alice: Login,
    bob: Login,
    alices: Phone,
    bobs: Phone,
    _server: Prosody,
}

impl Talk {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Prosody::start().await.unwrap();
        let alice = server.add_account("alice").await.unwrap();
        let bob = server.add_account("bob").await.unwrap();
        let mut alices = Phone::online(&server, &alice, "alice", folder.path())
            .await
            .unwrap();
        let mut bobs = Phone::online(&server, &bob, "bob", folder.path())
            .await
            .unwrap();
        alices.send(&bob.jid, "before").await.unwrap();
        bobs.wait_for_text("before").await.unwrap();
        bobs.send(&alice.jid, "also before").await.unwrap();
        alices.wait_for_text("also before").await.unwrap();
        Self {
            folder,
            alice,
            bob,
            alices,
            bobs,
            _server: server,
        }
    }

    /// Where Alice's phone has its files.
    fn file(&self, ending: &str) -> PathBuf {
        find(self.folder.path().join("alice").as_path(), ending)
    }

    /// Both talk, and Alice's device is another than before.
    async fn goes_on(&mut self, before: eft::DeviceId) {
        assert_ne!(self.alices.account.device_id(), before);
        self.alices.connect().await.unwrap();
        self.bobs.accept(&self.alices).await.unwrap();
        self.alices.send(&self.bob.jid, "after").await.unwrap();
        self.bobs.wait_for_text("after").await.unwrap();
        self.bobs.send(&self.alice.jid, "also after").await.unwrap();
        self.alices.wait_for_text("also after").await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_database_is_told_of_and_rebuilt_when_the_user_says_so() {
    let mut talk = Talk::begin().await;
    let before = talk.alices.account.device_id();
    talk.alices.account.shut_down().await;
    // The first page: without the schema nothing can be found.
    let database = talk.file("store.db");
    let file = OpenOptions::new().write(true).open(&database).unwrap();
    file.write_all_at(&[0x55; 512], 1024).unwrap();
    for _ in 0..2 {
        let error = talk.alices.reopen().await.unwrap_err();
        assert!(matches!(error, Error::StoreDamaged { .. }), "{error:?}");
    }
    let (_, gap_count) = talk.alices.rebuild(&talk.alice).await.unwrap();
    assert!(gap_count > 0, "what cannot be read is told of");
    talk.goes_on(before).await;
    // It opens as any other from now on.
    talk.alices.reopen().await.unwrap();
    assert!(
        texts(&talk.alices, &talk.bob.jid)
            .await
            .contains(&"after".to_owned())
    );
    assert!(
        talk.file("store.db.damaged-1").exists(),
        "nothing was deleted"
    );
}

#[tokio::test]
async fn a_sound_database_keeps_its_history_when_the_device_is_made_anew() {
    let mut talk = Talk::begin().await;
    let before = talk.alices.account.device_id();
    let (message_count, gap_count) = talk.alices.rebuild(&talk.alice).await.unwrap();
    assert_eq!((message_count, gap_count), (2, 0));
    talk.goes_on(before).await;
    let texts = texts(&talk.alices, &talk.bob.jid).await;
    assert_eq!(texts, ["before", "also before", "after", "also after"]);
}

#[tokio::test]
async fn without_its_key_an_account_begins_anew_and_the_old_files_stay() {
    let mut talk = Talk::begin().await;
    let before = talk.alices.account.device_id();
    talk.alices.account.shut_down().await;
    talk.alices.lose_keys();
    let error = talk.alices.reopen().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::KeyUnavailable {
                fault: KeyFault::Lost,
                ..
            }
        ),
        "{error:?}"
    );
    let (message_count, gap_count) = talk.alices.rebuild(&talk.alice).await.unwrap();
    assert_eq!((message_count, gap_count), (0, 1));
    talk.goes_on(before).await;
    assert!(talk.file("store.db.damaged-1").exists());
}

#[tokio::test]
async fn another_accounts_database_is_not_rebuilt() {
    let mut talk = Talk::begin().await;
    let error = talk.alices.rebuild(&talk.bob).await.unwrap_err();
    assert_eq!(error.code(), "invalid-input", "{error}");
    talk.alices.reopen().await.unwrap();
    assert_eq!(texts(&talk.alices, &talk.bob.jid).await.len(), 2);
}

async fn texts(phone: &Phone, peer: &BareJid) -> Vec<String> {
    let history = phone.history(peer).await.unwrap();
    let text = |message: eft::Message| match message.content {
        Content::Text(text) => Some(text),
        Content::Unreadable(_) => None,
    };
    history.into_iter().filter_map(text).collect()
}

/// The file of this name below a folder.
fn find(folder: &Path, name: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.find_map(|path| {
        let inside = path.join(name);
        (path.is_dir() && inside.exists()).then_some(inside)
    });
    found.unwrap_or_else(|| folder.join(name))
}
