//! The login against a server that somebody else wrote. Ignored by default, as there may be none:
//!
//! ```text
//! EFT_XMPP_ADDRESS=127.0.0.1:5223  EFT_XMPP_TRANSPORT=direct|starttls  EFT_XMPP_JID=user@host
//! EFT_XMPP_PASSWORD=…  EFT_XMPP_CA=ca.pem  cargo test -p eft-xmpp --test real_server -- --ignored --nocapture
//! ```
//!
//! The server needs SASL2 with Bind 2, FAST and XEP-0198 inline (Prosody 13 with its community
//! modules `sasl2`, `sasl2_bind2`, `sasl2_fast`, `sasl2_sm`; ejabberd 24.12 with `mod_auth_fast`).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test: what goes wrong has to stop it, and the figures are for reading"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eft_types::BareJid;
use eft_xmpp::Element;
use eft_xmpp::driver::{
    ClientTls, CloseReason, CloseStyle, ConnectConfig, ConnectError, Connection, Endpoint, Event,
    SystemResolver, TrustRoots, connect, invalidate_token,
};
use eft_xmpp::stream::sasl::ChannelBinding;
use eft_xmpp::stream::{
    Authentication, ClientState, FastToken, LoginConfig, LostStream, Password, Pins, Resumption,
    StreamRecord, TokenNews, Transport, UserAgent,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// Which side spoke, in order, with bytes; neighbours of the same side are one entry.
type Flights = Arc<Mutex<VecDeque<(Side, usize)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

fn note(flights: &Flights, side: Side, bytes: usize) {
    let mut flights = flights.lock().unwrap();
    match flights.back_mut() {
        Some((last, sum)) if *last == side => *sum += bytes,
        _ => flights.push_back((side, bytes)),
    }
}

/// Carries one connection after another to the server and notes who spoke when.
async fn proxy() -> (u16, Flights) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flights = Flights::default();
    let log = Arc::clone(&flights);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            log.lock().unwrap().clear();
            let server = TcpStream::connect(setting("EFT_XMPP_ADDRESS"))
                .await
                .unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let up = Arc::clone(&log);
            let down = Arc::clone(&log);
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(count) = from_client.read(&mut buffer).await {
                    if count == 0 || to_server.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                    note(&up, Side::Client, count);
                }
                let _ = to_server.shutdown().await;
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(count) = from_server.read(&mut buffer).await {
                    // A distance, so that what the client says without waiting counts as one.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    note(&down, Side::Server, count);
                    if count == 0 || to_client.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
                let _ = to_client.shutdown().await;
            });
        }
    });
    (port, flights)
}

/// TCP, and each time that the client had to wait for the server.
fn round_trips(flights: &Flights) -> (usize, usize) {
    let flights = flights.lock().unwrap();
    let waits = flights
        .iter()
        .filter(|(side, _)| *side == Side::Server)
        .count();
    (1 + waits, flights.iter().map(|(_, bytes)| bytes).sum())
}

struct Bench {
    config: ConnectConfig,
    rng: ChaCha20Rng,
    flights: Flights,
}

impl Bench {
    async fn new(seed: u64) -> Self {
        let (port, flights) = proxy().await;
        let jid = BareJid::new(&setting("EFT_XMPP_JID")).unwrap();
        let mut login = LoginConfig::new(jid, Password::new(setting("EFT_XMPP_PASSWORD")));
        let mut agent = UserAgent::new(&format!("d4565fa7-4d72-4749-b3d3-{seed:012x}")).unwrap();
        agent.software = Some("Eft".to_owned());
        login.user_agent = Some(agent);
        login.tag = Some("eft".to_owned());
        login.carbons = true;
        login.client_state = Some(ClientState::Inactive);
        login.request_token = true;
        let roots = TrustRoots {
            webpki: false,
            native: false,
            extra_pem: vec![std::fs::read_to_string(setting("EFT_XMPP_CA")).unwrap()],
        };
        let tls = ClientTls::new(&roots).unwrap();
        let resolver = Arc::new(SystemResolver::new().unwrap());
        let mut config = ConnectConfig::new(login, tls, resolver);
        config.endpoint = Some(Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            transport: match setting("EFT_XMPP_TRANSPORT").as_str() {
                "starttls" => Transport::StartTls,
                "direct" => Transport::DirectTls,
                other => panic!("transport {other:?}"),
            },
        });
        Self {
            config,
            rng: ChaCha20Rng::seed_from_u64(seed),
            flights,
        }
    }

    async fn connect(&mut self) -> Result<Connection, ConnectError> {
        let connecting = connect(&self.config, &mut self.rng);
        tokio::time::timeout(Duration::from_secs(20), connecting)
            .await
            .expect("the login takes too long")
    }

    /// Connects, prints the cost, and keeps what a client would keep, by way of bytes.
    async fn login(&mut self, what: &str) -> Connection {
        let connection = self.connect().await.unwrap();
        let session = connection.session();
        let (trips, bytes) = round_trips(&self.flights);
        println!(
            "{what}: {trips} round trips, {bytes} bytes, {:?}, as {}, carbons {}, state {:?}, management {:?}, {:?}, pins {:?}",
            session.authentication,
            session.full_jid,
            session.carbons,
            session.client_state,
            session.stream_management,
            session.resumption,
            session.pins,
        );
        self.config.login.pins = Pins::from_bytes(&session.pins.to_bytes()).unwrap();
        match &session.token {
            TokenNews::New(token) => {
                let kept = FastToken::from_bytes(&token.to_bytes()).unwrap();
                self.config.login.token = Some(kept);
            }
            TokenNews::Rejected => self.config.login.token = None,
            TokenNews::Unchanged => {}
        }
        connection
    }

    fn trips(&self) -> usize {
        round_trips(&self.flights).0
    }
}

fn ping(id: &str) -> Element {
    format!("<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
        .parse()
        .unwrap()
}

fn note_to_self(jid: &str, id: &str) -> Element {
    format!("<message xmlns='jabber:client' type='chat' to='{jid}' id='{id}'><body>{id}</body></message>")
        .parse()
        .unwrap()
}

async fn next(connection: &mut Connection) -> Event {
    tokio::time::timeout(Duration::from_secs(10), connection.next_event())
        .await
        .expect("nothing came")
}

async fn stanza_with_id(connection: &mut Connection, id: &str) -> Element {
    loop {
        match next(connection).await {
            Event::Stanza { element, seq } => {
                connection.sender().durable_up_to(seq).unwrap();
                if element.attr("id") == Some(id) {
                    return element;
                }
            }
            Event::Closed(closed) => panic!("{closed:?}"),
            _ => {}
        }
    }
}

async fn ask(connection: &mut Connection, id: &str) {
    connection.sender().send(&ping(id), None).await.unwrap();
    let answer = stanza_with_id(connection, id).await;
    assert_eq!(answer.attr("type"), Some("result"));
}

/// Leaves without a word, as a phone does that is put to sleep.
async fn leave(mut connection: Connection) -> LostStream {
    connection
        .sender()
        .close(CloseStyle::LeaveOpen)
        .await
        .unwrap();
    loop {
        if let Event::Closed(closed) = next(&mut connection).await {
            assert_eq!(closed.reason, CloseReason::Requested);
            return closed.lost.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server, see the head of the file"]
async fn a_password_gives_a_token_and_the_token_a_session_in_three_round_trips() {
    let mut bench = Bench::new(1).await;
    let direct = setting("EFT_XMPP_TRANSPORT") == "direct";
    let mut first = bench.login("first").await;
    let Authentication::Password {
        mechanism,
        channel_binding,
    } = first.session().authentication
    else {
        panic!("no password was used");
    };
    assert!(mechanism.binds_channel(), "{mechanism}");
    assert_eq!(channel_binding, Some(ChannelBinding::TlsExporter));
    assert!(first.session().carbons && first.session().stream_management.is_some());
    let token = bench.config.login.token.clone().expect("no token");
    assert_eq!(token.mechanism.binding, Some(ChannelBinding::TlsExporter));
    ask(&mut first, "p1").await;
    first.sender().close(CloseStyle::EndStream).await.unwrap();

    bench.config.login.password = None;
    let mut second = bench.login("token").await;
    assert_eq!(
        second.session().authentication,
        Authentication::Token(token.mechanism)
    );
    assert!(
        bench.trips() <= if direct { 3 } else { 5 },
        "{:?}",
        bench.flights
    );
    ask(&mut second, "p2").await;
    second.sender().close(CloseStyle::EndStream).await.unwrap();

    // With the password again, pipelined as well.
    let token = bench.config.login.token.take();
    bench.config.login.password = Some(Password::new(setting("EFT_XMPP_PASSWORD")));
    bench.config.login.request_token = false;
    let mut third = bench.login("password, pipelined").await;
    assert!(matches!(
        third.session().authentication,
        Authentication::Password { .. }
    ));
    assert!(bench.trips() <= if direct { 4 } else { 6 });
    ask(&mut third, "p3").await;
    third.sender().close(CloseStyle::EndStream).await.unwrap();

    // Logged out: the token is worth nothing, and the password still is.
    bench.config.login.token = token.clone();
    invalidate_token(&bench.config, &mut bench.rng)
        .await
        .unwrap();
    invalidate_token(&bench.config, &mut bench.rng)
        .await
        .unwrap();
    bench.config.login.token = token;
    let mut fourth = bench.login("dead token, then password").await;
    assert!(matches!(
        fourth.session().authentication,
        Authentication::Password { .. }
    ));
    assert_eq!(fourth.session().token, TokenNews::Rejected);
    ask(&mut fourth, "p4").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server, see the head of the file"]
async fn a_stream_goes_on_in_another_process_and_loses_nothing() {
    let mut bench = Bench::new(2).await;
    let me = setting("EFT_XMPP_JID");
    for sasl2 in [true, false] {
        bench.config.login.sasl2 = sasl2;
        bench.config.login.pins = Pins::default();
        bench.config.login.token = None;
        bench.config.resume = None;
        let mut before = bench.login("to be resumed").await;
        let full_jid = before.session().full_jid.clone();
        ask(&mut before, "r1").await;
        let lost = leave(before).await;

        // Another process: it has the record, and not the stanzas that left no trace on disk.
        let mut record = StreamRecord::from_bytes(&lost.record.to_bytes()).unwrap();
        record.acked = 0;
        bench.config.resume = Some(LostStream {
            record,
            unacked: Vec::new(),
            sent: None,
        });
        let mut after = bench.login("resumed").await;
        let Resumption::Resumed { h } = after.session().resumption else {
            panic!("{:?}", after.session().resumption);
        };
        assert!(h >= 1, "the ping was counted");
        assert_eq!(after.session().full_jid, full_jid);
        after
            .sender()
            .send(&note_to_self(full_jid.as_str(), "after"), Some(1))
            .await
            .unwrap();
        stanza_with_id(&mut after, "after").await;
        ask(&mut after, "r2").await;

        // Killed with two messages unacknowledged that the server never got.
        let mut stream = leave(after).await;
        let lost = |number, id: &str| eft_xmpp::stream::Unacked {
            number,
            text: format!(
                "<message type='chat' to='{full_jid}' id='{id}'><body>{id}</body></message>"
            )
            .into(),
            token: Some(number.into()),
            queued_at: eft_types::Timestamp::from_millis(0),
        };
        let last = stream.sent.unwrap();
        stream.unacked = vec![lost(last + 1, "lost1"), lost(last + 2, "lost2")];
        stream.sent = Some(last + 2);
        bench.config.resume = Some(stream.clone());
        let mut again = bench.login("resumed with a queue").await;
        assert!(matches!(
            again.session().resumption,
            Resumption::Resumed { .. }
        ));
        stanza_with_id(&mut again, "lost1").await;
        stanza_with_id(&mut again, "lost2").await;
        ask(&mut again, "r3").await;
        again.sender().close(CloseStyle::EndStream).await.unwrap();
        while !matches!(next(&mut again).await, Event::Closed(_)) {}
        // The end has to reach the server before the next connection does.
        tokio::time::sleep(Duration::from_millis(500)).await;

        // The stream was ended: it cannot be resumed, and what it left goes out on the new one.
        bench.config.resume = Some(stream);
        let mut new = bench.login("refused").await;
        assert!(
            matches!(new.session().resumption, Resumption::Refused { .. }),
            "{:?}",
            new.session().resumption
        );
        let leftover = new.take_leftover();
        println!("leftover {leftover:?}");
        assert!(!leftover.unsent.is_empty());
        let to = new.session().full_jid.clone();
        let presence: Element = "<presence xmlns='jabber:client'/>".parse().unwrap();
        new.sender().send(&presence, None).await.unwrap();
        new.sender()
            .send(&note_to_self(to.as_str(), "new"), None)
            .await
            .unwrap();
        for stanza in &leftover.unsent {
            new.sender().send_again(stanza).await.unwrap();
        }
        stanza_with_id(&mut new, "new").await;
        ask(&mut new, "r4").await;
        new.sender().close(CloseStyle::EndStream).await.unwrap();
        println!("account {me}: done with SASL2 {sasl2}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server, see the head of the file"]
async fn the_largest_stanza_is_learnt_although_the_login_does_not_wait_for_it() {
    let mut bench = Bench::new(3).await;
    let mut connection = bench.login("limits").await;
    ask(&mut connection, "l1").await;
    let limits = connection.sender().limits();
    println!("limits {limits:?}");
    // ejabberd 24.12 has no XEP-0478.
    if limits.max_bytes.is_some() {
        assert_eq!(limits.max_bytes, Some(262_144));
    }
    connection
        .sender()
        .close(CloseStyle::EndStream)
        .await
        .unwrap();
}
