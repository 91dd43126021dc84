//! A device appears that was not there: the operator's, or a new one of a contact.

use eft::{Delivery, Trust};
use eft_tests::{Phone, Reading, Rogue, Version};

use super::stage::{
    COMPARED, REFUSED, Stage, assert_asked_first, assert_reads_nothing, decide, device_log,
    device_of, texts, wait_for_device, wait_for_unreadable,
};

#[tokio::test]
async fn a_device_that_the_operator_adds_reads_nothing_of_who_once_compared_a_fingerprint() {
    an_added_device(&[Version::Omemo2, Version::Legacy]).await;
}

#[tokio::test]
async fn nor_does_one_that_is_added_to_the_legacy_list_alone() {
    an_added_device(&[Version::Legacy]).await;
}

/// The rogue appears on Alice's lists of these versions.
async fn an_added_device(versions: &[Version]) {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phones = stage.phone.account.fingerprint();
    decide(&stage.bob, &alice, phones, COMPARED).await;
    let mut rogue = Rogue::new(&alice).unwrap();
    let number = rogue.id().to_string();
    rogue
        .slip_in(&stage.server, &stage.real(), versions)
        .await
        .unwrap();

    // Everybody is told, Alice above all.
    for device in [
        &mut stage.bob,
        &mut stage.dave,
        &mut stage.phone,
        &mut stage.laptop,
    ] {
        let appeared = wait_for_device(device, rogue.id()).await;
        assert_eq!(appeared.address.jid, alice, "{}", device.name);
        assert!(appeared.listed, "{}", device.name);
        assert!(
            device_log(device, stage.folder.path()).contains(&(
                alice.to_string(),
                number.clone(),
                "appeared".to_owned()
            )),
            "{}",
            device.name
        );
    }

    // Bob is asked before anything leaves.
    assert_asked_first(&mut stage.bob, &alice, "who reads this?", &alice, &rogue).await;

    // He asks Alice, and says no.
    decide(&stage.bob, &alice, rogue.fingerprint(), REFUSED).await;
    let id = stage.bob.send(&alice, "only for you").await.unwrap();
    assert_eq!(
        stage.bob.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    for device in [&mut stage.phone, &mut stage.laptop] {
        device.wait_for_text("only for you").await.unwrap();
        let texts = texts(device, stage.bob.account.jid()).await;
        assert_eq!(texts, ["Bob was here", "only for you"], "{}", device.name);
    }
    let stanza = stage.archived(&stage.bob, id).await;
    for real in stage.real() {
        assert!(stanza.contains(&real.to_string()), "{stanza}");
    }
    assert!(!stanza.contains(&number), "{stanza}");
    assert_reads_nothing(&rogue.read(&stanza).unwrap());
    let archive = stage.server.archive_text("alice").unwrap();
    assert!(!archive.contains(&number), "a key for it is in the archive");

    // The control: Dave never compared anything. His message has a key for it, and it reads the text.
    let id = stage.dave.send(&alice, "tea at four?").await.unwrap();
    assert_eq!(
        stage.dave.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    let trust = device_of(&stage.dave, &alice, rogue.id()).await.trust;
    assert_eq!(trust, Trust::BlindlyTrusted);
    let stanza = stage.archived(&stage.dave, id).await;
    assert!(stanza.contains(&number), "{stanza}");
    let readings = rogue.read(&stanza).unwrap();
    let read: Vec<_> = readings.iter().filter_map(Reading::text).collect();
    assert_eq!(read, ["tea at four?"], "{readings:?}");
    let archive = stage.server.archive_text("alice").unwrap();
    assert!(archive.contains(&number), "the search sees no key");
    stage.close().await;
}

#[tokio::test]
async fn a_device_that_the_operator_adds_to_our_own_list_gets_no_copies_of_what_we_write() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let bob = stage.bob.account.jid().clone();
    let mut rogue = Rogue::new(&alice).unwrap();
    rogue
        .slip_in(
            &stage.server,
            &stage.real(),
            &[Version::Omemo2, Version::Legacy],
        )
        .await
        .unwrap();
    wait_for_device(&mut stage.phone, rogue.id()).await;

    // Alice is asked before anything leaves, although she never compared a fingerprint of Bob's.
    let id = assert_asked_first(&mut stage.phone, &bob, "for Bob and me", &alice, &rogue).await;

    // It is not hers. The same message goes out after that, once.
    decide(&stage.phone, &alice, rogue.fingerprint(), REFUSED).await;
    let log = device_log(&stage.phone, stage.folder.path());
    let line = (
        alice.to_string(),
        rogue.id().to_string(),
        "distrusted".to_owned(),
    );
    assert!(log.contains(&line), "{log:?}");
    let conversation = stage.phone.account.conversation(bob.clone());
    conversation.resend(id).await.unwrap();
    assert_eq!(
        stage.phone.wait_until_sent(id).await.unwrap(),
        Delivery::Acked
    );
    let got = stage.bob.wait_for_text("for Bob and me").await.unwrap();
    stage.laptop.wait_for_text("for Bob and me").await.unwrap();
    let history = stage.phone.history(&bob).await.unwrap();
    let sent = history.iter().find(|message| message.id == id).unwrap();
    assert_eq!(sent.origin_id, got.origin_id, "the id that it had");
    let stanzas = stage.server.archived_stanzas("bob", &alice).await.unwrap();
    let origin_id = sent.origin_id.as_ref().unwrap().as_str();
    let copies: Vec<_> = stanzas
        .iter()
        .filter(|stanza| stanza.xml.contains(origin_id))
        .collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(!copies[0].xml.contains(&rogue.id().to_string()));
    assert_reads_nothing(&rogue.read(&copies[0].xml).unwrap());
    stage.close().await;
}

#[tokio::test]
async fn a_new_device_of_a_verified_contact_waits_for_the_user_and_then_gets_messages() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let phones = stage.phone.account.fingerprint();
    decide(&stage.bob, &alice, phones, COMPARED).await;
    let folder = stage.folder.path();
    let mut tablet = Phone::online(&stage.server, &stage.alice, "alice-tablet", folder)
        .await
        .unwrap();
    let tablet_id = tablet.account.device_id();
    wait_for_device(&mut stage.bob, tablet_id).await;
    let id = stage.bob.send(&alice, "too early").await.unwrap();
    let delivery = stage.bob.wait_until_sent(id).await.unwrap();
    assert!(matches!(delivery, Delivery::Failed { .. }), "{delivery:?}");

    let tablets = tablet.account.fingerprint();
    let shown = device_of(&stage.bob, &alice, tablet_id).await;
    assert_eq!(shown.fingerprint, Some(tablets));
    decide(&stage.bob, &alice, tablets, COMPARED).await;
    stage.bob.send(&alice, "in time").await.unwrap();
    for device in [&mut stage.phone, &mut stage.laptop, &mut tablet] {
        device.wait_for_text("in time").await.unwrap();
    }
    assert_eq!(texts(&tablet, stage.bob.account.jid()).await, ["in time"]);
    tablet.account.shut_down().await;
    stage.close().await;
}

#[tokio::test]
async fn a_distrusted_device_gets_no_content_until_it_is_trusted_again() {
    let mut stage = Stage::set().await;
    let alice = stage.alice.jid.clone();
    let bob = stage.bob.account.jid().clone();
    let laptops = stage.laptop.account.fingerprint();
    decide(&stage.bob, &alice, laptops, REFUSED).await;
    stage.bob.send(&alice, "not for the laptop").await.unwrap();
    stage
        .phone
        .wait_for_text("not for the laptop")
        .await
        .unwrap();
    wait_for_unreadable(&mut stage.laptop, "not-for-this-device").await;
    let trust = device_of(&stage.bob, &alice, stage.laptop.account.device_id())
        .await
        .trust;
    assert_eq!(trust, Trust::Distrusted);

    // The same among Alice's own devices: Bob gets it, her laptop does not.
    decide(&stage.phone, &alice, laptops, REFUSED).await;
    let text = "neither is this";
    stage.phone.send(&bob, text).await.unwrap();
    stage.bob.wait_for_text(text).await.unwrap();
    wait_for_unreadable(&mut stage.laptop, "not-for-this-device").await;

    decide(&stage.bob, &alice, laptops, COMPARED).await;
    stage.bob.send(&alice, "for both again").await.unwrap();
    stage.phone.wait_for_text("for both again").await.unwrap();
    stage.laptop.wait_for_text("for both again").await.unwrap();
    stage.close().await;
}
