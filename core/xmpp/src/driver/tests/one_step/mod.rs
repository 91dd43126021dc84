//! Logins in one step, streams that go on, and stanzas that wait for their transaction.

mod held;
mod pipelining;
mod resumption;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use super::server::{Authority, HEADER, Peer, serve, serve_session};
use super::*;
use crate::stream::sasl::{FastMechanism, Mechanism, ScramServer, TlsFacts, ht_respond};
use crate::stream::{
    Authentication, FastToken, HandledCountTooHigh, InlineOffer, LoginError, LostStream,
    Resumption, StreamRecord, StreamResumption, TokenNews, Unacked, UserAgent,
};
use crate::xml::Frame;
use crate::{Element, ns};

type Tls = Peer<TlsStream<TcpStream>>;

const FEATURES: &str = "<stream:features><authentication xmlns='urn:xmpp:sasl:2'>\
    <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism>\
    <inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism></fast>\
    <sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/>\
    <feature var='urn:xmpp:csi:0'/></inline></bind></inline>\
    </authentication><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/>\
    </sasl-channel-binding></stream:features>";
const ENABLED: &str = "<authorization-identifier>user@b.example/new</authorization-identifier>\
    <bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s2' resume='1'/></bound>";

fn exported(peer: &Tls) -> TlsFacts {
    let (_, tls) = peer.stream.get_ref();
    let bytes = tls
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
        .unwrap();
    TlsFacts {
        exporter: Some(Zeroizing::new(bytes)),
        ..TlsFacts::default()
    }
}

fn token() -> FastToken {
    let element: Element = "<token xmlns='urn:xmpp:fast:0' token='t0ken'/>"
        .parse()
        .unwrap();
    FastToken::parse(
        &element,
        FastMechanism::from_name("HT-SHA-256-EXPR").unwrap(),
    )
    .unwrap()
}

/// A client that has been here before.
fn warm(authority: &Authority, port: u16) -> ConnectConfig {
    let mut config = config(authority, port, Transport::DirectTls);
    config.login.resource = None;
    config.login.user_agent = Some(UserAgent::new("d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap());
    config.login.token = Some(token());
    let features: Element = FEATURES
        .replace(
            "<stream:features>",
            "<features xmlns='http://etherx.jabber.org/streams'>",
        )
        .replace("</stream:features>", "</features>")
        .parse()
        .unwrap();
    config.login.pins.sasl2 = InlineOffer::parse(&features);
    config
}

impl Tls {
    /// Reads header and `<authenticate/>` before a word is said, and answers all at once.
    async fn take_token(&mut self, answer: &str) -> Element {
        let Some(Frame::Header(_)) = self.next().await else {
            panic!("no header");
        };
        let authenticate = self.element().await;
        let initial = authenticate
            .get_child("initial-response", ns::SASL2)
            .unwrap();
        let message = BASE64.decode(initial.text()).unwrap();
        let proof = ht_respond(token().mechanism, "t0ken", &exported(self), &message)
            .expect("the token is not proven");
        let proof = BASE64.encode(proof);
        self.send(&format!(
            "{HEADER}{FEATURES}<success xmlns='urn:xmpp:sasl:2'><additional-data>{proof}</additional-data>{answer}</success>"
        ))
        .await;
        authenticate
    }

    /// The same by password, one step after the other.
    async fn take_password(&mut self) -> Element {
        self.open(FEATURES).await;
        let authenticate = self.element().await;
        assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
        let facts = exported(self);
        let mut scram = ScramServer::new(Mechanism::ScramSha256Plus)
            .bound_to(facts.exporter.as_ref().unwrap().as_slice());
        let initial = authenticate
            .get_child("initial-response", ns::SASL2)
            .unwrap();
        let challenge = scram.first(&initial.text());
        self.send(&format!(
            "<challenge xmlns='urn:xmpp:sasl:2'>{challenge}</challenge>"
        ))
        .await;
        let data = scram
            .last(&self.element().await.text())
            .expect("wrong proof");
        self.send(&format!(
            "<success xmlns='urn:xmpp:sasl:2'><additional-data>{data}</additional-data>{ENABLED}</success>"
        ))
        .await;
        authenticate
    }
}

fn lost(number: u32) -> Unacked {
    Unacked {
        number,
        text: format!("<message id='m{number}'/>").into(),
        token: Some(number.into()),
        queued_at: eft_types::Timestamp::from_millis(0),
    }
}

fn resume(config: &mut ConnectConfig, sent: Option<u32>) {
    let resumption = StreamResumption {
        id: Some("old".to_owned()),
        max_seconds: Some(600),
        location: None,
    };
    let full_jid = eft_types::FullJid::new("user@b.example/old").unwrap();
    let record = StreamRecord::begin(&resumption, full_jid).unwrap();
    config.resume = Some(LostStream {
        record: StreamRecord {
            handled: 3,
            acked: 4,
            ..record
        },
        unacked: vec![lost(5), lost(6)],
        sent,
    });
}

async fn closed(connection: &mut Connection) -> Closed {
    loop {
        if let Event::Closed(closed) = soon(connection.next_event()).await {
            return *closed;
        }
    }
}

fn message(id: &str) -> Element {
    format!("<message xmlns='jabber:client' id='{id}'/>")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn logging_out_ends_the_token_at_the_server() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token("<authorization-identifier>user@b.example</authorization-identifier>")
            .await
    })
    .await;
    let config = warm(&authority, port);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    soon(invalidate_token(&config, &mut rng)).await.unwrap();
    let authenticate = soon(server).await.unwrap();
    let fast = authenticate.get_child("fast", ns::FAST).unwrap();
    assert_eq!(fast.attr("invalidate"), Some("true"));
}

#[tokio::test]
async fn what_the_server_allows_is_learnt_when_it_says_so_behind_the_login() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, _server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token(ENABLED).await;
        peer.send(
            "<stream:features/><stream:features><limits xmlns='urn:xmpp:stream-limits:0'>\
            <max-bytes>100</max-bytes></limits></stream:features><message id='go'/>",
        )
        .await;
        peer
    })
    .await;
    let mut connection = soon(connect_with(&warm(&authority, port))).await.unwrap();
    assert!(matches!(
        soon(connection.next_event()).await,
        Event::Stanza { .. }
    ));
    let large = message(&"x".repeat(200));
    assert!(matches!(
        connection.sender().send(&large, None).await,
        Err(SendError::TooLarge { max_bytes: 100, .. })
    ));
}
