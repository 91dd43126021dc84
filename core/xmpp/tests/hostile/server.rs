//! A server that lets everybody in and then says what it was told to.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::attacks::Attack;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' from='b.example' id='1' version='1.0'>";

/// Where it listens, and the certificate to trust.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) certificate: String,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Server {
    pub(crate) async fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["b.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            port: listener.local_addr().unwrap().port(),
            certificate: cert.pem(),
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Lets one client in, then sends the attack up to `most` bytes, until the client takes no more of it, or
    /// hangs up. Returns the bytes that went out.
    ///
    /// `patience`: how long one step may wait for the client before it counts as not taken.
    pub(crate) async fn attack(self, attack: Attack, most: u64, patience: Duration) -> u64 {
        let (tcp, _) = self.listener.accept().await.unwrap();
        let mut tls = self.acceptor.accept(tcp).await.unwrap();
        let mechanisms = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
            <mechanism>PLAIN</mechanism></mechanisms></stream:features>";
        answer(&mut tls, "<stream:stream", &format!("{HEADER}{mechanisms}")).await;
        answer(
            &mut tls,
            "</auth>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        )
        .await;
        let bind =
            "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
        answer(&mut tls, "<stream:stream", &format!("{HEADER}{bind}")).await;
        let bound = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
            <jid>user@b.example/phone</jid></bind></iq><message id='begin'/>";
        answer(&mut tls, "</iq>", bound).await;
        // The client says when it is ready.
        answer(&mut tls, "<presence", "").await;
        let mut bytes = 0;
        for piece in attack.pieces() {
            // In small steps: what is counted has been taken.
            for part in piece.chunks(16 * 1024) {
                let sent = tokio::time::timeout(patience, async {
                    tls.write_all(part).await?;
                    tls.flush().await
                });
                match sent.await {
                    Ok(Ok(())) => bytes += part.len() as u64,
                    Ok(Err(_)) | Err(_) => return bytes,
                }
            }
            if bytes > most {
                break;
            }
        }
        bytes
    }
}

async fn answer(tls: &mut TlsStream<TcpStream>, question: &str, answer: &str) {
    let mut heard = String::new();
    let mut buffer = [0; 1024];
    while !heard.contains(question) {
        let count = tls.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the client left: {heard}");
        heard.push_str(core::str::from_utf8(&buffer[..count]).unwrap());
    }
    tls.write_all(answer.as_bytes()).await.unwrap();
    tls.flush().await.unwrap();
}
