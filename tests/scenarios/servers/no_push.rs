//! Servers that do not push, each in its own way: what the self-test says of them, and how the registration stands then.

use std::time::{Duration, Instant};

use eft::{ConnectionState, PushHealth, PushLeg, PushObstacle, PushTarget, PushTest};
use eft_tests::{AppServerPlace, Phone, wait_for};
use tempfile::TempDir;

use super::client::Client;
use super::push_stage::{
    PATIENCE, PushStage as Stage, SHORT, health, prosody_with, registered, test, wait_until_online,
    wait_until_registered,
};
use super::stage::ServerKind;

/// In which a test ends that the server itself answers.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Agrees once for each node, or never, and then refuses with the error that the node names.
const REFUSES: &str = r#"
local st = require "prosody.util.stanza";
local is_known = {};
module:hook("cloud_notify/registration", function (event)
    local node = event.push_info.node;
    local when, kind, condition = node:match("^(%S+) (%S+) (%S+)$");
    local is_agreed = when == "later" and not is_known[node];
    is_known[node] = true;
    if is_agreed then return; end
    event.origin.send(st.error_reply(event.stanza, kind, condition));
    return false;
end);
"#;

/// Swallows the first message by which a device has itself pushed, as if it had been delivered.
const LOSES_MESSAGES: &str = r#"
local is_done = false;
module:hook("pre-message/full", function (event)
    if is_done or not event.stanza:get_child("push-test", "eft:push-test:0") then return; end
    is_done = true;
    return true;
end, 1000);
"#;

/// Agrees to push, and does not.
const KEEPS_PUSHES: &str = r#"
module:hook("cloud_notify/push", function () return true; end, 1000);
"#;

/// Prosody with a module of this source.
async fn stage(source: &str) -> (Stage, TempDir) {
    let place = AppServerPlace::beside("eft.test").unwrap();
    let (server, folder) = prosody_with(&place, "eft_test", source).await;
    (Stage::on(server, place).await, folder)
}

fn target(stage: &Stage, node: Option<&str>) -> PushTarget {
    PushTarget {
        node: node.map(str::to_owned),
        ..stage.target()
    }
}

/// What a test says that was refused with this condition.
fn refused(condition: &str) -> PushTest {
    PushTest::NotPossible {
        obstacle: PushObstacle::Refused {
            reason: condition.to_owned(),
        },
    }
}

/// How the registration stands then.
fn rejected(condition: &str) -> PushHealth {
    PushHealth::Rejected {
        reason: format!("refused: {condition}"),
    }
}

async fn wait_until(phone: &Phone, expected: &PushHealth) {
    wait_for("word of the registration", PATIENCE, || async {
        health(phone).await.as_ref() == Some(expected)
    })
    .await
    .unwrap();
}

/// Nothing was tried, or nothing came of it: the connection stands as before, and the app's server heard nothing.
fn assert_untouched(stage: &Stage, phone: &Phone) {
    let state = phone.account.connection_state();
    assert!(matches!(state, ConnectionState::Online), "{state:?}");
    assert_eq!(stage.app_server().pushes(), []);
}

/// The test is answered by a push, and so is what Bob asked for.
async fn assert_arrives(stage: &Stage, bobs: &Phone) {
    let mut told = stage.app_server().pushes().len();
    let running = test(bobs, PATIENCE);
    stage.next_push(&mut told).await;
    let woken = bobs.account.handle_push(bobs.options().clone(), PATIENCE);
    assert!(woken.await.unwrap().complete);
    let result = running.await.unwrap().unwrap();
    assert!(matches!(result, PushTest::Arrived { .. }), "{result:?}");
    let health = health(bobs).await;
    assert!(matches!(health, Some(PushHealth::Proven { .. })));
}

#[tokio::test]
async fn a_server_that_agreed_and_now_refuses_is_asked_again_by_the_test() {
    let (stage, _folder) = stage(REFUSES).await;
    let bobs = stage.phone(&stage.bob, "bobs").await;
    for (error, expected) in [
        (
            "cancel policy-violation",
            Some(rejected("policy-violation")),
        ),
        (
            "cancel feature-not-implemented",
            Some(PushHealth::Unsupported),
        ),
        // It may push yet: what it agreed to before stands.
        ("wait resource-constraint", None),
    ] {
        let target = target(&stage, Some(&format!("later {error}")));
        bobs.account.register_push(target).await.unwrap();
        wait_until_registered(&bobs).await;
        let before = health(&bobs).await;
        let (_, condition) = error.split_once(' ').unwrap();
        let result = bobs.account.test_push(SHORT).await.unwrap();
        assert_eq!(result, refused(condition));
        assert_eq!(health(&bobs).await, expected.or(before), "{error}");
        assert_untouched(&stage, &bobs);
    }
}

#[tokio::test]
async fn a_server_that_never_agreed_is_no_server_without_pushes() {
    let (stage, _folder) = stage(REFUSES).await;
    let bobs = stage.phone(&stage.bob, "bobs").await;
    let refused_target = target(&stage, Some("always auth forbidden"));
    bobs.account.register_push(refused_target).await.unwrap();
    wait_until(&bobs, &rejected("forbidden")).await;
    let result = bobs.account.test_push(SHORT).await.unwrap();
    assert_eq!(result, refused("forbidden"));
    assert_untouched(&stage, &bobs);
    // Each registration and each connection is another chance.
    let another = target(&stage, Some("later auth forbidden"));
    bobs.account.register_push(another).await.unwrap();
    wait_until_registered(&bobs).await;
}

#[tokio::test]
async fn ejabberd_refuses_a_registration_without_a_node() {
    let stage = Stage::set(ServerKind::Ejabberd).await;
    let bobs = stage.phone(&stage.bob, "bobs").await;
    let target = target(&stage, None);
    bobs.account.register_push(target).await.unwrap();
    let result = bobs.account.test_push(SHORT).await.unwrap();
    assert_eq!(result, refused("feature-not-implemented"));
    assert_eq!(health(&bobs).await, Some(PushHealth::Unsupported));
    assert_untouched(&stage, &bobs);
    bobs.account.register_push(stage.target()).await.unwrap();
    wait_until_registered(&bobs).await;
    assert_arrives(&stage, &bobs).await;
}

/// The message by which Bob's phone would have itself pushed gets lost in his server.
async fn assert_missed_in_the_server(stage: &Stage, bobs: &Phone) {
    let begin = Instant::now();
    let result = bobs.account.test_push(PATIENCE).await.unwrap();
    let missed = PushTest::Missed {
        leg: PushLeg::Server,
    };
    assert_eq!(result, missed);
    // It knows long before a push would be given up.
    assert!(begin.elapsed() < PATIENCE);
    assert_eq!(health(bobs).await, Some(PushHealth::Stale));
    assert_untouched(stage, bobs);
}

#[tokio::test]
async fn prosody_that_does_not_deliver_is_named_and_another_test_can_prove_it_well() {
    let (stage, _folder) = stage(LOSES_MESSAGES).await;
    let bobs = registered(&stage).await;
    assert_missed_in_the_server(&stage, &bobs).await;
    assert_arrives(&stage, &bobs).await;
}

#[tokio::test]
async fn ejabberd_that_does_not_deliver_is_named_and_another_test_can_prove_it_well() {
    let stage = Stage::set(ServerKind::Ejabberd).await;
    let mut other = Client::connect(&stage.server, &stage.bob).await;
    let bobs = registered(&stage).await;
    // Privacy lists (XEP-0016) that another of Bob's apps made: no messages from himself, without a word; nothing from
    // himself, and what comes is sent back.
    for denied in ["<message/>", ""] {
        let item = format!(
            "<item type='jid' value='{}' action='deny' order='1'>{denied}</item>",
            stage.bob.jid
        );
        let list = privacy(&format!("<list name='not me'>{item}</list>"));
        other.ask("", &list).await;
        other.ask("", &privacy("<default name='not me'/>")).await;
        let begin = Instant::now();
        assert_missed_in_the_server(&stage, &bobs).await;
        if denied.is_empty() {
            assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
        }
        other.ask("", &privacy("<default/>")).await;
    }
    assert_arrives(&stage, &bobs).await;
}

fn privacy(content: &str) -> String {
    format!("<query xmlns='jabber:iq:privacy'>{content}</query>")
}

#[tokio::test]
async fn a_server_that_agrees_and_keeps_its_pushes_cannot_be_told_from_a_lost_push() {
    let (stage, _folder) = stage(KEEPS_PUSHES).await;
    let bobs = registered(&stage).await;
    let result = bobs.account.test_push(SHORT).await.unwrap();
    let missed = PushTest::Missed {
        leg: PushLeg::AppServerToPhone,
    };
    assert_eq!(result, missed);
    assert_eq!(stage.app_server().pushes(), [], "nothing was pushed");
    assert_eq!(health(&bobs).await, Some(PushHealth::Stale));
    wait_until_online(&bobs.account).await;
}
