//! An app asks for a push, and is told whether it came or where it was lost.

use std::time::Duration;

use eft::{ConnectionState, PushHealth, PushLeg, PushObstacle, PushTest};
use eft_tests::{AnyServer, AppServerPlace, Phone, Prosody, Push, wait_for};

use super::push_stage::{
    PATIENCE, PushStage as Stage, SHORT, health, registered, test, wait_until_online,
};
use super::stage::{ServerKind, told_on_every_server};

told_on_every_server!(
    a_test_proves_that_pushes_arrive_and_leaves_no_trace,
    a_test_names_where_pushes_are_lost,
);

/// In which a connection would be made.
const MOMENT: Duration = Duration::from_secs(1);

async fn wait_until_hung_up(phone: &Phone) {
    wait_for("the hanging up", PATIENCE, || async {
        matches!(
            phone.account.connection_state(),
            ConnectionState::Disconnected
        )
    })
    .await
    .unwrap();
}

/// Whether the server gave the app's own reason to hurry.
fn is_important(push: &Push) -> bool {
    push.summary
        .iter()
        .any(|(name, _)| name == "last-message-body")
}

async fn a_test_proves_that_pushes_arrive_and_leaves_no_trace(stage: Stage) {
    let alices = stage.phone(&stage.alice, "alices").await;
    let mut bobs = registered(&stage).await;
    let mut others = stage.phone(&stage.bob, "bobs other").await;
    let mut told = 0;
    for round in 0..2 {
        let running = test(&bobs, PATIENCE);
        let push = stage.next_push(&mut told).await;
        assert!(is_important(&push), "{push:?}");
        if round == 0 {
            let account = &bobs.account;
            let outcome = account.handle_push(bobs.options().clone(), PATIENCE).await;
            let outcome = outcome.unwrap();
            assert!(
                outcome.notifications.is_empty() && outcome.complete,
                "{outcome:?}"
            );
        } else {
            // The one that is woken may be another process.
            let beside = bobs.beside().await.unwrap();
            let outcome = beside.handle_push(bobs.options().clone(), PATIENCE).await;
            assert!(outcome.unwrap().complete);
            beside.suspend().await.unwrap();
            beside.shut_down().await;
        }
        let result = running.await.unwrap().unwrap();
        assert!(
            matches!(result, PushTest::Arrived { after } if after < PATIENCE),
            "{result:?}"
        );
        assert!(matches!(
            health(&bobs).await,
            Some(PushHealth::Proven { .. })
        ));
        wait_until_online(&bobs.account).await;
    }
    // It was nothing that anybody could read, on any device, now or later.
    alices.send(&stage.bob.jid, "afterwards").await.unwrap();
    bobs.wait_for_text("afterwards").await.unwrap();
    others.wait_for_text("afterwards").await.unwrap();
    alices.accept(&bobs).await.unwrap();
    let late = stage.phone(&stage.bob, "bobs third").await;
    for phone in [&bobs, &others, &late] {
        assert_eq!(
            phone.history(&stage.bob.jid).await.unwrap(),
            [],
            "{}",
            phone.name
        );
    }
    let seen = others.heard_so_far().await;
    assert!(
        seen.iter()
            .all(|message| message.conversation == stage.alice.jid),
        "{seen:?}"
    );
}

async fn a_test_names_where_pushes_are_lost(mut stage: Stage) {
    let bobs = registered(&stage).await;
    // The app server has it, and the phone never hears of it.
    let missed = |leg| PushTest::Missed { leg };
    let result = bobs.account.test_push(SHORT).await.unwrap();
    assert_eq!(result, missed(PushLeg::AppServerToPhone));
    assert_eq!(stage.app_server().pushes().len(), 1);
    assert_eq!(health(&bobs).await, Some(PushHealth::Stale));
    wait_until_online(&bobs.account).await;
    // Nobody is there to be pushed to.
    stage.app_server.take();
    let result = bobs.account.test_push(SHORT).await.unwrap();
    assert!(
        matches!(&result, PushTest::Missed { leg: PushLeg::ServerToAppServer { reason } } if !reason.is_empty()),
        "{result:?}"
    );
    wait_until_online(&bobs.account).await;
    bobs.account.unregister_push().await.unwrap();
    let obstacle = PushObstacle::NotRegistered;
    let result = bobs.account.test_push(SHORT).await.unwrap();
    assert_eq!(result, PushTest::NotPossible { obstacle });
}

#[tokio::test]
async fn a_test_that_the_app_breaks_off_is_an_error_and_the_account_goes_on() {
    let stage = Stage::set(ServerKind::Prosody).await;
    let bobs = registered(&stage).await;
    for suspends in [true, false] {
        let running = test(&bobs, PATIENCE);
        wait_until_hung_up(&bobs).await;
        if suspends {
            bobs.account.suspend().await.unwrap();
        } else {
            bobs.account.disconnect().await;
        }
        assert_eq!(running.await.unwrap().unwrap_err().code(), "suspended");
        if suspends {
            bobs.account.resume().await.unwrap();
            wait_until_online(&bobs.account).await;
        }
    }
    let error = bobs.account.test_push(SHORT).await.unwrap_err();
    assert_eq!(error.code(), "offline");
    // A wish to connect while a test runs is fulfilled after it.
    bobs.connect().await.unwrap();
    let running = test(&bobs, SHORT);
    wait_until_hung_up(&bobs).await;
    bobs.account.network_changed();
    tokio::time::sleep(MOMENT).await;
    let state = bobs.account.connection_state();
    assert!(matches!(state, ConnectionState::Disconnected), "{state:?}");
    bobs.connect().await.unwrap();
    let result = running.await.unwrap().unwrap();
    assert!(matches!(result, PushTest::Missed { .. }), "{result:?}");
}

#[tokio::test]
async fn a_server_that_keeps_no_streams_cannot_be_tested() {
    let place = AppServerPlace::beside("eft.test").unwrap();
    let builder = Prosody::builder()
        .app_server(&place)
        .without_module("smacks");
    let server = AnyServer::Prosody(Box::new(builder.start().await.unwrap()));
    let stage = Stage::on(server, place).await;
    let bobs = registered(&stage).await;
    let result = bobs.account.test_push(SHORT).await.unwrap();
    let obstacle = PushObstacle::NoResumption;
    assert_eq!(result, PushTest::NotPossible { obstacle });
}
