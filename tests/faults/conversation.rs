//! One seed: a server, two phones, and what they write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eft::{Account, BareJid};
use eft_tests::{FaultProxy, Phone, Prosody};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;

use super::ear::Ear;
use super::judgement;
use super::weather::{self, Sky};

/// How long it may take, once the weather is good, until nothing is under way any more and nothing has moved.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the server keeps a stream: most disconnections are shorter, some are longer.
const HIBERNATION: Duration = Duration::from_secs(1);

/// Most messages written without a pause.
const BURST: usize = 12;
/// Longest pause.
const PAUSE_MILLIS: u64 = 250;
/// A slow machine must not make the weather worse: no more than one fault for so many messages.
const MESSAGES_PER_FAULT: usize = 30;
/// One in so many is so large that it goes out in several pieces, of which the network may let a part through.
const LARGE_EACH: usize = 50;
const LARGE_BYTES: usize = 40_000;

/// What came of it.
pub(crate) struct Report {
    pub(crate) summary: String,
    pub(crate) faults: Vec<String>,
}

/// One of the two.
pub(crate) struct Side {
    pub(crate) phone: Phone,
    pub(crate) proxy: Arc<FaultProxy>,
    pub(crate) ear: Ear,
    pub(crate) name: &'static str,
}

/// Half of the messages are written by each.
pub(crate) async fn run(seed: u64, messages: usize) -> Report {
    let began = Instant::now();
    let mut rng = StdRng::seed_from_u64(seed);
    // What a debugger would like to read in the server's log is not needed, and costs its time.
    let server = Prosody::builder()
        .one_step_login()
        .quiet()
        .archive_page_messages(250)
        .hibernation(HIBERNATION)
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut sides = Vec::new();
    for name in ["alice", "bob"] {
        let login = server.add_account(name).await.unwrap();
        let proxy = Arc::new(FaultProxy::start(server.starttls_address()).await.unwrap());
        let mut phone = Phone::new(&server, &login, name, folder.path())
            .await
            .unwrap();
        let mut options = phone.options().clone();
        options.server.as_mut().unwrap().port = proxy.port();
        phone.set_options(options);
        let ear = Ear::on(&phone.account);
        sides.push(Side {
            phone,
            proxy,
            ear,
            name,
        });
    }
    server.befriend("alice", "bob").await.unwrap();
    for side in &sides {
        side.phone.connect().await.unwrap();
    }
    let sides: [Side; 2] = sides.try_into().unwrap_or_else(|_| panic!("two sides"));
    let count = messages / 2;
    let (over, is_over) = watch::channel(false);
    let sky = sides.each_ref().map(|side| Sky {
        proxy: Arc::clone(&side.proxy),
        account: side.phone.account.clone(),
    });
    let most = messages / MESSAGES_PER_FAULT;
    let rng_of_storm = StdRng::seed_from_u64(rng.random());
    let storm = tokio::spawn(weather::rage(sky, rng_of_storm, most, is_over));
    let [alice, bob] = &sides;
    let seeds: [u64; 2] = rng.random();
    tokio::join!(
        write(&alice.phone.account, bob, alice.name, count, seeds[0]),
        write(&bob.phone.account, alice, bob.name, count, seeds[1]),
    );
    over.send_replace(true);
    let storms = storm.await.unwrap();
    let raged = began.elapsed();
    let settled = settle(&sides, count).await;
    let mut faults = Vec::new();
    if let Err(fault) = settled {
        faults.push(fault);
    }
    for (side, other) in [(alice, bob), (bob, alice)] {
        let history = side.phone.history(other.phone.account.jid()).await.unwrap();
        faults.extend(judgement::judge(side, other.name, count, &history));
    }
    for side in &sides {
        side.phone.account.shut_down().await;
    }
    Report {
        summary: format!(
            "{storms}; {:.1} s, and {:.1} s until all was there",
            raged.as_secs_f64(),
            (began.elapsed() - raged).as_secs_f64()
        ),
        faults,
    }
}

/// What `name` writes as number `number`: known by its beginning.
pub(crate) fn begin_of(name: &str, number: usize) -> String {
    format!("{name} {number}.")
}

async fn write(account: &Account, to: &Side, name: &str, count: usize, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let to: BareJid = to.phone.account.jid().clone();
    let conversation = account.conversation(to);
    let mut number = 0;
    while number < count {
        for _ in 0..rng.random_range(1..=BURST).min(count - number) {
            let mut text = begin_of(name, number);
            if rng.random_range(0..LARGE_EACH) == 0 {
                text += &"x".repeat(rng.random_range(0..LARGE_BYTES));
            }
            conversation.send(text).await.unwrap();
            number += 1;
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..PAUSE_MILLIS))).await;
    }
}

/// Waits until everything has arrived, as long as something still does.
async fn settle(sides: &[Side; 2], count: usize) -> Result<(), String> {
    let mut last = (0, 0);
    let mut moved = Instant::now();
    loop {
        let now = (sides[0].ear.heard_count(), sides[1].ear.heard_count());
        let acked = sides
            .iter()
            .map(|side| side.ear.acked_count())
            .sum::<usize>();
        if now.0 >= count && now.1 >= count && acked >= 2 * count {
            return Ok(());
        }
        let progress = (now.0 + now.1, acked);
        if progress != last {
            (last, moved) = (progress, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            return Err(format!(
                "nothing moves: {now:?} arrived, {acked} acknowledged of 2 x {count}"
            ));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
