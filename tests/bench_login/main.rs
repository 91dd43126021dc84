//! What a login costs on a real Prosody and a real ejabberd: round trips and bytes, read from the log of a proxy between.
//!
//! Round trips are those of [`eft_tests::flights`]. Counting ends with the session: what the server has waiting comes in the same flight. The figures are
//! those of the worse server. They do not depend on how well the program was compiled.

#![allow(
    clippy::print_stdout,
    reason = "a program of figures: printing them is its purpose"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use eft_bench::figures::Figures;
use eft_tests::flights::{self, Cost, Flights};
use eft_tests::{Ejabberd, Login, Prosody, Server};
use eft_xmpp::driver::{
    ClientTls, CloseStyle, ConnectConfig, Connection, Endpoint, SystemResolver, TrustRoots, connect,
};
use eft_xmpp::stream::{ClientState, LoginConfig, Password, TokenNews, Transport, UserAgent};
use rand::SeedableRng;

type Fault = Box<dyn Error + Send + Sync>;

/// A client that keeps what clients keep between logins.
struct Client {
    config: ConnectConfig,
    rng: rand::rngs::StdRng,
    log: Flights,
}

impl Client {
    async fn new(
        server: &dyn Server,
        login: &Login,
        port: u16,
        transport: Transport,
    ) -> Result<Self, Fault> {
        let (port, log) = flights::start(port).await?;
        let password = Password::new(login.password.clone());
        let mut config = LoginConfig::new(login.jid.clone(), password);
        let agent = UserAgent::new("d4565fa7-4d72-4749-b3d3-740edbf87770");
        config.user_agent = Some(agent?);
        config.carbons = true;
        config.client_state = Some(ClientState::Inactive);
        config.request_token = true;
        let tls = ClientTls::new(&TrustRoots {
            webpki: false,
            native: false,
            extra_pem: vec![std::fs::read_to_string(server.authority_path())?],
        })?;
        let mut config = ConnectConfig::new(config, tls, Arc::new(SystemResolver::new()?));
        config.endpoint = Some(Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            transport,
        });
        Ok(Self {
            config,
            rng: rand::rngs::StdRng::seed_from_u64(1),
            log,
        })
    }

    /// Logs in, keeps what the server gave, and says what it cost.
    async fn login(&mut self) -> Result<Cost, Fault> {
        let connecting = connect(&self.config, &mut self.rng);
        let connection = tokio::time::timeout(Duration::from_secs(20), connecting).await??;
        let cost = self.log.cost();
        self.keep(&connection);
        connection.sender().close(CloseStyle::EndStream).await?;
        // The next one begins on a server that knows of the end.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(cost)
    }

    /// The best of five.
    async fn cheapest_login(&mut self) -> Result<Cost, Fault> {
        let mut best = self.login().await?;
        for _ in 0..4 {
            best = best.better(self.login().await?);
        }
        Ok(best)
    }

    fn keep(&mut self, connection: &Connection) {
        let session = connection.session();
        self.config.login.pins.clone_from(&session.pins);
        match &session.token {
            TokenNews::New(token) => self.config.login.token = Some(token.clone()),
            TokenNews::Rejected => self.config.login.token = None,
            TokenNews::Unchanged => {}
        }
    }
}

/// By token; by token over STARTTLS; by password, when nothing is known of the server.
async fn measure(
    server: &dyn Server,
    login: &Login,
    direct: u16,
    starttls: u16,
) -> Result<[Cost; 3], Fault> {
    let mut client = Client::new(server, login, direct, Transport::DirectTls).await?;
    let password = client.login().await?;
    if client.config.login.token.is_none() {
        return Err("the server gave no token".into());
    }
    let fast = client.cheapest_login().await?;
    let mut client = Client::new(server, login, starttls, Transport::StartTls).await?;
    client.login().await?;
    let over_starttls = client.cheapest_login().await?;
    Ok([fast, over_starttls, password])
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let prosody = Prosody::builder().one_step_login().start().await?;
    let alice = prosody.add_account("alice").await?;
    let ports = prosody.ports();
    let on_prosody = measure(&prosody, &alice, ports.direct_tls, ports.starttls).await?;
    let ejabberd = Ejabberd::start().await?;
    let bob = ejabberd.add_account("bob").await?;
    let ports = ejabberd.ports();
    let on_ejabberd = measure(&ejabberd, &bob, ports.direct_tls, ports.starttls).await?;
    println!("Prosody {on_prosody:?}\nejabberd {on_ejabberd:?}");

    let [fast, starttls, password] =
        [0, 1, 2].map(|index| on_prosody[index].worse(on_ejabberd[index]));
    let mut figures = Figures::new();
    let trips = |cost: Cost| cost.round_trips as f64;
    figures.add(
        "login.roundtrips_fast",
        trips(fast),
        Some(3.0),
        "direct TLS, token, pipelined".into(),
    );
    figures.add(
        "login.roundtrips_starttls",
        trips(starttls),
        None,
        "STARTTLS, token, pipelined".into(),
    );
    figures.add(
        "login.roundtrips_password",
        trips(password),
        None,
        "direct TLS, first login".into(),
    );
    figures.add(
        "login.bytes_fast",
        fast.bytes as f64,
        None,
        "both ways, TLS included".into(),
    );
    println!("{}", figures.table());
    println!("{}", figures.write()?.display());
    Ok(())
}
