//! A client that says what it is told to.

use std::sync::Arc;
use std::time::Duration;

use eft_tests::{Login, Server};
use eft_xmpp::Element;
use eft_xmpp::driver::{
    ClientTls, CloseStyle, ConnectConfig, Connection, Endpoint, Event, SystemResolver, TrustRoots,
    connect,
};
use eft_xmpp::stream::{LoginConfig, Password, Transport};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    connection: Connection,
}

impl Client {
    pub(super) async fn connect(server: &dyn Server, login: &Login) -> Self {
        let password = Password::new(login.password.clone());
        let tls = ClientTls::new(&TrustRoots {
            webpki: false,
            native: false,
            extra_pem: vec![std::fs::read_to_string(server.authority_path()).unwrap()],
        })
        .unwrap();
        let resolver = Arc::new(SystemResolver::new().unwrap());
        let login = LoginConfig::new(login.jid.clone(), password);
        let mut config = ConnectConfig::new(login, tls, resolver);
        config.endpoint = Some(Endpoint {
            host: "127.0.0.1".to_owned(),
            port: server.ports().starttls,
            transport: Transport::StartTls,
        });
        let mut rng = StdRng::seed_from_u64(1);
        let connection = connect(&config, &mut rng).await.unwrap();
        let mut client = Self { connection };
        client
            .send(&element("<presence xmlns='jabber:client'/>"))
            .await;
        client
    }

    pub(super) async fn send(&mut self, stanza: &Element) {
        self.connection.sender().send(stanza, None).await.unwrap();
    }

    /// Sends a question, and waits until it is granted.
    pub(super) async fn ask(&mut self, to: &str, payload: &str) {
        let to = match to {
            "" => String::new(),
            to => format!("to='{to}'"),
        };
        self.send(&element(&format!(
            "<iq xmlns='jabber:client' type='set' id='question' {to}>{payload}</iq>"
        )))
        .await;
        let answer = self
            .wait_for(|stanza| stanza.attr("id") == Some("question"))
            .await;
        assert_eq!(answer.attr("type"), Some("result"), "{answer:?}");
    }

    async fn wait_for(&mut self, is_it: impl Fn(&Element) -> bool) -> Element {
        let waiting = async {
            loop {
                match self.connection.next_event().await {
                    Event::Stanza { seq, element } => {
                        self.connection.sender().settle(seq).unwrap();
                        if is_it(&element) {
                            return element;
                        }
                    }
                    Event::Closed(closed) => panic!("{closed:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap()
    }

    pub(super) async fn join(&mut self, room: &str) {
        self.enter(room, "guest").await;
    }

    /// The subject is the last thing that a room says to somebody who comes in.
    async fn enter(&mut self, room: &str, name: &str) {
        self.send(&element(&format!(
            "<presence xmlns='jabber:client' to='{room}/{name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )))
        .await;
        self.wait_for(|stanza| stanza.has_child("subject", "jabber:client"))
            .await;
    }

    /// A new room, as it comes.
    pub(super) async fn open_room(&mut self, room: &str) {
        self.enter(room, "owner").await;
        self.ask(
            room,
            "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>",
        )
        .await;
    }

    pub(super) async fn enable_push(&mut self, service: &str, node: &str) {
        self.ask(
            "",
            &format!("<enable xmlns='urn:xmpp:push:0' jid='{service}' node='{node}'/>"),
        )
        .await;
    }

    pub(super) async fn close(mut self, style: CloseStyle) {
        self.connection.sender().close(style).await.unwrap();
        let closed =
            async { while !matches!(self.connection.next_event().await, Event::Closed(_)) {} };
        tokio::time::timeout(PATIENCE, closed).await.unwrap();
    }
}

fn element(text: &str) -> Element {
    text.parse().unwrap()
}
