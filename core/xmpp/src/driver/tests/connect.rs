//! Reaching a server and logging in.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::server::{Authority, HEADER, MECHANISMS, STARTTLS, serve};
use super::*;
use crate::stream::sasl::Mechanism;
use crate::stream::{Authentication, LoginError};

#[tokio::test]
async fn a_good_login_over_starttls() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.starttls(acceptor).await.unwrap();
        peer.login().await;
        peer
    })
    .await;
    let connection = soon(connect_with(&config(&authority, port, Transport::StartTls)))
        .await
        .unwrap();
    let session = connection.session();
    assert_eq!(session.full_jid.as_str(), "user@b.example/phone");
    assert!(matches!(
        session.authentication,
        Authentication::Password {
            mechanism: Mechanism::ScramSha256,
            channel_binding: None
        }
    ));
    assert_eq!(
        session.stream_management.as_ref().unwrap().id.as_deref(),
        Some("s1")
    );
    assert_eq!(session.limits.max_bytes, Some(10_000));
    soon(server).await.unwrap();
}

#[tokio::test]
async fn direct_tls_names_the_domain_and_the_protocol() {
    let authority = Authority::new();
    let mut tls = authority.certificate("b.example", false);
    tls.alpn_protocols = vec![b"xmpp-client".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        let (_, tls) = peer.stream.get_ref();
        let seen = (
            tls.server_name().map(str::to_owned),
            tls.alpn_protocol().map(<[u8]>::to_vec),
        );
        peer.login().await;
        (seen, peer)
    })
    .await;
    soon(connect_with(&config(
        &authority,
        port,
        Transport::DirectTls,
    )))
    .await
    .unwrap();
    let (seen, _) = soon(server).await.unwrap();
    assert_eq!(
        seen,
        (Some("b.example".to_owned()), Some(b"xmpp-client".to_vec()))
    );
}

async fn certificate_error(
    server: rustls::ServerConfig,
    trusted: &Authority,
    transport: Transport,
) -> CertificateProblem {
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (port, server) = serve(move |peer| async move {
        let accepted = match transport {
            Transport::StartTls => peer.starttls(acceptor).await,
            Transport::DirectTls => peer.tls(acceptor).await,
        };
        // With TLS 1.3 the server may believe in success for a moment, but reads nothing.
        if let Some(mut peer) = accepted {
            assert_eq!(peer.next().await, None);
        }
    })
    .await;
    let error = soon(connect_with(&config(trusted, port, transport)))
        .await
        .unwrap_err();
    soon(server).await.unwrap();
    match error {
        ConnectError::Certificate { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bad_certificates_are_refused_and_named() {
    let authority = Authority::new();
    for transport in [Transport::StartTls, Transport::DirectTls] {
        let wrong_name = authority.certificate("c.example", false);
        assert_eq!(
            certificate_error(wrong_name, &authority, transport).await,
            CertificateProblem::WrongName
        );
        // The name of the host that was connected to does not help.
        let host = authority.certificate("127.0.0.1", false);
        assert_eq!(
            certificate_error(host, &authority, transport).await,
            CertificateProblem::WrongName
        );
        for stranger in [Authority::named("Stranger"), Authority::new()] {
            let untrusted = stranger.certificate("b.example", false);
            assert_eq!(
                certificate_error(untrusted, &authority, transport).await,
                CertificateProblem::UnknownIssuer
            );
        }
        let expired = authority.certificate("b.example", true);
        assert_eq!(
            certificate_error(expired, &authority, transport).await,
            CertificateProblem::Expired
        );
    }
}

/// Says what it was told to, from another thread; keeps what it was asked.
struct Host {
    answer: Option<Result<(), CertificateProblem>>,
    asked: std::sync::Mutex<Vec<CertificateQuery>>,
}

impl CertificateVerifier for Host {
    fn verify(&self, query: CertificateQuery, reply: Reply<Result<(), CertificateProblem>>) {
        self.asked.lock().unwrap().push(query);
        if let Some(answer) = self.answer.clone() {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                reply.send(answer);
            });
        }
    }
}

#[tokio::test]
async fn the_host_decides_about_certificates_before_a_word_is_said() {
    for transport in [Transport::StartTls, Transport::DirectTls] {
        for answer in [
            Some(Ok(())),
            Some(Err(CertificateProblem::UnknownIssuer)),
            None,
        ] {
            let authority = Authority::new();
            let acceptor = authority.acceptor();
            let (port, server) = serve(move |peer| async move {
                let mut peer = match transport {
                    Transport::StartTls => peer.starttls(acceptor).await.unwrap(),
                    Transport::DirectTls => peer.tls(acceptor).await.unwrap(),
                };
                peer.next().await.is_some()
            })
            .await;
            let host = Arc::new(Host {
                answer: answer.clone(),
                asked: std::sync::Mutex::default(),
            });
            // No issuer is known to us: only the host's word counts.
            let mut config = config(&Authority::new(), port, transport);
            config.tls = ClientTls::with_host(Arc::clone(&host) as Arc<_>).unwrap();
            let error = soon(connect_with(&config)).await.unwrap_err();
            let has_heard_us = soon(server).await.unwrap();
            assert_eq!(has_heard_us, answer == Some(Ok(())), "{answer:?}");
            if !has_heard_us {
                let is_refusal = matches!(error, ConnectError::Certificate { .. });
                assert!(is_refusal, "{error:?}");
            }
            let asked = host.asked.lock().unwrap();
            assert_eq!((asked.len(), asked[0].domain.as_str()), (1, "b.example"));
            assert!(!asked[0].chain.is_empty());
        }
    }
}

#[tokio::test]
async fn a_pinned_key_is_asked_for_beside_a_good_certificate() {
    let authority = Authority::new();
    let roots = TrustRoots {
        webpki: false,
        native: false,
        extra_pem: vec![authority.pem()],
    };
    // Both certificates are good; only one has the key.
    let (known, other) = (
        authority.certificate("b.example", false),
        authority.certificate("b.example", false),
    );
    let probe = rustls::ServerConfig::clone(&known);
    let pin = {
        // What the first connection shows is what gets pinned.
        let acceptor = TlsAcceptor::from(Arc::new(probe));
        let (port, _server) =
            serve(move |peer| async move { peer.tls(acceptor).await.is_some() }).await;
        let host = Arc::new(Host {
            answer: None,
            asked: std::sync::Mutex::default(),
        });
        let mut config = config(&authority, port, Transport::DirectTls);
        config.tls = ClientTls::with_host(Arc::clone(&host) as Arc<_>).unwrap();
        let _ = soon(connect_with(&config)).await;
        let asked = host.asked.lock().unwrap();
        KeyPin::of_certificate(&asked[0].chain[0]).unwrap()
    };
    for (server, is_pinned) in [(known, true), (other, false)] {
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let (port, _server) = serve(move |peer| async move {
            if let Some(mut peer) = peer.tls(acceptor).await {
                peer.next().await;
            }
        })
        .await;
        let mut config = config(&authority, port, Transport::DirectTls);
        config.tls = ClientTls::pinned(&roots, vec![pin]).unwrap();
        let error = soon(connect_with(&config)).await.unwrap_err();
        let is_refused = matches!(
            error,
            ConnectError::Certificate {
                reason: CertificateProblem::NotPinned,
                ..
            }
        );
        assert_eq!(is_refused, !is_pinned, "{error:?}");
    }
    // A pin does not replace the issuer.
    let stranger = Authority::new().certificate("b.example", false);
    let acceptor = TlsAcceptor::from(Arc::new(stranger));
    let (port, _server) =
        serve(move |peer| async move { peer.tls(acceptor).await.is_some() }).await;
    let mut config = config(&authority, port, Transport::DirectTls);
    config.tls = ClientTls::pinned(&roots, vec![pin]).unwrap();
    assert!(matches!(
        soon(connect_with(&config)).await.unwrap_err(),
        ConnectError::Certificate {
            reason: CertificateProblem::UnknownIssuer,
            ..
        }
    ));
    assert_eq!(
        ClientTls::pinned(&roots, vec![]).unwrap_err(),
        TrustError::Empty
    );
}

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
async fn an_unreachable_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let authority = Authority::new();
    let error = soon(connect_with(&config(&authority, port, Transport::StartTls)))
        .await
        .unwrap_err();
    assert!(error.is_temporary());
    let ConnectError::Unreachable { tried } = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (tried.len(), tried[0].port, tried[0].host.as_str()),
        (1, port, "127.0.0.1")
    );
    assert!(matches!(tried[0].error, AttemptError::Tcp(_)));
}

#[tokio::test]
async fn a_dead_first_target_leads_to_the_next() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (port, _server) = serve(move |peer| async move {
        let mut peer = peer.starttls(acceptor).await.unwrap();
        peer.login().await;
        peer
    })
    .await;
    // Speaks no TLS at all.
    let (odd, _odd_server) = serve(|mut peer| async move {
        let _ = peer.stream.write_all(b"220 mail.b.example ESMTP\r\n").await;
        peer
    })
    .await;
    let record = |priority, port| SrvRecord {
        priority,
        weight: 0,
        port,
        target: "host.b.example.".to_owned(),
    };
    let mut config = config(&authority, port, Transport::StartTls);
    config.endpoint = None;
    config.resolver = Arc::new(FakeDns {
        direct: vec![record(1, 1), record(2, odd)],
        starttls: vec![record(3, port)],
    });
    assert!(soon(connect_with(&config)).await.is_ok());
    config.resolver = Arc::new(FakeDns {
        direct: vec![],
        starttls: vec![SrvRecord {
            target: ".".to_owned(),
            ..record(0, 0)
        }],
    });
    assert_eq!(
        soon(connect_with(&config)).await.unwrap_err(),
        ConnectError::NotOffered
    );
}

#[tokio::test]
async fn a_stripped_starttls_is_refused() {
    let authority = Authority::new();
    let (port, server) = serve(|mut peer| async move {
        peer.open(MECHANISMS).await;
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
    let (port, _server) = serve(|mut peer| async move {
        peer.open(STARTTLS).await;
        peer.next().await
    })
    .await;
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
