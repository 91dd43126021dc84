//! One round: two new accounts, some kills, and what has to be true afterwards.

use std::time::Duration;

use eft::{Delivery, Message};
use eft_tests::{Child, Direction, FaultProxy, Home, Phone, Prosody, wait_for};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::judge::judge;
use super::{life, obey};

const TEST: &str = "a_process_that_is_killed_between_send_and_ack_has_sent_once";

/// Kills in a round.
const KILLS: u64 = 30;
/// Most texts that are sent at once, and that come meanwhile.
const TEXTS: usize = 3;
/// About what a text takes on its way to the server, and what comes back for it.
const TO_SERVER_BYTES: usize = 1800;
const TO_CLIENT_BYTES: usize = 250;
/// How long the point is waited for. As many bytes may never come: everything is acknowledged then.
const UNREACHED: Duration = Duration::from_secs(2);
/// How long it lives on without a network, at most.
const ALONE_MILLIS: u64 = 40;
/// After so long the server keeps the stream no more.
const GIVEN_UP: Duration = Duration::from_millis(2500);
/// What passed the proxy arrives before the connection is reset.
const GRACE: Duration = Duration::from_millis(5);
/// How long everything may take to settle.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a round.
pub(crate) struct Round {
    /// Kills at a point where something that was to be sent was not acknowledged.
    pub(crate) points: u64,
    pub(crate) faults: Vec<String>,
}

pub(crate) async fn run(server: &Prosody, seed: u64) -> Round {
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = ["alice", "bob"].map(|who| format!("{who}{seed}"));
    let (alices, bobs) = (
        server.add_account(&alice).await.unwrap(),
        server.add_account(&bob).await.unwrap(),
    );
    server.befriend(&alice, &bob).await.unwrap();
    let mut phone = Phone::online(server, &alices, "alice", folder.path())
        .await
        .unwrap();
    let proxy = FaultProxy::start(server.starttls_address()).await.unwrap();
    let mut home = Home::new(server, &bobs, &folder.path().join("bob"));
    home.port = proxy.port();
    let start = |part: &str, first: u64| {
        let more = [
            (life::PEER, alices.jid.to_string()),
            (life::FIRST, first.to_string()),
        ];
        Child::of_test(TEST, part, home.environment().chain(more)).unwrap()
    };
    // The device is there before anything is sent to it, and has written: what is measured later is no key exchange.
    let (mut is_well, mut said) = start(life::SETTLES, 0).end().await.unwrap();
    let mut written = Vec::new();
    let mut points = 0;
    for kill in 1..=KILLS {
        // Numbers of its own: one may be queued without having been said.
        let mut process = start(obey::OBEYS, 1000 * kill);
        let ready = wait_for("a process that is ready", PATIENCE, || async {
            process.has_ended() || process.said().iter().any(|line| line == obey::READY)
        });
        if ready.await.is_err() || process.has_ended() {
            is_well = false;
            said.extend(process.kill().await.unwrap());
            break;
        }
        let texts = rng.random_range(1..=TEXTS);
        let (direction, most) = match rng.random_ratio(2, 3) {
            true => (Direction::ToServer, TO_SERVER_BYTES * texts),
            false => (Direction::ToClient, TO_CLIENT_BYTES * texts),
        };
        let before = proxy.holds();
        proxy.hold_after(direction, rng.random_range(1..most));
        process.tell(&texts.to_string()).await;
        for _ in 0..rng.random_range(0..TEXTS) {
            let text = format!("phone {}", written.len());
            phone.send(&bobs.jid, &text).await.unwrap();
            written.push(text);
        }
        let count = |said: &[String], word: &str| {
            let own = format!("{word} killed {kill}0");
            said.iter().filter(|line| line.starts_with(&own)).count()
        };
        let over = wait_for("the point", UNREACHED, || async {
            proxy.holds() != before || count(&process.said(), "acked") >= texts
        });
        let is_reached = over.await.is_ok() && proxy.holds() != before;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..ALONE_MILLIS))).await;
        let last = process.kill().await.unwrap();
        tokio::time::sleep(GRACE).await;
        proxy.reset();
        proxy.clear();
        points += u64::from(is_reached && count(&last, "acked") < count(&last, "queued"));
        said.extend(last);
        if rng.random_ratio(1, 5) {
            tokio::time::sleep(GIVEN_UP).await;
        }
    }
    let (is_settled, shown) = start(life::SETTLES, 0).end().await.unwrap();
    is_well &= is_settled && shown.iter().any(|line| line == "settled");
    said.extend(shown);
    let mut faults = Vec::new();
    if !is_well {
        faults.push("a process that was not killed did not end well".to_owned());
    }
    let acked = wait_for("the phone's acknowledgements", PATIENCE, || async {
        let rows = phone.history(&bobs.jid).await.unwrap();
        let is_acked = |row: &&Message| row.delivery == Some(Delivery::Acked);
        rows.iter().filter(is_acked).count() == written.len()
    });
    if acked.await.is_err() {
        faults.push("the phone's messages were not all acknowledged".to_owned());
    }
    let history = phone.history(&bobs.jid).await.unwrap();
    let heard = phone.heard_so_far().await;
    faults.extend(judge(&said, &written, &history, &heard));
    phone.account.shut_down().await;
    Round { points, faults }
}
