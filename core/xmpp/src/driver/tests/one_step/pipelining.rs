//! Servers that do not take what comes before they spoke.

use super::*;

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
