//! A contact says, encrypted, that it wishes no more encryption (XEP-0384 §5.9).

use eft::{BareJid, Content, Delivery, Encryption, Event, MessageId, OptOut};
use eft_tests::{Login, Phone, Prosody, Reading, Rogue, Version};
use eft_types::DeviceAddress;
use eft_xmpp::xep::omemo2;
use tempfile::TempDir;

use crate::cli::program::Desk;

const REASON: &str = "Our house keeps a record of every conversation.";

/// Carol has one device, which says what the story wants; Bob is her contact.
struct Stage {
    folder: TempDir,
    server: Prosody,
    bob: Login,
    carol: BareJid,
    carols: Rogue,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Prosody::start().await.unwrap();
        let bob = server.add_account("bob").await.unwrap();
        let carol = server.add_account("carol").await.unwrap();
        server.befriend("bob", "carol").await.unwrap();
        let carols = Rogue::new(&carol.jid).unwrap();
        carols
            .slip_in(&server, &[], &[Version::Omemo2])
            .await
            .unwrap();
        Self {
            folder,
            server,
            bob,
            carol: carol.jid,
            carols,
        }
    }

    async fn opt_out(&mut self, bobs: &DeviceAddress) {
        let wish = omemo2::OptOut {
            reason: Some(REASON.to_owned()),
        };
        let id = self.carols.id();
        let stanza = self
            .carols
            .write_content(&self.server, bobs, wish.to_element(), id)
            .await
            .unwrap();
        self.server.inject(&stanza).await.unwrap();
    }

    /// The text that Carol's device finds in what Bob sent.
    async fn carol_reads(&mut self, bobs: &Phone, id: MessageId) -> Option<String> {
        let history = bobs.history(&self.carol).await.unwrap();
        let message = history.iter().find(|message| message.id == id).unwrap();
        let origin_id = message.origin_id.as_ref().unwrap().as_str();
        let stanzas = self
            .server
            .archived_stanzas("carol", &self.bob.jid)
            .await
            .unwrap();
        let stanza = stanzas
            .iter()
            .find(|stanza| stanza.xml.contains(origin_id))?;
        let readings = self.carols.read(&stanza.xml).unwrap();
        readings.iter().find_map(Reading::text)
    }
}

async fn wait_for_opt_out(phone: &mut Phone) -> (BareJid, OptOut) {
    phone
        .wait("the opt-out", |event| match event {
            Event::OptedOut { jid, opt_out } => Some((jid.clone(), opt_out.clone())),
            _ => None,
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn an_opt_out_stops_what_is_sent_until_the_user_goes_on_encrypted() {
    let mut stage = Stage::set().await;
    let carol = stage.carol.clone();
    let mut bobs = Phone::online(&stage.server, &stage.bob, "bob", stage.folder.path())
        .await
        .unwrap();
    let address = DeviceAddress::new(stage.bob.jid.clone(), bobs.account.device_id());
    let before = bobs.send(&carol, "before").await.unwrap();
    assert_eq!(bobs.wait_until_sent(before).await.unwrap(), Delivery::Acked);

    stage.opt_out(&address).await;
    let (jid, told) = wait_for_opt_out(&mut bobs).await;
    assert_eq!(
        (&jid, told.reason.as_deref()),
        (&carol, Some(REASON)),
        "the user is told who, and why"
    );
    let error = bobs.send(&carol, "too late").await.unwrap_err();
    assert_eq!(error.code(), "opted-out", "{error}");

    // It outlives the process.
    bobs.reopen().await.unwrap();
    let conversation = bobs.account.conversation(carol.clone());
    assert_eq!(conversation.opt_out().await.unwrap(), Some(told));
    assert!(bobs.send(&carol, "too late").await.is_err());
    bobs.connect().await.unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    assert!(bobs.send(&carol, "too late").await.is_err());

    // Bob goes on, encrypted; the session is the same, and Carol's device reads it.
    conversation.keep_encrypted().await.unwrap();
    let after = bobs.send(&carol, "encrypted as before").await.unwrap();
    assert_eq!(bobs.wait_until_sent(after).await.unwrap(), Delivery::Acked);
    let read = stage.carol_reads(&bobs, after).await;
    assert_eq!(read.as_deref(), Some("encrypted as before"));
    let history = bobs.history(&carol).await.unwrap();
    let rows: Vec<_> = history
        .iter()
        .map(|message| (&message.content, message.encryption))
        .collect();
    let [first, second] =
        ["before", "encrypted as before"].map(|text| Content::Text(text.to_owned()));
    assert_eq!(
        rows,
        [(&first, Encryption::Omemo2), (&second, Encryption::Omemo2)],
        "an opt-out is no message, and nothing went out in the clear"
    );
    let archive = stage.server.archive_text("carol").unwrap();
    assert!(!archive.contains("too late"), "{archive}");
    bobs.account.shut_down().await;
}

#[tokio::test]
async fn what_was_queued_before_an_opt_out_came_fails_and_says_so() {
    let mut stage = Stage::set().await;
    let carol = stage.carol.clone();
    let mut bobs = Phone::online(&stage.server, &stage.bob, "bob", stage.folder.path())
        .await
        .unwrap();
    let address = DeviceAddress::new(stage.bob.jid.clone(), bobs.account.device_id());
    bobs.account.disconnect().await;
    let queued = bobs.send(&carol, "written in a tunnel").await.unwrap();
    stage.opt_out(&address).await;
    bobs.connect().await.unwrap();
    wait_for_opt_out(&mut bobs).await;
    let failed = Delivery::Failed {
        reason: "opted-out".to_owned(),
    };
    assert_eq!(bobs.wait_until_sent(queued).await.unwrap(), failed);
    bobs.account.shut_down().await;
}

#[tokio::test]
async fn the_terminal_tells_of_an_opt_out_and_takes_the_answer() {
    let mut stage = Stage::set().await;
    let carol = stage.carol.to_string();
    let desk = Desk::new(stage.folder.path(), &stage.server, &stage.bob);
    let mut bobs = desk.chat(&carol, &["--follow"]);
    bobs.wait_for(&[("event", "online")]).await;
    let shown = desk
        .run(&["--json", "fingerprint", stage.bob.jid.as_str()])
        .await
        .objects();
    let device = shown[0]["device"].as_u64().unwrap();
    let device = eft_types::DeviceId::new(u32::try_from(device).unwrap()).unwrap();
    let address = DeviceAddress::new(stage.bob.jid.clone(), device);
    stage.opt_out(&address).await;
    let told = bobs.wait_for(&[("event", "opted-out")]).await;
    assert_eq!(told["reason"], REASON);
    bobs.say("too late").await;
    let refused = bobs.wait_for(&[("event", "refused")]).await;
    assert_eq!(refused["code"], "opted-out");
    bobs.kill().await;

    let conversation = ["--json", "conversation", stage.bob.jid.as_str(), &carol];
    let shown = desk.run(&conversation).await.objects();
    assert_eq!(shown[0]["opted_out"], true, "{shown:?}");
    assert_eq!(shown[0]["reason"], REASON);
    let answer = [&conversation[..], &["--keep-encrypted"]].concat();
    let shown = desk.run(&answer).await.objects();
    assert_eq!(shown[0]["opted_out"], false, "{shown:?}");
    let mut bobs = desk.chat(&carol, &[]);
    bobs.say("encrypted as before").await;
    bobs.wait_for(&[("delivery", "acked")]).await;
    let ended = bobs.end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
