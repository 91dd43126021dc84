//! X11: a network that resets, refuses, stalls, cuts and is slow. The client comes back, and is not busy meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use eft::{ConnectOptions, ConnectionState};
use eft_tests::{Direction, FaultProxy};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::client::{CONTACT, Client, wait_until};
use super::program::Program;

fn through(program: &Program, port: u16) -> ConnectOptions {
    let mut options = Client::options(program, true);
    if let Some(server) = &mut options.server {
        server.port = port;
    }
    options
}

fn is_online(client: &Client) -> bool {
    matches!(client.account.connection_state(), ConnectionState::Online)
}

/// A message that arrives shows that the connection is a new and good one.
async fn is_reached(program: &mut Program, client: &Client, name: &str) {
    let began = Instant::now();
    wait_until("online again", async || is_online(client)).await;
    let message = format!(
        "send <message type='chat' from='{CONTACT}/phone' to='{{to}}' id='{name}'><body>{name}</body></message>"
    );
    program.say(&message).await;
    client.wait_for_text(name).await;
    println!("{name}: back after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_network_is_outlasted() {
    let mut program = Program::start().await;
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, program.port("direct_tls")));
    let proxy = FaultProxy::start(upstream).await.unwrap();
    let client = Client::new(&program, "network").await;
    let options = through(&program, proxy.port());
    client.account.connect(options).await.unwrap();

    proxy.reset();
    wait_until("noticing the reset", async || !is_online(&client)).await;
    is_reached(&mut program, &client, "reset").await;

    proxy.refuse();
    proxy.reset();
    wait_until("noticing the refusal", async || !is_online(&client)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!is_online(&client));
    proxy.clear();
    client.account.network_changed();
    is_reached(&mut program, &client, "refused").await;

    // A socket that looks alive and is not, and the phone says that it changed networks.
    proxy.stall();
    client.account.network_changed();
    let began = Instant::now();
    wait_until("noticing the stall", async || !is_online(&client)).await;
    println!("stall: noticed after {:?}", began.elapsed());
    proxy.clear();
    client.account.network_changed();
    is_reached(&mut program, &client, "stalled").await;

    // In the middle of TLS, of the login, of the session's first questions.
    for byte_count in [100, 1_500, 3_000, 5_000] {
        proxy.cut_after(Direction::ToClient, byte_count);
        proxy.reset();
        wait_until("noticing the cut", async || !is_online(&client)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.clear();
        client.account.network_changed();
        is_reached(&mut program, &client, &format!("cut after {byte_count}")).await;
    }

    proxy.delay(Duration::from_millis(500));
    proxy.reset();
    wait_until("noticing the reset", async || !is_online(&client)).await;
    is_reached(&mut program, &client, "slow").await;
}

/// Carries connections to `upstream` as long as `is_open`, and counts those that come when it is not.
async fn door(upstream: u16, is_open: watch::Receiver<bool>, knocks: Arc<AtomicU32>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut is_open = is_open.clone();
            if !*is_open.borrow() {
                knocks.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            tokio::spawn(async move {
                let to = (Ipv4Addr::LOCALHOST, upstream);
                let mut server = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = is_open.wait_for(|is_open| !is_open) => {}
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_at_once_is_asked_ever_more_slowly() {
    let mut program = Program::start().await;
    let knocks = Arc::new(AtomicU32::new(0));
    let (open, is_open) = watch::channel(true);
    let port = door(program.port("direct_tls"), is_open, Arc::clone(&knocks)).await;
    let client = Client::new(&program, "door").await;
    client
        .account
        .connect(through(&program, port))
        .await
        .unwrap();
    open.send_replace(false);
    tokio::time::sleep(Duration::from_secs(8)).await;
    let count = knocks.load(Ordering::Relaxed);
    println!("{count} attempts in eight seconds");
    // Waits of at least a half, one, two and four seconds.
    assert!((2..=5).contains(&count), "{count}");
    open.send_replace(true);
    client.account.network_changed();
    is_reached(&mut program, &client, "the door is open").await;
}
