//! What the network does to the two.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eft::Account;
use eft_tests::{Direction, FaultProxy, wait_for};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;

/// The network of one side.
pub(crate) struct Sky {
    pub(crate) proxy: Arc<FaultProxy>,
    pub(crate) account: Account,
}

/// Time between two faults.
const CALM_MILLIS: std::ops::Range<u64> = 1..500;
/// How long a fault lasts that has a length.
const BAD_MILLIS: std::ops::Range<u64> = 1..700;
/// How long somebody is out of reach before it is noticed, and how long altogether until the server has given up.
const TUNNEL_MILLIS: std::ops::Range<u64> = 50..300;
const AWAY_MILLIS: std::ops::Range<u64> = 1200..2000;
/// How long a cut is waited for: as many bytes may never come.
const UNCUT: Duration = Duration::from_millis(700);

/// One fault after another, until it is over or there were so many. What there was of each.
pub(crate) async fn rage(
    sky: [Sky; 2],
    mut rng: StdRng,
    most: usize,
    is_over: watch::Receiver<bool>,
) -> String {
    let mut tally = BTreeMap::<&str, u32>::new();
    for _ in 0..most {
        if *is_over.borrow() {
            break;
        }
        pause(&mut rng, CALM_MILLIS).await;
        let side = &sky[rng.random_range(0..2)];
        let name = fault(side, &mut rng).await;
        *tally.entry(name).or_default() += 1;
        side.proxy.clear();
        // Phones tell their apps of a network that is back; but not of all that happens on the way.
        if rng.random_ratio(3, 4) {
            side.account.network_changed();
        }
    }
    // However it was left: from here on the network is good, and that is all that anybody is told.
    for side in &sky {
        side.proxy.clear();
        side.account.network_changed();
    }
    tally
        .iter()
        .map(|(name, count)| format!("{count} x {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

async fn pause(rng: &mut StdRng, millis: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(millis))).await;
}

async fn fault(side: &Sky, rng: &mut StdRng) -> &'static str {
    let proxy = &side.proxy;
    match rng.random_range(0..9) {
        0 => {
            proxy.reset();
            "reset"
        }
        1..=3 => {
            let direction = match rng.random() {
                true => Direction::ToServer,
                false => Direction::ToClient,
            };
            // As often among the first hundred bytes as among ten thousands.
            let scale = 1_usize << rng.random_range(0..16);
            proxy.cut_after(direction, rng.random_range(scale..2 * scale));
            let cut = wait_for("the cut", UNCUT, || async { proxy.open_connections() == 0 });
            match cut.await {
                Ok(()) => "cut",
                Err(_) => "no cut",
            }
        }
        4 => {
            proxy.stall();
            pause(rng, BAD_MILLIS).await;
            "stall"
        }
        5 => {
            // Both sides take it for open, and neither hears the other again.
            proxy.stall();
            pause(rng, BAD_MILLIS).await;
            proxy.reset();
            "half open"
        }
        6 => {
            proxy.refuse();
            proxy.reset();
            pause(rng, BAD_MILLIS).await;
            "refused"
        }
        7 => {
            // What is written into the tunnel never arrives, and the server keeps no stream for so long.
            proxy.stall();
            pause(rng, TUNNEL_MILLIS).await;
            proxy.refuse();
            proxy.reset();
            pause(rng, AWAY_MILLIS).await;
            "away"
        }
        _ => {
            proxy.delay(Duration::from_millis(rng.random_range(1..100)));
            pause(rng, BAD_MILLIS).await;
            "slow"
        }
    }
}
