//! `eft trust`: a decision at the terminal is one that the next chat obeys.

use super::{ALICE, BOB, Stage};
use crate::cli::program::{Desk, Ended};

/// `eft --json trust BOB ALICE …`, as Bob's shell splits it.
async fn trust(desk: &Desk, words: &[&str]) -> Ended {
    let command = [&["--json", "trust", BOB, ALICE], words].concat();
    desk.run(&command).await
}

#[tokio::test]
async fn a_decision_at_the_terminal_is_obeyed_by_the_next_chat() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    let mut alices = alice.chat(BOB, &["--follow"]);
    alices.wait_for(&[("event", "online")]).await;
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.say("who are you?").await;
    alices.wait_for(&[("text", "who are you?")]).await;
    let ended = bobs.end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let shown = bob.run(&["--json", "devices", BOB, ALICE]).await.objects();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["trust"], "blindly trusted");
    let in_groups = shown[0]["fingerprint"].as_str().unwrap();
    let groups: Vec<&str> = in_groups.split(' ').collect();
    let in_one = groups.concat();

    // In groups as they are read out, quoted or not; in one word as a code has it. The line says how things stand.
    for (words, trust_after) in [
        (groups.clone(), "verified"),
        (vec![in_groups, "--distrust"], "distrusted"),
        (vec![&in_one], "verified"),
        (vec!["--distrust", &in_one], "distrusted"),
    ] {
        let ended = trust(&bob, &words).await;
        assert_eq!(ended.code, Some(0), "{words:?} {ended:?}");
        let printed = ended.objects();
        assert_eq!(printed.len(), 1, "{words:?} {printed:?}");
        assert_eq!(printed[0]["event"], "trust");
        assert_eq!(printed[0]["device"], shown[0]["device"]);
        assert_eq!(printed[0]["fingerprint"], shown[0]["fingerprint"]);
        assert_eq!(printed[0]["trust"], trust_after, "{words:?}");
    }

    // Distrusted: her only device gets nothing.
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.say("not for you").await;
    let failed = bobs.wait_for(&[("delivery", "failed")]).await;
    assert_eq!(failed["text"], "not for you");
    bobs.end().await;
    let ended = trust(&bob, &[&in_one]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.say("for you").await;
    alices.wait_for(&[("text", "for you")]).await;
    bobs.end().await;
    let read: Vec<_> = alices
        .kill()
        .await
        .into_iter()
        .filter(|line| line["text"] == "not for you")
        .collect();
    assert!(read.is_empty(), "{read:?}");
}

#[tokio::test]
async fn what_is_no_decision_about_a_device_of_the_peer_is_refused_and_changes_nothing() {
    let stage = Stage::set().await;
    let bob = stage.desk(&stage.bob);
    let ended = bob.silent_chat(&["--json"], ALICE).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let own = bob.run(&["--json", "fingerprint", BOB]).await.objects();
    let own = own[0]["fingerprint"].as_str().unwrap();
    let unseen = "0123456789abcdef".repeat(4);

    for (fingerprint, reason) in [
        ("123", "no fingerprint"),
        (unseen.as_str(), "--unseen"),
        (own, "--unseen"),
    ] {
        let ended = trust(&bob, &[fingerprint]).await;
        assert_eq!(ended.code, Some(1), "{fingerprint} {ended:?}");
        let failure = &ended.objects()[0];
        assert_eq!(failure["event"], "failed", "{failure}");
        let text = failure["reason"].as_str().unwrap();
        assert!(text.contains(reason), "{text}");
    }
    // This device needs no decision about itself.
    let ended = bob.run(&["--json", "trust", BOB, BOB, own]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.objects()[0]["code"], "invalid-input");

    // On request also about a key that comes first by another way: a code on paper.
    let ended = trust(&bob, &[&unseen, "--unseen"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let printed = &ended.objects()[0];
    assert_eq!(printed["event"], "trust");
    assert_eq!(printed["jid"], ALICE);
    assert_eq!(printed["trust"], "verified");
    assert!(printed["device"].is_null(), "{printed}");
}

#[tokio::test]
async fn lines_that_failed_go_out_when_what_was_in_their_way_is_gone() {
    let stage = Stage::set().await;
    let (alice, bob) = (stage.desk(&stage.alice), stage.desk(&stage.bob));
    let mut alices = alice.chat(BOB, &["--follow"]);
    alices.wait_for(&[("event", "online")]).await;
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.say("who are you?").await;
    alices.wait_for(&[("text", "who are you?")]).await;
    bobs.end().await;
    let shown = bob.run(&["--json", "devices", BOB, ALICE]).await.objects();
    let fingerprint = shown[0]["fingerprint"].as_str().unwrap().to_owned();
    trust(&bob, &["--distrust", &fingerprint]).await;
    let mut bobs = bob.chat(ALICE, &[]);
    bobs.say("are you there?").await;
    bobs.wait_for(&[("delivery", "failed")]).await;
    bobs.end().await;

    // What is no answer to anything is refused, and a setting stays.
    let conversation = ["--json", "conversation", BOB, ALICE];
    let device = shown[0]["device"].to_string();
    let ended = bob
        .run(&[&conversation[..], &["--accept-legacy", &device]].concat())
        .await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.objects()[0]["code"], "invalid-input");
    let ended = bob
        .run(&[&conversation[..], &["--separate-versions", "true"]].concat())
        .await;
    assert_eq!(ended.objects()[0]["separate_versions"], true, "{ended:?}");

    trust(&bob, &[&fingerprint]).await;
    let ended = bob.run(&[&conversation[..], &["--resend"]].concat()).await;
    let standing = &ended.objects()[0];
    assert_eq!(standing["resent"], 1, "{standing}");
    assert_eq!(standing["separate_versions"], true, "{standing}");
    let ended = bob.silent_chat(&["--json"], ALICE).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    alices.wait_for(&[("text", "are you there?")]).await;
    let history = bob.history(ALICE).await;
    assert_eq!(history.len(), 2, "{history:?}");
    alices.kill().await;
}
