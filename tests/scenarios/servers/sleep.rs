//! The app sleeps, is ended, is woken: its stream goes on, and nothing is lost or told twice.

use std::time::Duration;

use eft::{Content, Delivery, Message, WakeOutcome, WakeReason};
use eft_tests::{Direction, FaultProxy, Phone, Server as _, wait_for};

use super::stage::{ServerKind, Stage, texts, told_on_every_server};

const PATIENCE: Duration = Duration::from_secs(30);

told_on_every_server!(
    a_suspended_app_goes_on_with_its_stream,
    a_new_process_goes_on_with_the_stream_of_the_last_one,
    what_was_sent_and_not_acknowledged_arrives_once,
    a_stanza_that_was_cut_off_does_not_spoil_the_stream_for_ever,
    a_push_wakes_a_device_that_hung_up,
    a_push_wakes_a_device_whose_stream_is_gone,
    a_push_leaves_an_app_in_the_foreground_alone,
    a_reply_is_left_for_the_process_that_has_the_account,
);

async fn is_resumed(phone: &Phone) -> bool {
    let info = phone.account.session_info().await.unwrap();
    info.unwrap().is_resumed
}

/// Alice and Bob, who have exchanged a message each.
async fn acquainted(stage: &Stage) -> (Phone, Phone) {
    let mut alices = stage.phone(&stage.alice, "alices").await;
    let mut bobs = stage.phone(&stage.bob, "bobs").await;
    alices.send(&stage.bob.jid, "hello").await.unwrap();
    bobs.wait_for_text("hello").await.unwrap();
    bobs.send(&stage.alice.jid, "hi").await.unwrap();
    alices.wait_for_text("hi").await.unwrap();
    (alices, bobs)
}

async fn say(alices: &mut Phone, stage: &Stage, texts: &[&str]) {
    let mut last = None;
    for text in texts {
        last = Some(alices.send(&stage.bob.jid, text).await.unwrap());
    }
    let sent = alices.wait_until_sent(last.unwrap()).await.unwrap();
    assert_eq!(sent, Delivery::Acked);
}

async fn a_suspended_app_goes_on_with_its_stream(stage: Stage) {
    let (mut alices, mut bobs) = acquainted(&stage).await;
    bobs.account.suspend().await.unwrap();
    let error = bobs.send(&stage.alice.jid, "asleep").await.unwrap_err();
    assert_eq!(error.code(), "suspended");
    say(&mut alices, &stage, &["one", "two", "three"]).await;
    bobs.account.resume().await.unwrap();
    bobs.wait_for_text("three").await.unwrap();
    assert!(is_resumed(&bobs).await);
    let expected = ["hello", "hi", "one", "two", "three"];
    assert_eq!(texts(&bobs, &stage.alice.jid).await, expected);
    // As often as one likes.
    for _ in 0..3 {
        bobs.account.suspend().await.unwrap();
        bobs.account.resume().await.unwrap();
    }
    bobs.send(&stage.alice.jid, "awake").await.unwrap();
    alices.wait_for_text("awake").await.unwrap();
}

async fn a_new_process_goes_on_with_the_stream_of_the_last_one(stage: Stage) {
    let (mut alices, mut bobs) = acquainted(&stage).await;
    let mut expected = vec!["hello".to_owned(), "hi".to_owned()];
    for round in 0..3 {
        bobs.account.suspend().await.unwrap();
        let text = format!("round {round}");
        say(&mut alices, &stage, &[&text]).await;
        bobs.reopen().await.unwrap();
        bobs.connect().await.unwrap();
        assert!(is_resumed(&bobs).await, "round {round}");
        bobs.wait_for_text(&text).await.unwrap();
        expected.push(text);
        let answer = format!("answer {round}");
        bobs.send(&stage.alice.jid, &answer).await.unwrap();
        alices.wait_for_text(&answer).await.unwrap();
        expected.push(answer);
        // The contact list is known again, without having been asked for in vain.
        bobs.wait_until_caught_up().await.unwrap();
    }
    assert_eq!(texts(&bobs, &stage.alice.jid).await, expected);
    assert_eq!(texts(&alices, &stage.bob.jid).await, expected);
    // Whoever logs out in an orderly way leaves nothing to go on with.
    bobs.account.disconnect().await;
    bobs.connect().await.unwrap();
    assert!(!is_resumed(&bobs).await);
}

/// Both have talked, and Bob's phone reaches its server by a network that can fail.
async fn talking_through_a_proxy(stage: &Stage) -> (FaultProxy, Phone, Phone) {
    let proxy = FaultProxy::start(stage.server.starttls_address())
        .await
        .unwrap();
    let (mut alices, mut bobs) = acquainted(stage).await;
    bobs.account.disconnect().await;
    let mut options = bobs.options().clone();
    options.server.as_mut().unwrap().port = proxy.port();
    bobs.set_options(options);
    bobs.connect().await.unwrap();
    bobs.send(&stage.alice.jid, "before").await.unwrap();
    alices.wait_for_text("before").await.unwrap();
    (proxy, alices, bobs)
}

/// How long everything takes on a slow network, each way.
const DELAY: Duration = Duration::from_millis(400);

async fn what_was_sent_and_not_acknowledged_arrives_once(stage: Stage) {
    let (proxy, mut alices, mut bobs) = talking_through_a_proxy(&stage).await;
    let mut expected = vec!["hello".to_owned(), "hi".to_owned(), "before".to_owned()];
    for round in 0..4 {
        proxy.delay(DELAY);
        let text = format!("round {round}");
        let id = bobs.send(&stage.alice.jid, &text).await.unwrap();
        expected.push(text);
        wait_for("the connection to take it", PATIENCE, || async {
            let history = bobs.history(&stage.alice.jid).await.unwrap();
            let row = history.iter().find(|message| message.id == id).unwrap();
            row.delivery == Some(Delivery::Sent)
        })
        .await
        .unwrap();
        if round % 2 == 0 {
            // It arrives, and only its acknowledgement is missing.
            tokio::time::sleep(DELAY + DELAY / 2).await;
        }
        proxy.reset();
        bobs.account.suspend().await.unwrap();
        bobs.reopen().await.unwrap();
        proxy.clear();
        bobs.connect().await.unwrap();
        assert!(is_resumed(&bobs).await, "round {round}");
        alices
            .wait_for_text(expected.last().unwrap())
            .await
            .unwrap();
        wait_for("every acknowledgement", PATIENCE, || async {
            let history = bobs.history(&stage.alice.jid).await.unwrap();
            let is_acked = |message: &Message| message.delivery == Some(Delivery::Acked);
            history
                .iter()
                .filter(|message| message.outgoing)
                .all(is_acked)
        })
        .await
        .unwrap();
    }
    assert_eq!(texts(&alices, &stage.bob.jid).await, expected);
}

/// A stanza of many TLS records, of which the server gets the first ones. Prosody 13 reads on in the middle of it when the
/// stream is taken up again, and understands nothing more on that stream.
async fn a_stanza_that_was_cut_off_does_not_spoil_the_stream_for_ever(stage: Stage) {
    const LONG: usize = 60_000;
    const CUT_AFTER: usize = 24_000;
    let (proxy, mut alices, bobs) = talking_through_a_proxy(&stage).await;
    proxy.cut_after(Direction::ToServer, CUT_AFTER);
    let long = "x".repeat(LONG);
    bobs.send(&stage.alice.jid, &long).await.unwrap();
    bobs.send(&stage.alice.jid, "after").await.unwrap();
    wait_for("the cut", PATIENCE, || async {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();
    proxy.clear();
    alices.wait_for_text("after").await.unwrap();
    let expected = ["hello", "hi", "before", &long, "after"];
    assert_eq!(texts(&alices, &stage.bob.jid).await, expected);
}

async fn push(phone: &Phone) -> WakeOutcome {
    let account = &phone.account;
    let outcome = account.handle_push(phone.options().clone(), PATIENCE).await;
    outcome.unwrap()
}

fn told(outcome: &WakeOutcome) -> Vec<&str> {
    let text = |message| match message {
        &Message {
            content: Content::Text(ref text),
            ..
        } => text.as_str(),
        other => panic!("{other:?}"),
    };
    outcome.notifications.iter().map(text).collect()
}

async fn a_push_wakes_a_device_that_hung_up(stage: Stage) {
    let (mut alices, mut bobs) = acquainted(&stage).await;
    let hello = bobs.history(&stage.alice.jid).await.unwrap()[0].id;
    let from_alice = bobs.account.conversation(stage.alice.jid.clone());
    from_alice.mark_read(hello).await.unwrap();
    bobs.account.suspend().await.unwrap();
    say(&mut alices, &stage, &["one", "two"]).await;

    bobs.reopen().await.unwrap();
    let first = push(&bobs).await;
    assert!(matches!(first.reason, WakeReason::CaughtUp), "{first:?}");
    assert!(first.complete && !first.more);
    assert_eq!(told(&first), ["one", "two"]);
    assert_eq!(first.badge, 2);
    // The process died before it could post them: the same again, under the same ids.
    bobs.account.suspend().await.unwrap();
    bobs.reopen().await.unwrap();
    let again = push(&bobs).await;
    assert_eq!(again.notifications, first.notifications);

    let ids: Vec<_> = again
        .notifications
        .iter()
        .map(|message| message.id)
        .collect();
    bobs.account.announced(&ids[..1]).await.unwrap();
    say(&mut alices, &stage, &["three"]).await;
    let third = push(&bobs).await;
    assert_eq!(told(&third), ["two", "three"]);
    assert_eq!(third.badge, 3);
    // Read in the app: nothing is left to be told.
    let newest = third.notifications.last().unwrap().id;
    let from_alice = bobs.account.conversation(stage.alice.jid.clone());
    from_alice.mark_read(newest).await.unwrap();
    let last = push(&bobs).await;
    assert_eq!((told(&last).len(), last.badge), (0, 0));
    // The app is opened, and goes on.
    bobs.connect().await.unwrap();
    bobs.send(&stage.alice.jid, "seen").await.unwrap();
    alices.wait_for_text("seen").await.unwrap();
}

async fn a_push_wakes_a_device_whose_stream_is_gone(mut stage: Stage) {
    let (mut alices, mut bobs) = acquainted(&stage).await;
    bobs.account.suspend().await.unwrap();
    stage.server.restart().await.unwrap();
    say(&mut alices, &stage, &["one", "two"]).await;
    bobs.reopen().await.unwrap();
    let outcome = push(&bobs).await;
    assert!(outcome.complete, "{outcome:?}");
    assert_eq!(told(&outcome), ["one", "two"]);
    // The wake left a stream, on which the app asks what a wake does not.
    bobs.connect().await.unwrap();
    assert!(is_resumed(&bobs).await);
    wait_for("the contact list", PATIENCE, || async {
        bobs.account.contacts().await.is_ok()
    })
    .await
    .unwrap();
    bobs.send(&stage.alice.jid, "seen").await.unwrap();
    alices.wait_for_text("seen").await.unwrap();
    let expected = ["hello", "hi", "one", "two", "seen"];
    assert_eq!(texts(&bobs, &stage.alice.jid).await, expected);
}

async fn a_push_leaves_an_app_in_the_foreground_alone(stage: Stage) {
    let (mut alices, mut bobs) = acquainted(&stage).await;
    let extension = bobs.beside().await.unwrap();
    say(&mut alices, &stage, &["one"]).await;
    let outcome = extension
        .handle_push(bobs.options().clone(), PATIENCE)
        .await
        .unwrap();
    assert!(
        matches!(outcome.reason, WakeReason::HeldElsewhere),
        "{outcome:?}"
    );
    assert_eq!(outcome.notifications, []);
    bobs.wait_for_text("one").await.unwrap();
    // Nobody had to be told: the app was open.
    assert_eq!(bobs.account.announcements(10).await.unwrap(), []);
    bobs.account.set_active(false);
    say(&mut alices, &stage, &["two"]).await;
    bobs.wait_for_text("two").await.unwrap();
    assert_eq!(bobs.account.announcements(10).await.unwrap().len(), 1);
    extension.shut_down().await;
}

async fn a_reply_is_left_for_the_process_that_has_the_account(stage: Stage) {
    let (mut alices, bobs) = acquainted(&stage).await;
    let other = bobs.beside().await.unwrap();
    let from_alice = other.conversation(stage.alice.jid.clone());
    let refused = from_alice.send("by hand").await.unwrap_err();
    assert_eq!(refused.code(), "store-locked");
    let id = from_alice.leave_text("left").await.unwrap();
    let hello = bobs.history(&stage.alice.jid).await.unwrap()[0].id;
    from_alice.leave_read_mark(hello).await.unwrap();
    assert_eq!(bobs.account.collect().await.unwrap(), 2);
    let got = alices.wait_for_text("left").await.unwrap();
    assert_eq!(got.origin_id, Some(id));
    let list = bobs.account.conversations().await.unwrap();
    assert_eq!(list[0].unread_count, 0);
    assert_eq!(bobs.account.collect().await.unwrap(), 0, "each once");
    // In the process that has the account, nobody has to ask.
    let to_alice = bobs.account.conversation(stage.alice.jid.clone());
    to_alice.leave_text("left beside the app").await.unwrap();
    alices.wait_for_text("left beside the app").await.unwrap();
    other.shut_down().await;
}
