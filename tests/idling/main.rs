//! X11: while the network stalls, refuses, hangs up, is slow, or nobody answers behind it, the client sleeps between its
//! attempts; and it is back soon after the network is.
//!
//! A test program of its own with one test: what is measured is the time of the processor that this whole process uses.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: what goes wrong has to stop it, and it says what it found"
)]

use std::time::{Duration, Instant};

use eft::{Account, ConnectionState};
use eft_bench::cpu;
use eft_tests::{FaultProxy, Phone, Prosody, wait_for};

/// How long each state lasts and is measured.
const LOOK: Duration = Duration::from_secs(3);
/// The share of one processor that it may take: some attempts to connect, in a build that is not optimised. A busy loop
/// takes all of it.
const MOST: f64 = 0.05;
/// How long it may take until it is back, for one who is told that the network is.
const TOLD: Duration = Duration::from_secs(10);
/// And for one who is not: the waits between attempts have doubled meanwhile.
const UNTOLD: Duration = Duration::from_secs(30);

/// Something that a network does.
struct State {
    name: &'static str,
    begin: fn(&FaultProxy, &Prosody),
    /// Whether the app is told when it is over.
    is_told: bool,
}

const STATES: [State; 7] = [
    State {
        name: "stalled",
        begin: |proxy, _| proxy.stall(),
        is_told: false,
    },
    State {
        name: "reset, and nothing answers since",
        begin: |proxy, _| {
            proxy.stall();
            proxy.reset();
        },
        is_told: true,
    },
    State {
        name: "refused",
        begin: |proxy, _| {
            proxy.refuse();
            proxy.reset();
        },
        is_told: false,
    },
    State {
        name: "refused, and told when it is over",
        begin: |proxy, _| {
            proxy.refuse();
            proxy.reset();
        },
        is_told: true,
    },
    State {
        name: "cut in every login",
        begin: |proxy, _| {
            proxy.cut_after(eft_tests::Direction::ToClient, 2500);
            proxy.reset();
        },
        is_told: true,
    },
    State {
        name: "slow",
        begin: |proxy, _| proxy.delay(Duration::from_secs(1)),
        is_told: false,
    },
    State {
        name: "a server that is there and says nothing",
        begin: |proxy, server| {
            server.freeze().unwrap();
            proxy.reset();
        },
        is_told: true,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_network_sleeps_and_is_back_when_it_is() {
    let server = Prosody::builder().one_step_login().start().await.unwrap();
    let (alice, bob) = (
        server.add_account("alice").await.unwrap(),
        server.add_account("bob").await.unwrap(),
    );
    server.befriend("alice", "bob").await.unwrap();
    let proxy = FaultProxy::start(server.starttls_address()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Phone::new(&server, &alice, "alice", folder.path())
        .await
        .unwrap();
    let mut options = alice.options().clone();
    options.server.as_mut().unwrap().port = proxy.port();
    alice.set_options(options);
    alice.connect().await.unwrap();
    let mut bob = Phone::online(&server, &bob, "bob", folder.path())
        .await
        .unwrap();
    exchange(&mut alice, &mut bob, "before").await;
    for state in STATES {
        (state.begin)(&proxy, &server);
        // Something waits to go out: there is a reason to try.
        let text = format!("written while {}", state.name);
        let waiting = alice.send(bob.account.jid(), &text).await.unwrap();
        let before = cpu::used();
        tokio::time::sleep(LOOK).await;
        let share = cpu::used().saturating_sub(before).as_secs_f64() / LOOK.as_secs_f64();
        server.thaw().unwrap();
        proxy.clear();
        let over = Instant::now();
        if state.is_told {
            alice.account.network_changed();
        }
        let patience = if state.is_told { TOLD } else { UNTOLD };
        wait_for(state.name, patience, || async { is_online(&alice.account) })
            .await
            .unwrap();
        println!(
            "{}: {:.2} % of a processor, back after {:.1?}",
            state.name,
            share * 100.0,
            over.elapsed()
        );
        assert!(share < MOST, "{}: {share}", state.name);
        alice.wait_until_sent(waiting).await.unwrap();
        bob.wait_for_text(&text).await.unwrap();
        exchange(&mut alice, &mut bob, &format!("after: {}", state.name)).await;
    }
}

fn is_online(account: &Account) -> bool {
    matches!(account.connection_state(), ConnectionState::Online)
}

/// Both hear each other.
async fn exchange(alice: &mut Phone, bob: &mut Phone, text: &str) {
    alice.send(bob.account.jid(), text).await.unwrap();
    bob.wait_for_text(text).await.unwrap();
    let answer = format!("answer {text}");
    bob.send(alice.account.jid(), &answer).await.unwrap();
    alice.wait_for_text(&answer).await.unwrap();
}
