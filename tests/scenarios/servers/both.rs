//! One story, each server: what Eft promises depends on no program at the other end.

use std::time::Duration;

use eft::{Delivery, Encryption, Event};
use eft_tests::{Bot, BotOptions, FaultProxy, Phone, Server as _, Version, wait_for};

use super::stage::{ServerKind, Stage, texts, told_on_every_server};

const PATIENCE: Duration = Duration::from_secs(30);

told_on_every_server!(
    a_new_account_talks_on_every_device,
    what_was_sent_meanwhile_is_caught_up_with_once,
    a_legacy_client_is_understood_and_understands,
    a_foreign_client_speaks_the_newer_version,
    a_broken_connection_loses_nothing_and_repeats_nothing,
    a_server_that_restarts_is_found_again,
);

/// Alice's device gets what Bob writes, and her other device a carbon copy of what she writes.
async fn a_new_account_talks_on_every_device(mut stage: Stage) {
    let mut phone = stage.phone(&stage.alice, "phone").await;
    let mut laptop = stage.phone(&stage.alice, "laptop").await;
    phone.accept(&laptop).await.unwrap();
    let mut bobs = stage.phone(&stage.bob, "bobs").await;
    let (alice, bob) = (stage.alice.jid.clone(), stage.bob.jid.clone());
    let id = phone.send(&bob, "tea at four?").await.unwrap();
    assert_eq!(phone.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    let got = bobs.wait_for_text("tea at four?").await.unwrap();
    assert_eq!(
        (got.sender, got.encryption),
        (alice.clone(), Encryption::Omemo2)
    );
    let copy = laptop.wait_for_text("tea at four?").await.unwrap();
    assert!(copy.outgoing, "a carbon copy of our own");
    bobs.send(&alice, "gladly ☕").await.unwrap();
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.wait_for_text("gladly ☕").await.unwrap().sender, bob);
    }
    for (device, peer) in [(&phone, &bob), (&laptop, &bob), (&bobs, &alice)] {
        assert_eq!(texts(device, peer).await, ["tea at four?", "gladly ☕"]);
    }
    // Written to the disk by now, and not readable there.
    stage.server.restart().await.unwrap();
    assert!(
        !stage
            .server
            .files_containing("urn:xmpp:omemo:2")
            .unwrap()
            .is_empty()
    );
    for secret in ["tea at four", "gladly"] {
        let files = stage.server.files_containing(secret).unwrap();
        assert!(files.is_empty(), "{secret:?} in {files:?}");
    }
}

async fn what_was_sent_meanwhile_is_caught_up_with_once(stage: Stage) {
    const COUNT: usize = 70;
    let (mut phone, mut bobs) = stage.one_away().await;
    let (alice, bob) = (stage.alice.jid.clone(), stage.bob.jid.clone());
    let mut expected = vec!["first".to_owned()];
    let mut last = None;
    for number in 0..COUNT {
        let text = format!("missed {number}");
        last = Some(phone.send(&bob, &text).await.unwrap());
        expected.push(text);
    }
    phone.wait_until_sent(last.unwrap()).await.unwrap();
    for _ in 0..2 {
        // As after a restart of the app; the second time there is nothing new.
        bobs.reopen().await.unwrap();
        bobs.connect().await.unwrap();
        bobs.wait_until_caught_up().await.unwrap();
        assert_eq!(texts(&bobs, &alice).await, expected);
    }
}

async fn a_legacy_client_is_understood_and_understands(stage: Stage) {
    foreign_client_talks(stage, Version::Legacy, Encryption::OmemoLegacy).await;
}

async fn a_foreign_client_speaks_the_newer_version(stage: Stage) {
    foreign_client_talks(stage, Version::Omemo2, Encryption::Omemo2).await;
}

async fn foreign_client_talks(stage: Stage, version: Version, encryption: Encryption) {
    let mut phone = stage.phone(&stage.alice, "phone").await;
    let only = BotOptions {
        only: Some(version),
        ..BotOptions::default()
    };
    let mut bot = Bot::start_with(&stage.server, &stage.bob, only)
        .await
        .unwrap();
    for number in 0..3 {
        let text = format!("bonjour {number}");
        bot.send(&stage.alice.jid, &text, version).await.unwrap();
        let got = phone.wait_for_text(&text).await.unwrap();
        assert_eq!(got.encryption, encryption);
        let text = format!("salut {number}");
        phone.send(&stage.bob.jid, &text).await.unwrap();
        let got = bot.wait_for_message(&text, PATIENCE).await.unwrap();
        assert_eq!(got["version"], version.word());
    }
}

async fn a_broken_connection_loses_nothing_and_repeats_nothing(stage: Stage) {
    const ROUNDS: usize = 4;
    let proxy = FaultProxy::start(stage.server.starttls_address())
        .await
        .unwrap();
    let mut phone = stage.phone(&stage.alice, "phone").await;
    let mut bobs = Phone::new(&stage.server, &stage.bob, "bobs", stage.folder.path())
        .await
        .unwrap();
    let mut options = bobs.options().clone();
    options.server.as_mut().unwrap().port = proxy.port();
    bobs.set_options(options);
    bobs.connect().await.unwrap();
    let (alice, bob) = (stage.alice.jid.clone(), stage.bob.jid.clone());
    let (mut to_bob, mut to_alice) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for number in 0..5 {
            let text = format!("round {round} message {number}");
            phone.send(&bob, &text).await.unwrap();
            to_bob.push(text);
            if number == 2 {
                proxy.reset();
            }
            let text = format!("round {round} answer {number}");
            bobs.send(&alice, &text).await.unwrap();
            to_alice.push(text);
        }
        bobs.wait_for_text(to_bob.last().unwrap()).await.unwrap();
        phone.wait_for_text(to_alice.last().unwrap()).await.unwrap();
    }
    let of = async |phone: &Phone, peer, word: &str| {
        let mut texts = texts(phone, peer).await;
        texts.retain(|text| text.contains(word));
        texts
    };
    assert_eq!(of(&bobs, &alice, "message").await, to_bob);
    assert_eq!(of(&phone, &bob, "answer").await, to_alice);
}

async fn a_server_that_restarts_is_found_again(mut stage: Stage) {
    let phone = stage.phone(&stage.alice, "phone").await;
    let mut bobs = stage.phone(&stage.bob, "bobs").await;
    phone.send(&stage.bob.jid, "before").await.unwrap();
    bobs.wait_for_text("before").await.unwrap();
    stage.server.restart().await.unwrap();
    phone.send(&stage.bob.jid, "after").await.unwrap();
    bobs.wait_for_text("after").await.unwrap();
    wait_for("the acknowledgement", PATIENCE, || async {
        let history = phone.history(&stage.bob.jid).await.unwrap();
        history
            .iter()
            .all(|message| message.delivery == Some(Delivery::Acked))
    })
    .await
    .unwrap();
    // Nobody was told of a message twice.
    let mut told = 0;
    let again = bobs.wait("anything twice", |event| {
        told += usize::from(matches!(event, Event::MessageReceived(_)));
        None::<()>
    });
    assert!(
        tokio::time::timeout(Duration::from_secs(1), again)
            .await
            .is_err()
    );
    assert_eq!(told, 0);
}
