//! Accounts without presence subscription: nobody tells us of their new devices unless we ask to be told.

use eft::{BareJid, Delivery, MessageId};
use eft_tests::{Phone, Prosody, Reading, Rogue, Version};
use tempfile::TempDir;

/// Alice writes to Carol, whom she has in no contact list. Carol's devices are those that the story publishes.
struct Stage {
    _folder: TempDir,
    server: Prosody,
    alice: Phone,
    carol: BareJid,
    first: Rogue,
    second: Rogue,
}

impl Stage {
    async fn set(server: Prosody) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alice = server.add_account("alice").await.unwrap();
        let carol = server.add_account("carol").await.unwrap().jid;
        let alice = Phone::online(&server, &alice, "alice", folder.path())
            .await
            .unwrap();
        assert_eq!(alice.account.contacts().await.unwrap(), []);
        let (first, second) = (Rogue::new(&carol).unwrap(), Rogue::new(&carol).unwrap());
        first
            .slip_in(&server, &[], &[Version::Omemo2])
            .await
            .unwrap();
        Self {
            _folder: folder,
            server,
            alice,
            carol,
            first,
            second,
        }
    }

    async fn add_second(&self) {
        let beside = [self.first.id()];
        self.second
            .slip_in(&self.server, &beside, &[Version::Omemo2])
            .await
            .unwrap();
    }

    async fn send(&mut self, text: &str) -> MessageId {
        let id = self.alice.send(&self.carol, text).await.unwrap();
        let delivery = self.alice.wait_until_sent(id).await.unwrap();
        assert_eq!(delivery, Delivery::Acked);
        id
    }

    /// What each of Carol's devices makes of a message.
    async fn read(&mut self, id: MessageId) -> [Option<String>; 2] {
        let history = self.alice.history(&self.carol).await.unwrap();
        let message = history.iter().find(|message| message.id == id).unwrap();
        let origin_id = message.origin_id.as_ref().unwrap().as_str();
        let stanzas = self
            .server
            .archived_stanzas("carol", self.alice.account.jid())
            .await
            .unwrap();
        let stanza = stanzas
            .iter()
            .find(|stanza| stanza.xml.contains(origin_id))
            .unwrap();
        [&mut self.first, &mut self.second].map(|device| {
            let readings = device.read(&stanza.xml).unwrap();
            readings.iter().find_map(Reading::text)
        })
    }
}

#[tokio::test]
async fn a_stranger_s_new_device_is_noticed_before_the_next_message() {
    let mut stage = Stage::set(Prosody::start().await.unwrap()).await;
    let id = stage.send("only one device").await;
    assert_eq!(
        stage.read(id).await,
        [Some("only one device".to_owned()), None]
    );

    // Told at once, by a subscription to the node: nothing is sent meanwhile.
    stage.add_second().await;
    let second = stage.second.id();
    stage
        .alice
        .wait("the second device", |event| match event {
            eft::Event::DeviceAppeared { device } if device.address.device == second => Some(()),
            _ => None,
        })
        .await
        .unwrap();
    let id = stage.send("for both").await;
    let both = Some("for both".to_owned());
    assert_eq!(stage.read(id).await, [both.clone(), both]);
    stage.alice.account.shut_down().await;
}

#[tokio::test]
async fn where_nobody_may_subscribe_the_list_is_fetched_before_each_message() {
    // A service that takes no subscriptions.
    let server = Prosody::start().await.unwrap();
    server.refuse_subscriptions().await.unwrap();
    let mut stage = Stage::set(server).await;
    let id = stage.send("only one device").await;
    assert_eq!(
        stage.read(id).await,
        [Some("only one device".to_owned()), None]
    );
    stage.add_second().await;
    let id = stage.send("for both").await;
    let both = Some("for both".to_owned());
    assert_eq!(stage.read(id).await, [both.clone(), both]);
    // And a device that left is left out.
    let list = format!(
        "<devices xmlns='urn:xmpp:omemo:2'><device id='{}'/></devices>",
        stage.second.id()
    );
    stage
        .server
        .publish_as_operator("carol", "urn:xmpp:omemo:2:devices", "current", &list)
        .await
        .unwrap();
    let id = stage.send("only the second").await;
    assert_eq!(
        stage.read(id).await,
        [None, Some("only the second".to_owned())]
    );
    stage.alice.account.shut_down().await;
}
