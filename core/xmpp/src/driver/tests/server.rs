//! A server that does what a test tells it.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Element;
use crate::limits::XmlLimits;
use crate::stream::sasl::{Mechanism, ScramServer};
use crate::xml::{Decoder, Frame};

/// An issuer of certificates.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("Test authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(super) fn certificate(&self, name: &str, is_expired: bool) -> ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_expired {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.certificate("b.example", false)))
    }
}

/// Accepts one connection and plays a script on it.
pub(super) async fn serve<F, T>(
    script: impl FnOnce(Peer<TcpStream>) -> F + Send + 'static,
) -> (u16, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        script(Peer::new(tcp)).await
    });
    (port, task)
}

/// The server's end of a stream.
pub(super) struct Peer<S> {
    pub(super) stream: S,
    decoder: Decoder,
    unread: Vec<u8>,
}

pub(super) const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' from='b.example' id='1' version='1.0'>";
pub(super) const STARTTLS: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
pub(super) const MECHANISMS: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
pub(super) const BIND: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
    <sm xmlns='urn:xmpp:sm:3'/><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits></stream:features>";

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: Decoder::new(XmlLimits::SESSION),
            unread: Vec::new(),
        }
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// `None` when the client closed the connection.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut rest = self.unread.as_slice();
            let frame = self.decoder.decode(&mut rest).unwrap();
            self.unread.drain(..self.unread.len() - rest.len());
            if frame.is_some() {
                return frame;
            }
            let mut buffer = [0; 4096];
            // A client that was dropped resets the connection.
            let count = self.stream.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    pub(super) async fn element(&mut self) -> Element {
        match self.next().await {
            Some(Frame::Element(element)) => element,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the client's header and answers with ours and features.
    pub(super) async fn open(&mut self, features: &str) -> crate::xml::StreamHeader {
        self.decoder = Decoder::new(XmlLimits::SESSION);
        let Some(Frame::Header(header)) = self.next().await else {
            panic!("no header");
        };
        self.send(&format!("{HEADER}{features}")).await;
        header
    }

    /// SCRAM, up to the question whether the password is right.
    pub(super) async fn authenticate(&mut self) -> bool {
        let auth = self.element().await;
        assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-256"));
        let mut server = ScramServer::new(Mechanism::ScramSha256);
        let challenge = server.first(&auth.text());
        self.sasl("challenge", &challenge).await;
        let response = self.element().await;
        match server.last(&response.text()) {
            Some(last) => {
                self.sasl("success", &last).await;
                true
            }
            None => {
                self.sasl("failure", "<not-authorized/>").await;
                false
            }
        }
    }

    pub(super) async fn sasl(&mut self, name: &str, text: &str) {
        self.send(&format!(
            "<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>"
        ))
        .await;
    }

    pub(super) async fn bind(&mut self) {
        let request = self.element().await;
        let id = request.attr("id").unwrap();
        self.send(&format!(
            "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@b.example/phone</jid></bind></iq>"
        ))
        .await;
    }

    /// The whole login behind TLS.
    pub(super) async fn login(&mut self) {
        self.login_and_bind().await;
        let enable = self.element().await;
        assert!(enable.is("enable", crate::ns::SM));
        self.send("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='600'/>")
            .await;
    }

    /// The login of a client that does not ask for XEP-0198.
    pub(super) async fn login_and_bind(&mut self) {
        let header = self.open(MECHANISMS).await;
        assert_eq!(header.from.as_deref(), Some("user@b.example"));
        assert_eq!(header.to.as_deref(), Some("b.example"));
        assert!(self.authenticate().await);
        self.open(BIND).await;
        self.bind().await;
    }
}

impl Peer<TcpStream> {
    /// STARTTLS, checking that nothing about the account is said before.
    pub(super) async fn starttls(
        mut self,
        acceptor: TlsAcceptor,
    ) -> Option<Peer<TlsStream<TcpStream>>> {
        let header = self.open(STARTTLS).await;
        assert_eq!(header.from, None);
        assert!(self.element().await.is("starttls", crate::ns::TLS));
        self.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await;
        self.tls(acceptor).await
    }

    pub(super) async fn tls(self, acceptor: TlsAcceptor) -> Option<Peer<TlsStream<TcpStream>>> {
        acceptor.accept(self.stream).await.ok().map(Peer::new)
    }
}

/// Logs a client in over direct TLS, then plays the script.
pub(super) async fn serve_session<F, T>(
    authority: &Authority,
    script: impl FnOnce(Peer<TlsStream<TcpStream>>) -> F + Send + 'static,
) -> (u16, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let acceptor = authority.acceptor();
    serve(move |peer| async move {
        let mut peer = peer.tls(acceptor).await.unwrap();
        peer.login().await;
        script(peer).await
    })
    .await
}
