//! Servers that do not let the login come to its end.

use super::*;

#[tokio::test]
async fn a_refused_password_is_final() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, _server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.open(MECHANISMS).await;
        assert!(!peer.authenticate().await);
        peer
    })
    .await;
    // A second target that must not hear of the account.
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let record = |priority, port| SrvRecord {
        priority,
        weight: 0,
        port,
        target: "host.b.example.".to_owned(),
    };
    let mut config = config(&authority, port, Transport::DirectTls);
    config.endpoint = None;
    config.login.password = Some(Password::new("pen".to_owned()));
    config.resolver = Arc::new(FakeDns {
        direct: vec![record(1, port)],
        starttls: vec![record(2, other.local_addr().unwrap().port())],
    });
    let error = soon(connect_with(&config)).await.unwrap_err();
    let ConnectError::Login(LoginError::AuthRejected { condition, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(condition, "not-authorized");
    let accepted = tokio::time::timeout(Duration::from_millis(100), other.accept()).await;
    assert!(accepted.is_err(), "the second target was contacted");
}

#[tokio::test]
async fn a_stripped_starttls_is_refused() {
    let authority = Authority::new();
    let (port, server) = serve(|mut peer| async move {
        peer.open(MECHANISMS).await;
        // Asked for before anything was offered.
        assert!(peer.element().await.is("starttls", crate::ns::TLS));
        peer.next().await
    })
    .await;
    let error = soon(connect_with(&config(&authority, port, Transport::StartTls)))
        .await
        .unwrap_err();
    assert_eq!(error, ConnectError::Login(LoginError::TlsRequired));
    assert_eq!(soon(server).await.unwrap(), None, "not a byte after that");
}

#[tokio::test]
async fn plaintext_behind_proceed_is_refused() {
    let authority = Authority::new();
    let (port, server) = serve(|mut peer| async move {
        peer.open(STARTTLS).await;
        peer.element().await;
        peer.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>")
            .await;
        peer.next().await
    })
    .await;
    let error = soon(connect_with(&config(&authority, port, Transport::StartTls)))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ConnectError::Login(LoginError::PlaintextInjected { bytes: 18 })
    );
    assert_eq!(soon(server).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_hangs_up_or_babbles_during_login_gives_an_error() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, _server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.open(MECHANISMS).await;
        peer.element().await;
    })
    .await;
    let error = soon(connect_with(&config(
        &authority,
        port,
        Transport::DirectTls,
    )))
    .await
    .unwrap_err();
    assert!(matches!(error, ConnectError::Lost { .. }), "{error:?}");

    for babble in [
        "<?xml version='1.0'?><html>",
        "\u{0}\u{1}",
        &format!("{HEADER}<a></b>"),
    ] {
        let babble = babble.to_owned();
        let (port, _server) = serve(|mut peer| async move {
            peer.next().await;
            peer.send(&babble).await;
            peer
        })
        .await;
        let error = soon(connect_with(&config(&authority, port, Transport::StartTls)))
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Protocol(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_handshake_is_worth_another_attempt() {
    let authority = Authority::new();
    for transport in [Transport::DirectTls, Transport::WebSocket] {
        let (port, _server) = serve(|peer| async move { drop(peer) }).await;
        let error = soon(connect_with(&config(&authority, port, transport)))
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Lost { .. }), "{error:?}");
        assert!(error.is_temporary());
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let authority = Authority::new();
    let (port, _server) = serve(|peer| async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(peer);
    })
    .await;
    for (transport, phase) in [
        (Transport::StartTls, ConnectPhase::LoggingIn),
        (Transport::DirectTls, ConnectPhase::Connecting),
    ] {
        let mut config = config(&authority, port, transport);
        config.connect_timeout = Duration::from_millis(100);
        config.login_timeout = Duration::from_millis(200);
        assert_eq!(
            soon(connect_with(&config)).await.unwrap_err(),
            ConnectError::Timeout { phase }
        );
    }
}

#[tokio::test]
async fn a_closed_gate_lets_nothing_out() {
    let authority = Authority::new();
    let (port, server) = serve(|mut peer| async move { peer.next().await }).await;
    let mut config = config(&authority, port, Transport::StartTls);
    config.write_gate = Some(Arc::new(|| false));
    assert_eq!(
        soon(connect_with(&config)).await.unwrap_err(),
        ConnectError::Fenced
    );
    assert_eq!(soon(server).await.unwrap(), None);

    // Closed in the middle of the login: the account was not named yet, but nothing else is tried
    // either.
    let acceptor = authority.acceptor();
    let (port, _server) =
        serve(|peer| async move { peer.starttls(acceptor).await.is_some() }).await;
    let writes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&writes);
    config.write_gate = Some(Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed) < 1
    }));
    config.endpoint = Some(Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        transport: Transport::StartTls,
    });
    assert_eq!(
        soon(connect_with(&config)).await.unwrap_err(),
        ConnectError::Fenced
    );
    assert_eq!(writes.load(Ordering::Relaxed), 2);
}
