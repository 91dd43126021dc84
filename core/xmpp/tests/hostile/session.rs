//! The whole connection: TLS, decoder, queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eft_types::BareJid;
use eft_xmpp::Element;
use eft_xmpp::driver::{
    ClientTls, ConnectConfig, Connection, Endpoint, Event, SystemResolver, TrustRoots, connect,
};
use eft_xmpp::stream::{LoginConfig, Password, Transport};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::attacks::{self, Attack};
use super::cost::{self, Cost, KIB, Peak};
use super::server::Server;

const MOST: u64 = 10 * 1024 * KIB;

async fn login(port: u16, certificate: String) -> Connection {
    let jid = BareJid::new("user@b.example").unwrap();
    let mut login = LoginConfig::new(jid, Password::new("pencil".to_owned()));
    login.allow_plain = true;
    let roots = TrustRoots {
        webpki: false,
        native: false,
        extra_pem: vec![certificate],
    };
    let tls = ClientTls::new(&roots).unwrap();
    let mut config = ConnectConfig::new(login, tls, Arc::new(SystemResolver::new().unwrap()));
    config.endpoint = Some(Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        transport: Transport::DirectTls,
    });
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    connect(&config, &mut rng).await.unwrap()
}

/// Takes what comes, until it is over.
async fn take_all(connection: &mut Connection) -> String {
    loop {
        if let Event::Closed(closed) = connection.next_event().await {
            return format!("{:?}", closed.reason);
        }
    }
}

async fn measure(is_busy: bool) {
    let attack = attacks::named(&cost::attack());
    let server = Server::new().await;
    let (port, certificate) = (server.port, server.certificate.clone());
    // Who takes what comes may be slow at it on a busy machine; who takes nothing has nothing to be waited for.
    let patience = Duration::from_secs(if is_busy { 1 } else { 20 });
    let attacking = tokio::spawn(server.attack(attack, MOST, patience));
    let mut connection = login(port, certificate).await;
    assert!(matches!(
        connection.next_event().await,
        Event::Stanza { .. }
    ));
    let peak = Peak::begin();
    let began = Instant::now();
    let presence: Element = "<presence xmlns='jabber:client'/>".parse().unwrap();
    connection.sender().send(&presence, None).await.unwrap();
    let (bytes, outcome) = if is_busy {
        (attacking.await.unwrap(), "nothing was taken".to_owned())
    } else {
        let (bytes, outcome) = tokio::join!(attacking, take_all(&mut connection));
        (bytes.unwrap(), outcome)
    };
    cost::tell(&Cost {
        time: began.elapsed(),
        memory: peak.bytes(),
        bytes,
        outcome,
    });
}

#[tokio::test]
#[ignore = "one attack, in the process that another test starts"]
async fn measured_while_events_are_taken() {
    measure(false).await;
}

#[tokio::test]
#[ignore = "one attack, in the process that another test starts"]
async fn measured_while_no_events_are_taken() {
    measure(true).await;
}

fn run(test: &str, attack: &Attack) -> Cost {
    let cost = cost::in_own_process(test, attack.name);
    cost.print(test, attack.name);
    cost
}

#[test]
fn a_stanza_without_end_ends_the_stream_and_never_costs_two_mebibytes() {
    for attack in attacks::floods() {
        let cost = run("session::measured_while_events_are_taken", &attack);
        assert!(
            cost.outcome.contains("Malformed"),
            "{}: {}",
            attack.name,
            cost.outcome
        );
        assert!(
            cost.memory < 2048 * KIB,
            "{}: {} bytes",
            attack.name,
            cost.memory
        );
    }
}

#[test]
fn stanzas_without_end_cost_no_more_when_nobody_takes_them() {
    for attack in attacks::many() {
        let taken = run("session::measured_while_events_are_taken", &attack);
        assert!(taken.bytes > MOST, "{}: {} bytes", attack.name, taken.bytes);
        let waiting = run("session::measured_while_no_events_are_taken", &attack);
        assert!(
            waiting.bytes < MOST,
            "{}: {} bytes",
            attack.name,
            waiting.bytes
        );
        for cost in [taken, waiting] {
            assert!(
                cost.memory < 4096 * KIB,
                "{}: {} bytes",
                attack.name,
                cost.memory
            );
        }
    }
}
