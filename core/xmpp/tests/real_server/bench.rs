//! A client that measures what its logins cost, and what the tests ask of a session.

use std::sync::Arc;
use std::time::Duration;

use eft_types::BareJid;
use eft_xmpp::Element;
use eft_xmpp::driver::{
    ClientTls, CloseReason, CloseStyle, ConnectConfig, ConnectError, Connection, Endpoint, Event,
    SystemResolver, TrustRoots, connect,
};
use eft_xmpp::stream::{
    ClientState, FastToken, LoginConfig, LostStream, Password, Pins, TokenNews, Transport,
    UserAgent,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::proxy::{Flights, proxy, round_trips};
use super::servers::{JID, PASSWORD, Server};

pub(crate) struct Bench {
    pub(crate) config: ConnectConfig,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) flights: Flights,
    what: String,
}

impl Bench {
    pub(crate) async fn new(server: &Server, transport: Transport, seed: u64) -> Self {
        let target = match transport {
            Transport::StartTls => server.starttls,
            Transport::DirectTls => server.direct,
            Transport::WebSocket => server.https,
        };
        let (port, flights) = proxy(target).await;
        let jid = BareJid::new(JID).unwrap();
        let mut login = LoginConfig::new(jid, Password::new(PASSWORD.to_owned()));
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
            extra_pem: vec![server.certificate.clone()],
        };
        let tls = ClientTls::new(&roots).unwrap();
        let resolver = Arc::new(SystemResolver::new().unwrap());
        let mut config = ConnectConfig::new(login, tls, resolver);
        config.endpoint = Some(Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            transport,
        });
        Self {
            config,
            rng: ChaCha20Rng::seed_from_u64(seed),
            flights,
            what: format!("{:?}, {transport:?}", server.kind),
        }
    }

    pub(crate) async fn connect(&mut self) -> Result<Connection, ConnectError> {
        let connecting = connect(&self.config, &mut self.rng);
        tokio::time::timeout(Duration::from_secs(20), connecting)
            .await
            .expect("the login takes too long")
    }

    /// Connects, prints the cost, and keeps what a client would keep, by way of bytes.
    pub(crate) async fn login(&mut self, what: &str) -> Connection {
        let connection = self.connect().await.unwrap();
        let session = connection.session();
        let (trips, bytes) = round_trips(&self.flights);
        println!(
            "{}: {what}: {trips} round trips, {bytes} bytes, {:?}, as {}, carbons {}, state {:?}, management {:?}, {:?}",
            self.what,
            session.authentication,
            session.full_jid,
            session.carbons,
            session.client_state,
            session.stream_management,
            session.resumption,
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

    /// As [`Self::login`], within so many round trips. A busy machine makes two answers of one, so that more are counted than
    /// the protocol needs, never fewer: what it did once, it can.
    pub(crate) async fn login_within(&mut self, what: &str, most: usize) -> Connection {
        for _ in 0..5 {
            let connection = self.login(what).await;
            if self.trips() <= most {
                return connection;
            }
            let sender = connection.sender();
            sender.close(CloseStyle::EndStream).await.unwrap();
        }
        panic!("{what}: more than {most} round trips: {:?}", self.flights);
    }

    fn trips(&self) -> usize {
        round_trips(&self.flights).0
    }
}

pub(crate) fn ping(id: &str) -> Element {
    format!("<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
        .parse()
        .unwrap()
}

pub(crate) fn note_to_self(jid: &str, id: &str) -> Element {
    format!("<message xmlns='jabber:client' type='chat' to='{jid}' id='{id}'><body>{id}</body></message>")
        .parse()
        .unwrap()
}

pub(crate) async fn next(connection: &mut Connection) -> Event {
    tokio::time::timeout(Duration::from_secs(10), connection.next_event())
        .await
        .expect("nothing came")
}

pub(crate) async fn stanza_with_id(connection: &mut Connection, id: &str) -> Element {
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

pub(crate) async fn ask(connection: &mut Connection, id: &str) {
    connection.sender().send(&ping(id), None).await.unwrap();
    let answer = stanza_with_id(connection, id).await;
    assert_eq!(answer.attr("type"), Some("result"));
}

/// Leaves without a word, as a phone does that is put to sleep.
pub(crate) async fn leave(mut connection: Connection) -> LostStream {
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
