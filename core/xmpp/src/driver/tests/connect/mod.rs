//! Reaching a server and logging in.

mod certificates;
#[cfg(feature = "aws-lc-rs")]
mod post_quantum;
mod refusals;
mod web;

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
