//! Logins in one step, streams that go on, and stanzas that wait for their transaction.

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
    <sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind></inline>\
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
async fn a_warm_login_says_all_at_once_and_the_old_stream_goes_on() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        let answer = "<authorization-identifier>user@b.example</authorization-identifier>\
            <resumed xmlns='urn:xmpp:sm:3' previd='old' h='5'/>";
        let authenticate = peer.take_token(answer).await;
        let resume = authenticate.get_child("resume", ns::SM).unwrap();
        assert_eq!(
            (resume.attr("previd"), resume.attr("h")),
            (Some("old"), Some("3"))
        );
        // First what was lost, then what is new; and the count goes on.
        assert_eq!(peer.element().await.attr("id"), Some("m6"));
        assert_eq!(peer.element().await.attr("id"), Some("new"));
        peer.send("<message id='theirs'/><a xmlns='urn:xmpp:sm:3' h='7'/>")
            .await;
        peer
    })
    .await;
    let mut config = warm(&authority, port);
    resume(&mut config, Some(6));
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let session = connection.session();
    assert_eq!(
        session.authentication,
        Authentication::Token(token().mechanism)
    );
    assert_eq!(session.full_jid.as_str(), "user@b.example/old");
    assert_eq!(session.resumption, Resumption::Resumed { h: 5 });
    assert_eq!(
        session.stream_management.as_ref().unwrap().max_seconds,
        Some(600)
    );
    connection
        .sender()
        .send(&message("new"), Some(70))
        .await
        .unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![5] }
    );
    let Event::Stanza { seq, .. } = soon(connection.next_event()).await else {
        panic!("no stanza");
    };
    connection.sender().durable_up_to(seq).unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked {
            tokens: vec![6, 70]
        }
    );
    connection
        .sender()
        .close(CloseStyle::LeaveOpen)
        .await
        .unwrap();
    let end = closed(&mut connection).await;
    let LostStream { record, sent, .. } = end.lost.unwrap();
    assert_eq!(sent, Some(7));
    assert_eq!(
        (record.id.as_str(), record.handled, record.acked),
        ("old", 4, 7)
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_the_server_gave_up_leaves_what_it_did_not_have() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token(&format!("<failed xmlns='urn:xmpp:sm:3' h='5'/>{ENABLED}"))
            .await;
        assert_eq!(peer.element().await.attr("id"), Some("m6"));
        peer.send("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
        peer
    })
    .await;
    let mut config = warm(&authority, port);
    resume(&mut config, None);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    assert_eq!(connection.session().full_jid.as_str(), "user@b.example/new");
    let leftover = connection.take_leftover();
    assert_eq!(leftover.acked, [5]);
    assert_eq!(leftover.unsent, [lost(6)]);
    assert_eq!(connection.take_leftover(), Leftover::default());
    connection
        .sender()
        .send_again(&leftover.unsent[0])
        .await
        .unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![6] }
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_resumption_with_a_count_that_cannot_be_is_refused_where_all_is_known() {
    for (sent, is_error) in [(Some(6), true), (None, false)] {
        let authority = Authority::new();
        let acceptor = authority.acceptor();
        let (port, _server) = serve(move |peer| async move {
            let mut peer = peer.tls(acceptor).await.unwrap();
            let answer = "<authorization-identifier>user@b.example</authorization-identifier>\
                <resumed xmlns='urn:xmpp:sm:3' previd='old' h='90'/>";
            peer.take_token(answer).await;
            peer
        })
        .await;
        let mut config = warm(&authority, port);
        resume(&mut config, sent);
        let result = soon(connect_with(&config)).await;
        let expected = LoginError::HandledCountTooHigh(HandledCountTooHigh {
            h: 90,
            send_count: 6,
        });
        assert_eq!(
            result.err(),
            is_error.then_some(ConnectError::Login(expected))
        );
    }
}

/// Accepts twice: first a server that cannot stand what comes behind the header.
async fn breaking(authority: &Authority, last_words: &'static str) -> u16 {
    let acceptor = authority.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut peer = Peer::new(tcp).tls(acceptor.clone()).await.unwrap();
        peer.next().await;
        peer.element().await;
        peer.send(last_words).await;
        drop(peer);
        let (tcp, _) = listener.accept().await.unwrap();
        let mut peer = Peer::new(tcp).tls(acceptor).await.unwrap();
        peer.take_password().await;
        peer.next().await;
    });
    port
}

#[tokio::test]
async fn a_server_that_breaks_on_pipelining_is_asked_again_without() {
    let authority = Authority::new();
    let words = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:error>\
        <unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    for (last_words, is_learnt) in [(words, true), ("", false)] {
        let port = breaking(&authority, last_words).await;
        let mut config = warm(&authority, port);
        // Both ways would begin with the token; this server shall see the password's.
        config.login.token = None;
        config.login.pins.plan = Some((
            Mechanism::ScramSha256Plus,
            Some(crate::stream::sasl::ChannelBinding::TlsExporter),
        ));
        let connection = soon(connect_with(&config)).await.unwrap();
        let session = connection.session();
        assert_eq!(session.pins.breaks_pipelining, is_learnt, "{last_words}");
        assert_eq!(session.token, TokenNews::Unchanged);
    }
}

/// A warm client has named its account before the server spoke; that alone settles nothing.
#[tokio::test]
async fn a_server_that_says_nothing_leads_to_the_next() {
    let authority = Authority::new();
    let silent_acceptor = authority.acceptor();
    let (silent, _silent_server) = serve(move |peer| async move {
        let peer = peer.tls(silent_acceptor).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(peer);
    })
    .await;
    let acceptor = authority.acceptor();
    let (port, _server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.take_token(ENABLED).await;
        peer
    })
    .await;
    let record = |priority, port| SrvRecord {
        priority,
        weight: 0,
        port,
        target: "host.b.example.".to_owned(),
    };
    let mut config = warm(&authority, port);
    config.endpoint = None;
    config.login_timeout = Duration::from_millis(500);
    config.resolver = Arc::new(FakeDns {
        direct: vec![record(1, silent), record(2, port)],
        starttls: vec![],
    });
    assert!(soon(connect_with(&config)).await.is_ok());
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

#[tokio::test]
async fn a_held_stanza_keeps_its_place_and_its_number_until_it_is_on_disk() {
    let authority = Authority::new();
    let (port, server) = serve_session(&authority, |mut peer| async move {
        assert_eq!(peer.element().await.attr("id"), Some("1"));
        // While the second one waits, acknowledgements go on.
        peer.send("<r xmlns='urn:xmpp:sm:3'/>").await;
        let mut ids = Vec::new();
        let mut has_answered = false;
        while ids.len() < 2 {
            let element = peer.element().await;
            has_answered |= element.is("a", ns::SM) && ids.is_empty();
            ids.extend(element.attr("id").map(str::to_owned));
        }
        assert!(has_answered);
        assert_eq!(ids, ["2", "3"]);
        peer.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
        peer
    })
    .await;
    let config = config(&authority, port, Transport::DirectTls);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    sender.send(&message("1"), Some(1)).await.unwrap();
    let held = sender.hold(&message("2"), Some(2)).await.unwrap();
    assert_eq!(held.number(), Some(2));
    assert_eq!(held.text(), "<message id='2'/>");
    assert!(!format!("{held:?}").contains("message"));
    sender.send(&message("3"), Some(3)).await.unwrap();
    // Time for the third to overtake, if it could.
    tokio::time::sleep(Duration::from_millis(200)).await;
    held.release().unwrap();
    assert_eq!(
        soon(connection.next_event()).await,
        Event::Acked { tokens: vec![1, 2] }
    );
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_place_that_is_given_up_ends_the_connection_and_keeps_the_stream() {
    let authority = Authority::new();
    let (port, server) =
        serve_session(&authority, |mut peer| async move { peer.next().await }).await;
    let config = config(&authority, port, Transport::DirectTls);
    let mut connection = soon(connect_with(&config)).await.unwrap();
    let sender = connection.sender();
    let held = sender.hold(&message("1"), Some(1)).await.unwrap();
    let _ = sender.send(&message("2"), Some(2)).await;
    drop(held);
    let end = closed(&mut connection).await;
    assert_eq!(end.reason, CloseReason::Abandoned);
    assert_eq!(end.lost.unwrap().record.id, "s1");
    assert_eq!(end.state.unwrap().unacked, []);
    assert_eq!(soon(server).await.unwrap(), None, "nothing of it was sent");
}
