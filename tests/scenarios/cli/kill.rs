//! Processes that are killed, or asked to end, while they send and receive.

use std::collections::BTreeSet;

use serde_json::Value;

use super::program::Desk;
use super::{ALICE, BOB, Stage};

/// After how many acknowledgements, or messages, each round is killed.
const ROUNDS: [usize; 4] = [1, 4, 9, 13];
/// Lines of one round: more than are acknowledged before the kill.
const LINES_PER_ROUND: usize = 30;

/// The texts of a stored conversation. Every message can be read.
fn texts(history: &[Value]) -> Vec<String> {
    history
        .iter()
        .map(|message| {
            let text = message["text"].as_str();
            text.unwrap_or_else(|| panic!("unreadable: {message}"))
                .to_owned()
        })
        .collect()
}

/// Texts of the objects that tell of an acknowledgement.
fn acked(objects: &[Value]) -> impl Iterator<Item = String> {
    objects
        .iter()
        .filter(|object| object["event"] == "changed" && object["delivery"] == "acked")
        .filter_map(|object| object["text"].as_str().map(str::to_owned))
}

async fn log_in(desk: &Desk, peer: &str) {
    let ended = desk.silent_chat(&[], peer).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_sender_that_is_killed_or_asked_to_end_loses_no_line_that_was_acknowledged() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    log_in(&bob, ALICE).await;

    let mut acknowledged = BTreeSet::new();
    for (round, acks_until_kill) in ROUNDS.into_iter().enumerate() {
        let mut chat = alice.chat(BOB, &[]);
        for line in 0..LINES_PER_ROUND {
            chat.say(format!("round {round} line {line}")).await;
        }
        for _ in 0..acks_until_kill {
            let told = chat
                .wait_for(&[("event", "changed"), ("delivery", "acked")])
                .await;
            acknowledged.insert(told["text"].as_str().unwrap().to_owned());
        }
        let printed = if round % 2 == 0 {
            chat.kill().await
        } else {
            // Asked to end, it has time to close its database, and no more to send.
            chat.signal("TERM");
            let ended = chat.end_with_open_input().await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            ended.objects()
        };
        acknowledged.extend(acked(&printed));
    }
    // The next start sends what was queued when the last one died, and ends when the server has it.
    log_in(&alice, BOB).await;
    let alices = alice.history(BOB).await;
    for message in &alices {
        assert_eq!(message["delivery"], "acked", "{message}");
    }
    let sent = texts(&alices);
    let missing: Vec<_> = acknowledged
        .iter()
        .filter(|line| !sent.contains(line))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");

    log_in(&bob, ALICE).await;
    assert_eq!(
        texts(&bob.history(ALICE).await),
        sent,
        "once each, in the order of writing"
    );
    for round in 0..ROUNDS.len() {
        let prefix = format!("round {round} line ");
        let numbers: Vec<_> = sent
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix))
            .collect();
        let expected: Vec<_> = (0..numbers.len())
            .map(|number| number.to_string())
            .collect();
        assert_eq!(numbers, expected, "a beginning of what was written");
    }
}

#[tokio::test]
async fn a_receiver_that_is_killed_shows_every_line_once() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    log_in(&bob, ALICE).await;

    let mut alices = alice.chat(BOB, &[]);
    alices.wait_for(&[("event", "online")]).await;
    let mut written = Vec::new();
    for (round, messages_until_kill) in ROUNDS.into_iter().enumerate() {
        let mut bobs = bob.chat(ALICE, &["--follow"]);
        for line in 0..LINES_PER_ROUND {
            let line = format!("round {round} line {line}");
            alices.say(&line).await;
            written.push(line);
        }
        for _ in 0..messages_until_kill {
            bobs.wait_for(&[("event", "message")]).await;
        }
        bobs.kill().await;
    }
    assert_eq!(alices.end().await.code, Some(0));
    log_in(&bob, ALICE).await;
    assert_eq!(texts(&bob.history(ALICE).await), written);
}
