//! What the server pushes to the app's own server, and what the phone makes of it.

use std::time::Duration;

use eft::{PushHealth, PushTarget};
use eft_tests::{AppServer, Phone, wait_for};

use super::push_stage::{PATIENCE, PushStage as Stage, health, wait_until_registered};
use super::stage::{ServerKind, told_on_every_server};

told_on_every_server!(a_sleeping_phone_is_pushed_woken_and_pushed_again,);

/// How long no push has to come until we believe that none comes.
const SILENCE: Duration = Duration::from_secs(2);

async fn a_sleeping_phone_is_pushed_woken_and_pushed_again(mut stage: Stage) {
    let alices = stage.phone(&stage.alice, "alices").await;
    let mut bobs = stage.phone(&stage.bob, "bobs").await;
    alices.send(&stage.bob.jid, "hello").await.unwrap();
    bobs.wait_for_text("hello").await.unwrap();
    assert_eq!(health(&bobs).await, None);
    bobs.account.register_push(stage.target()).await.unwrap();
    wait_until_registered(&bobs).await;
    let hello = bobs.history(&stage.alice.jid).await.unwrap()[0].id;
    let from_alice = bobs.account.conversation(stage.alice.jid.clone());
    from_alice.mark_read(hello).await.unwrap();

    let mut told = 0;
    bobs.account.set_active(false);
    for round in 0..3 {
        bobs.account.suspend().await.unwrap();
        if round == 2 {
            // The stream is gone; the server has to be asked anew by the wake, and pushes from its own memory until then.
            stage.server.restart().await.unwrap();
            stage.app_server = Some(AppServer::connect(&stage.place).await.unwrap());
            told = 0;
        }
        let text = format!("round {round}");
        alices.send(&stage.bob.jid, &text).await.unwrap();
        let push = stage.next_push(&mut told).await;
        assert_eq!(push.node, "bobs phone");
        assert!(
            push.options
                .contains(&("secret".to_owned(), "of the app server".to_owned()))
        );
        // Pushes pass through the hands of the phone's maker: they say nothing.
        let said: Vec<_> = push.summary.iter().map(|(_, value)| value).collect();
        assert!(
            said.iter().all(|value| !value.contains("round")),
            "{said:?}"
        );
        bobs.account.resume().await.unwrap();
        let outcome = bobs
            .account
            .handle_push(bobs.options().clone(), PATIENCE)
            .await
            .unwrap();
        assert!(outcome.complete, "round {round}: {outcome:?}");
        assert_eq!(outcome.notifications.len(), round + 1, "{outcome:?}");
        assert!(matches!(
            health(&bobs).await,
            Some(PushHealth::Proven { .. })
        ));
    }
    bobs.connect().await.unwrap();
    bobs.account.unregister_push().await.unwrap();
    assert_eq!(health(&bobs).await, None);
    bobs.account.suspend().await.unwrap();
    let before = stage.app_server().pushes().len();
    alices.send(&stage.bob.jid, "in silence").await.unwrap();
    tokio::time::sleep(SILENCE).await;
    assert_eq!(stage.app_server().pushes().len(), before);
}

#[tokio::test]
async fn a_server_without_pushes_is_told_from_one_that_refuses() {
    let server = eft_tests::Prosody::builder()
        .without_module("cloud_notify")
        .start()
        .await
        .unwrap();
    let bob = server.add_account("bob").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bobs = Phone::new(&server, &bob, "bobs", folder.path())
        .await
        .unwrap();
    let target = PushTarget {
        service: "push.eft.test".parse().unwrap(),
        node: None,
        options: Vec::new(),
    };
    bobs.account.register_push(target).await.unwrap();
    assert_eq!(health(&bobs).await, Some(PushHealth::Waiting));
    bobs.connect().await.unwrap();
    wait_for("the server's answer", PATIENCE, || async {
        health(&bobs).await == Some(PushHealth::Unsupported)
    })
    .await
    .unwrap();
}
