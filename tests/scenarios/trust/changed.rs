//! A known device comes with another key, or with less than it could.

use eft::Event;
use eft_tests::{Rogue, Version};
use eft_types::DeviceAddress;

use super::stage::{
    Stage, assert_reads_nothing, device_log, device_of, legacy_message_without_session,
    wait_for_identity_change, wait_for_unreadable,
};

#[tokio::test]
async fn a_known_device_under_another_key_is_refused_and_told_of() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let before = device_of(&stage.bob, &alice, phone).await;
    let mut rogue = Rogue::new(&alice).unwrap();
    let bobs = DeviceAddress::new(
        stage.bob.account.jid().clone(),
        stage.bob.account.device_id(),
    );
    let forged = rogue
        .write(&stage.server, &bobs, "I am Alice's phone", phone)
        .await
        .unwrap();
    stage.server.inject(&forged).await.unwrap();
    let refused = wait_for_identity_change(&mut stage.bob).await;
    assert_eq!(refused, (alice.clone(), phone.as_u32()));
    wait_for_unreadable(&mut stage.bob, "identity-changed").await;
    let log = device_log(&stage.bob, stage.folder.path());
    let line = (
        alice.to_string(),
        phone.to_string(),
        "identity changed".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");

    // The session with the real phone goes on, and the key that Bob knows is the same.
    assert_eq!(device_of(&stage.bob, &alice, phone).await, before);
    stage.bob.send(&alice, "still you?").await.unwrap();
    stage.phone.wait_for_text("still you?").await.unwrap();
    stage.phone.send(&bobs.jid, "still me").await.unwrap();
    stage.bob.wait_for_text("still me").await.unwrap();

    // The control: the same hand under an id of its own is understood, so it was the key that was refused.
    let honest = rogue
        .write(&stage.server, &bobs, "I am a new device", rogue.id())
        .await
        .unwrap();
    stage.server.inject(&honest).await.unwrap();
    let got = stage.bob.wait_for_text("I am a new device").await.unwrap();
    assert_eq!(got.sender_device, Some(rogue.id()));
    // It stands on no list: nothing is written to it.
    let id = stage.bob.send(&alice, "who are you?").await.unwrap();
    stage.phone.wait_for_text("who are you?").await.unwrap();
    let stanza = stage.archived(&stage.bob, id).await;
    assert_reads_nothing(&rogue.read(&stanza).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_bundle_under_another_key_than_the_known_one_is_refused_and_told_of() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let before = device_of(&stage.bob, &alice, phone).await;
    // The operator swaps the legacy bundle of Alice's phone, and makes Bob ask for it: by a message of a
    // legacy session that he does not have.
    let mut rogue = Rogue::new(&alice).unwrap();
    rogue
        .replace_bundle(&stage.server, phone, Version::Legacy)
        .await
        .unwrap();
    let lure = legacy_message_without_session(&stage.alice, phone, &stage.bob);
    stage.server.inject(&lure).await.unwrap();
    let refused = wait_for_identity_change(&mut stage.bob).await;
    assert_eq!(refused, (alice.clone(), phone.as_u32()));
    wait_for_unreadable(&mut stage.bob, "no-session").await;

    assert_eq!(device_of(&stage.bob, &alice, phone).await, before);
    let id = stage.bob.send(&alice, "still you?").await.unwrap();
    stage.phone.wait_for_text("still you?").await.unwrap();
    assert_reads_nothing(&rogue.read(&stage.archived(&stage.bob, id).await).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_device_that_falls_back_to_legacy_is_told_of_and_gets_nothing() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phone = stage.phone.account.device_id();
    let laptop = stage.laptop.account.device_id();
    // Her phone would put itself back on the list.
    stage.phone.account.shut_down().await;
    let list = format!("<devices xmlns='urn:xmpp:omemo:2'><device id='{laptop}'/></devices>");
    stage
        .server
        .publish_as_operator("alice", "urn:xmpp:omemo:2:devices", "current", &list)
        .await
        .unwrap();
    let told = stage
        .bob
        .wait("the downgrade", |event| match event {
            Event::DeviceDowngraded { jid, device } => Some((jid.clone(), *device)),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(told, (alice.clone(), phone.as_u32()));
    let log = device_log(&stage.bob, stage.folder.path());
    let line = (
        alice.to_string(),
        phone.to_string(),
        "downgraded".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");
    let id = stage.bob.send(&alice, "in the better one").await.unwrap();
    let got = stage
        .laptop
        .wait_for_text("in the better one")
        .await
        .unwrap();
    assert_eq!(got.encryption, eft::Encryption::Omemo2);
    let stanza = stage.archived(&stage.bob, id).await;
    assert!(stanza.contains(&laptop.to_string()), "{stanza}");
    assert!(!stanza.contains(&phone.to_string()), "{stanza}");

    // Alice says that it is so: her phone runs an older app now. It gets what follows, in the older version.
    let address = DeviceAddress::new(alice.clone(), phone);
    stage.bob.account.accept_legacy(&address).await.unwrap();
    let id = stage.bob.send(&alice, "in either one").await.unwrap();
    stage.laptop.wait_for_text("in either one").await.unwrap();
    let stanza = stage.archived(&stage.bob, id).await;
    let (_, legacy) = stanza
        .split_once("<encrypted xmlns='eu.siacs.conversations.axolotl'")
        .unwrap();
    assert!(legacy.contains(&phone.to_string()), "{stanza}");
    stage.close().await;
}
