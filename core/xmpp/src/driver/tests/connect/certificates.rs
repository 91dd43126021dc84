//! Who a server has to be.

use super::*;

async fn certificate_error(
    server: rustls::ServerConfig,
    trusted: &Authority,
    transport: Transport,
) -> CertificateProblem {
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (port, server) = serve(move |peer| async move {
        let accepted = match transport {
            Transport::StartTls => peer.starttls(acceptor).await,
            Transport::DirectTls | Transport::WebSocket => peer.tls(acceptor).await,
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
    for transport in [
        Transport::StartTls,
        Transport::DirectTls,
        Transport::WebSocket,
    ] {
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
                    _ => peer.tls(acceptor).await.unwrap(),
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
