//! One round: two new accounts, some kills, and what has to be true afterwards.

use std::time::Duration;

use eft::{Content, Delivery, Message};
use eft_tests::soak::difference;
use eft_tests::{Child, Home, Phone, Prosody, wait_for};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::life;

const TEST: &str = "a_process_that_is_killed_at_any_instant_loses_nothing_and_tells_nothing_twice";

/// Kills in a round.
pub(crate) const KILLS: u64 = 24;

/// Within this time after its start a process opens its database and logs in.
const LOGGING_IN: u64 = 250;
/// And within this it catches up and talks.
const TALKING: u64 = 900;

/// How long everything may take to settle on the phone that is not killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that was wrong.
pub(crate) async fn run(server: &Prosody, seed: u64) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let alice = server.add_account(&format!("alice{seed}")).await.unwrap();
    let bob = server.add_account(&format!("bob{seed}")).await.unwrap();
    server
        .befriend(&format!("alice{seed}"), &format!("bob{seed}"))
        .await
        .unwrap();
    let phone = Phone::online(server, &alice, "alice", folder.path())
        .await
        .unwrap();
    let home = Home::new(server, &bob, &folder.path().join("bob"));
    let start = |part: &str, first: u64| {
        let more = [
            (life::PEER, alice.jid.to_string()),
            (life::FIRST, first.to_string()),
        ];
        Child::of_test(TEST, part, home.environment().chain(more)).unwrap()
    };
    let mut said = Vec::new();
    // The device is there before anything is sent to it: what comes before is not for it.
    let (mut is_well, _) = start(life::SETTLES, 0).end().await.unwrap();
    let mut written = Vec::new();
    for kill in 0..KILLS {
        // Numbers of its own: one may be queued without having been said.
        let process = start(life::LIVES, 1000 * kill);
        let lives = match rng.random_range(0..3) {
            0 => rng.random_range(0..LOGGING_IN),
            _ => rng.random_range(LOGGING_IN..TALKING),
        };
        let end = tokio::time::Instant::now() + Duration::from_millis(lives);
        while tokio::time::Instant::now() < end {
            let text = format!("phone {}", written.len());
            phone.send(&bob.jid, &text).await.unwrap();
            written.push(text);
            let pause = Duration::from_millis(rng.random_range(1..40));
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            tokio::time::sleep(pause.min(left)).await;
        }
        said.extend(process.kill().await.unwrap());
    }
    let mut faults = Vec::new();
    // Before the last process looks: it waits for nothing that the server does not have yet.
    let acked = wait_for("the phone's acknowledgements", PATIENCE, || async {
        let rows = phone.history(&bob.jid).await.unwrap();
        let is_acked = |row: &&Message| row.delivery == Some(Delivery::Acked);
        rows.iter().filter(is_acked).count() == written.len()
    });
    if acked.await.is_err() {
        faults.push("the phone's messages were not all acknowledged".to_owned());
    }
    let (is_settled, shown) = start(life::SETTLES, 0).end().await.unwrap();
    is_well &= is_settled && shown.iter().any(|line| line == "settled");
    if !is_well {
        faults.push("a process that was not killed did not end well".to_owned());
    }
    let sent_count = shown
        .iter()
        .filter(|line| line.starts_with("row acked "))
        .count();
    said.extend(shown);
    // What never comes is told by the judge.
    let _ = wait_for("what the processes sent", PATIENCE, || async {
        let rows = phone.history(&bob.jid).await.unwrap();
        rows.iter().filter(|row| !row.outgoing).count() >= sent_count
    })
    .await;
    faults.extend(judge(
        &said,
        &written,
        &phone.history(&bob.jid).await.unwrap(),
    ));
    phone.account.shut_down().await;
    faults
}

/// Everything that was queued is there once on both sides, everything that was told was told once, and nothing else.
fn judge(said: &[String], written: &[String], phones: &[Message]) -> Vec<String> {
    let mut faults = Vec::new();
    let after = |word: &str| -> Vec<&str> {
        said.iter()
            .filter_map(|line| line.strip_prefix(word))
            .collect()
    };
    if said.iter().any(|line| line == "rolled-back") {
        faults.push("a false alarm: the database is no older copy".to_owned());
    }
    if let Some(line) = said.iter().find(|line| line.contains("UNREADABLE")) {
        faults.push(line.clone());
    }
    let mut told: Vec<_> = after("told ")
        .into_iter()
        .filter(|text| text.starts_with("phone "))
        .collect();
    let told_count = told.len();
    told.sort_unstable();
    told.dedup();
    if told.len() != told_count {
        faults.push(format!(
            "{} messages were told twice",
            told_count - told.len()
        ));
    }
    let received = after("row received ");
    if received != written {
        faults.push(difference("received", &received, written));
    }
    let sent = after("row acked ");
    let texts: Vec<&str> = phones
        .iter()
        .filter(|message| !message.outgoing)
        .map(|message| match &message.content {
            Content::Text(text) => text.as_str(),
            Content::Unreadable(_) => "UNREADABLE",
        })
        .collect();
    if sent != texts {
        faults.push(difference("arrived", &texts, &sent));
    }
    for line in after("row ") {
        if !line.starts_with("received ") && !line.starts_with("acked ") {
            faults.push(format!("unsettled: {line}"));
        }
    }
    for queued in after("queued ").into_iter().chain(after("acked ")) {
        if !sent.contains(&queued) {
            faults.push(format!("lost: {queued}"));
        }
    }
    faults
}
