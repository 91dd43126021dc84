//! Two devices of Alice and one of Bob talk through a real server.

use eft::{Content, Delivery, Encryption};
use eft_tests::{Phone, Prosody};

#[tokio::test]
async fn every_device_of_both_sides_shows_a_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut laptop = Phone::online(&server, &alice, "alice-laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob-phone", folder.path())
        .await
        .unwrap();

    let id = phone.send(&bob.jid, "tea at four?").await.unwrap();
    assert_eq!(phone.wait_until_sent(id).await.unwrap(), Delivery::Acked);
    let got = bobs.wait_for_text("tea at four?").await.unwrap();
    assert_eq!(got.encryption, Encryption::Omemo2);
    assert_eq!(got.sender, alice.jid);
    assert_eq!(got.sender_device, Some(phone.account.device_id()));
    assert!(!got.outgoing);
    let copy = laptop.wait_for_text("tea at four?").await.unwrap();
    assert!(copy.outgoing, "the laptop shows it as ours");
    assert_eq!(copy.conversation, bob.jid);

    bobs.send(&alice.jid, "gladly ☕").await.unwrap();
    for device in [&mut phone, &mut laptop] {
        let got = device.wait_for_text("gladly ☕").await.unwrap();
        assert_eq!(got.sender, bob.jid);
        assert_eq!(got.encryption, Encryption::Omemo2);
    }
    // Once each, and nothing unreadable.
    for (device, peer) in [(&phone, &bob.jid), (&laptop, &bob.jid), (&bobs, &alice.jid)] {
        let texts: Vec<_> = device
            .history(peer)
            .await
            .unwrap()
            .into_iter()
            .map(|message| message.content)
            .collect();
        let expected = ["tea at four?", "gladly ☕"].map(|text| Content::Text(text.to_owned()));
        assert_eq!(texts, expected, "{}", device.name);
    }
    // The server archived both and can read neither.
    for secret in ["tea at four", "gladly"] {
        assert_eq!(
            server.files_containing(secret).unwrap(),
            Vec::<std::path::PathBuf>::new()
        );
    }
    assert!(
        server
            .archive_text("bob")
            .unwrap()
            .contains("urn:xmpp:omemo:2")
    );
}

#[tokio::test]
async fn messages_sent_while_bob_is_away_arrive_in_order_and_once() {
    const COUNT: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let laptop = Phone::online(&server, &alice, "alice-laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob-phone", folder.path())
        .await
        .unwrap();
    phone.send(&bob.jid, "hello").await.unwrap();
    bobs.wait_for_text("hello").await.unwrap();
    bobs.account.disconnect().await;

    let mut last = None;
    for number in 0..COUNT {
        last = Some(
            phone
                .send(&bob.jid, &format!("phone {number}"))
                .await
                .unwrap(),
        );
        laptop
            .send(&bob.jid, &format!("laptop {number}"))
            .await
            .unwrap();
    }
    assert_eq!(
        phone.wait_until_sent(last.unwrap()).await.unwrap(),
        Delivery::Acked
    );
    phone
        .wait_for_text(&format!("laptop {}", COUNT - 1))
        .await
        .unwrap();

    for device in [&phone, &laptop] {
        let failed: Vec<_> = device
            .history(&bob.jid)
            .await
            .unwrap()
            .into_iter()
            .filter(|message| matches!(message.delivery, Some(Delivery::Failed { .. })))
            .collect();
        assert!(failed.is_empty(), "{}: {failed:?}", device.name);
    }

    // As after a restart of the app.
    bobs.reopen().await.unwrap();
    bobs.connect().await.unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    let history = bobs.history(&alice.jid).await.unwrap();
    for device in ["phone", "laptop"] {
        let of_device: Vec<_> = history
            .iter()
            .filter_map(|message| match &message.content {
                Content::Text(text) => text.strip_prefix(&format!("{device} ")),
                Content::Unreadable(why) => panic!("unreadable: {why}"),
            })
            .map(|number| number.parse::<usize>().unwrap())
            .collect();
        assert_eq!(of_device, (0..COUNT).collect::<Vec<_>>(), "{device}");
    }
    assert_eq!(history.len(), 2 * COUNT + 1);

    // Again from the archive: nothing new, nothing twice.
    bobs.reopen().await.unwrap();
    bobs.connect().await.unwrap();
    bobs.wait_until_caught_up().await.unwrap();
    assert_eq!(bobs.history(&alice.jid).await.unwrap().len(), 2 * COUNT + 1);
}

#[tokio::test]
async fn a_message_queued_offline_goes_out_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob-phone", folder.path())
        .await
        .unwrap();
    let mut phone = Phone::new(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    phone.send(&bob.jid, "written in a tunnel").await.unwrap();
    phone.reopen().await.unwrap();
    phone.connect().await.unwrap();
    bobs.wait_for_text("written in a tunnel").await.unwrap();
}

#[tokio::test]
async fn a_note_to_oneself_reaches_the_other_device() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut laptop = Phone::online(&server, &alice, "alice-laptop", folder.path())
        .await
        .unwrap();
    phone.accept(&laptop).await.unwrap();
    phone.send(&alice.jid, "buy milk").await.unwrap();
    laptop.wait_for_text("buy milk").await.unwrap();
    let history = phone.history(&alice.jid).await.unwrap();
    assert_eq!(history.len(), 1, "{history:?}");
}

#[tokio::test]
async fn sessions_that_the_user_resets_are_new_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Prosody::start().await.unwrap();
    let alice = server.add_account("alice").await.unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let mut phone = Phone::online(&server, &alice, "alice-phone", folder.path())
        .await
        .unwrap();
    let mut bobs = Phone::online(&server, &bob, "bob-phone", folder.path())
        .await
        .unwrap();
    phone.send(&bob.jid, "before").await.unwrap();
    bobs.wait_for_text("before").await.unwrap();
    bobs.send(&alice.jid, "answer").await.unwrap();
    phone.wait_for_text("answer").await.unwrap();
    let archived = |server: &Prosody| server.archive_text("bob").unwrap().matches("kex").count();
    let key_exchanges = archived(&server);

    // Nobody else's, the one with Bob, and all there are.
    let stranger = "stranger@eft.test".parse().unwrap();
    let account = phone.account.clone();
    assert_eq!(account.reset_sessions(Some(&stranger)).await.unwrap(), 0);
    assert_eq!(account.reset_sessions(Some(&bob.jid)).await.unwrap(), 1);
    // The new session is told to Bob's device by an empty message with a key exchange.
    eft_tests::wait_for(
        "a key exchange",
        std::time::Duration::from_secs(20),
        || async { archived(&server) > key_exchanges },
    )
    .await
    .unwrap();
    for number in 0..3 {
        phone
            .send(&bob.jid, &format!("after {number}"))
            .await
            .unwrap();
        bobs.wait_for_text(&format!("after {number}"))
            .await
            .unwrap();
        bobs.send(&alice.jid, &format!("back {number}"))
            .await
            .unwrap();
        phone
            .wait_for_text(&format!("back {number}"))
            .await
            .unwrap();
    }
    assert_eq!(account.reset_sessions(None).await.unwrap(), 1);
    for (device, peer) in [(&phone, &bob.jid), (&bobs, &alice.jid)] {
        let history = device.history(peer).await.unwrap();
        assert_eq!(history.len(), 8, "{}", device.name);
        assert!(
            history
                .iter()
                .all(|message| matches!(message.content, Content::Text(_)))
        );
    }
}
