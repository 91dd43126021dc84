//! Where the stories are told that have to be the same on every server.

use eft::{BareJid, Content};
pub(super) use eft_tests::ServerKind;
use eft_tests::{AnyServer, Login, Phone};
use tempfile::TempDir;

/// A server with three accounts, and a folder for everybody's files.
pub(super) struct Stage {
    pub(super) server: AnyServer,
    pub(super) alice: Login,
    pub(super) bob: Login,
    pub(super) folder: TempDir,
}

impl Stage {
    pub(super) async fn set(kind: ServerKind) -> Self {
        let server = AnyServer::start(kind).await.unwrap();
        Self {
            alice: server.add_account("alice").await.unwrap(),
            bob: server.add_account("bob").await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            server,
        }
    }

    pub(super) async fn phone(&self, login: &Login, name: &str) -> Phone {
        Phone::online(&self.server, login, name, self.folder.path())
            .await
            .unwrap()
    }

    /// Alice's phone, and Bob's, which got her "first" and then left.
    pub(super) async fn one_away(&self) -> (Phone, Phone) {
        let phone = self.phone(&self.alice, "phone").await;
        let mut bobs = self.phone(&self.bob, "bobs").await;
        phone.send(&self.bob.jid, "first").await.unwrap();
        bobs.wait_for_text("first").await.unwrap();
        bobs.account.disconnect().await;
        (phone, bobs)
    }
}

/// Makes a test of each story for each kind of server.
macro_rules! told_on_every_server {
    ($($story:ident),* $(,)?) => {
        mod prosody {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::Stage::set(super::ServerKind::Prosody).await).await;
            })*
        }
        mod ejabberd {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::Stage::set(super::ServerKind::Ejabberd).await).await;
            })*
        }
    };
}
pub(super) use told_on_every_server;

/// The conversation, all of which can be read.
pub(super) async fn texts(phone: &Phone, peer: &BareJid) -> Vec<String> {
    let history = phone.history(peer).await.unwrap();
    history
        .into_iter()
        .map(|message| match message.content {
            Content::Text(text) => text,
            Content::Unreadable(why) => panic!("unreadable on {}: {why}", phone.name),
        })
        .collect()
}
