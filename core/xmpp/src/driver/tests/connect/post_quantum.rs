//! The key exchange of the feature `aws-lc-rs`.

use super::*;

#[tokio::test]
async fn keys_are_agreed_on_in_a_way_that_a_quantum_computer_does_not_undo() {
    let authority = Authority::new();
    let mut server = authority.certificate("b.example", false);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // A server that knows both prefers what the client has first.
    server = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.cert_resolver));
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (port, server) = serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        let group = peer.stream.get_ref().1.negotiated_key_exchange_group();
        peer.login().await;
        (group.unwrap().name(), peer)
    })
    .await;
    soon(connect_with(&config(
        &authority,
        port,
        Transport::DirectTls,
    )))
    .await
    .unwrap();
    let (group, _peer) = soon(server).await.unwrap();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}
