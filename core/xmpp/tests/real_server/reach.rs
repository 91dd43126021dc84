//! Ways to a server: as the host finds names, by proxies, over the web.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use eft_xmpp::driver::{
    AddressFuture, AttemptError, BoxedStream, ClientTls, CloseStyle, ConnectError, DialFuture,
    Dialer, DirectDialer, HttpConnectDialer, ProxyAddress, ProxyLogin, Resolver, Socks5Dialer,
    SrvFuture, SrvRecord, TrustRoots, WebSocketUse, WebUrl,
};
use eft_xmpp::stream::Transport;
use tokio::net::TcpStream;

use super::bench::{Bench, ask};
use super::proxies::{Proxy, Speech};
use super::servers::{DOMAIN, KINDS, Server};

/// The names of a domain that has no name server: SRV records as they are set, every host on this machine.
struct Names {
    direct: Option<u16>,
    starttls: Option<u16>,
}

impl Resolver for Names {
    fn srv<'a>(&'a self, name: &'a str) -> SrvFuture<'a> {
        let port = match name.split_once(&format!("._tcp.{DOMAIN}")) {
            Some(("_xmpps-client", "")) => self.direct,
            Some(("_xmpp-client", "")) => self.starttls,
            _ => None,
        };
        let record = port.map(|port| SrvRecord {
            priority: 0,
            weight: 0,
            port,
            target: "xmpp.eft.test.".to_owned(),
        });
        Box::pin(async move { Ok(record.into_iter().collect()) })
    }

    fn addresses<'a>(&'a self, _: &'a str) -> AddressFuture<'a> {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

/// A network that lets only the web through, and notes what was tried.
struct WebOnly {
    https: u16,
    tried: Mutex<Vec<(String, u16)>>,
}

impl Dialer for WebOnly {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a> {
        self.tried.lock().unwrap().push((host.to_owned(), port));
        Box::pin(async move {
            if (host, port) != (DOMAIN, 443) {
                return Err(AttemptError::Tcp("blocked".to_owned()));
            }
            let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.https)).await;
            Ok(Box::new(tcp.unwrap()) as BoxedStream)
        })
    }
}

async fn online(bench: &mut Bench, what: &str, expected: Transport) {
    let mut connection = bench.login(what).await;
    assert_eq!(connection.transport(), expected);
    ask(&mut connection, "r1").await;
    connection
        .sender()
        .close(CloseStyle::EndStream)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_xmpp_port_is_blocked_host_meta_leads_to_a_websocket() {
    for kind in KINDS {
        let server = Server::start(kind);
        let mut bench = Bench::new(&server, Transport::StartTls, 5).await;
        let dialer = Arc::new(WebOnly {
            https: server.https,
            tried: Mutex::default(),
        });
        bench.config.endpoint = None;
        bench.config.dialer = Some(Arc::clone(&dialer) as Arc<dyn Dialer>);
        bench.config.resolver = Arc::new(Names {
            direct: Some(5223),
            starttls: Some(5222),
        });
        online(&mut bench, "blocked", Transport::WebSocket).await;
        let tried = core::mem::take(&mut *dialer.tried.lock().unwrap());
        let web = |(host, port): &(String, u16)| (host.as_str(), *port) == (DOMAIN, 443);
        // First what DNS names, then host-meta, then the WebSocket.
        assert!(tried.len() >= 4 && !tried[..2].iter().any(web), "{tried:?}");
        assert!(tried[2..].iter().all(web), "{tried:?}");

        // The next time at once, and with the address itself.
        bench.config.websocket = WebSocketUse::Only;
        online(&mut bench, "only", Transport::WebSocket).await;
        let url = WebUrl::websocket(&format!("wss://{DOMAIN}/xmpp-websocket")).unwrap();
        bench.config.websocket = WebSocketUse::At(url);
        online(&mut bench, "at", Transport::WebSocket).await;
        assert!(dialer.tried.lock().unwrap().iter().all(web));

        bench.config.websocket = WebSocketUse::Never;
        let error = bench.connect().await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Unreachable { .. }),
            "{error:?}"
        );
        let url = WebUrl::websocket(&format!("wss://{DOMAIN}/nothing")).unwrap();
        bench.config.websocket = WebSocketUse::At(url);
        let error = bench.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::WebSocket { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_finds_names_and_trusts_by_itself_reaches_the_server() {
    for kind in KINDS {
        let server = Server::start(kind);
        for (direct, starttls, expected) in [
            (Some(server.direct), None, Transport::DirectTls),
            (None, Some(server.starttls), Transport::StartTls),
            // A dead port first.
            (Some(1), Some(server.starttls), Transport::StartTls),
        ] {
            let mut bench = Bench::new(&server, Transport::StartTls, 6).await;
            bench.config.endpoint = None;
            bench.config.resolver = Arc::new(Names { direct, starttls });
            online(&mut bench, "names", expected).await;
            // The same server, of which nobody vouches.
            let roots = TrustRoots {
                native: false,
                ..TrustRoots::default()
            };
            bench.config.tls = ClientTls::new(&roots).unwrap();
            let error = bench.connect().await.unwrap_err();
            let is_refused = matches!(error, ConnectError::Certificate { .. });
            assert!(is_refused, "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_carry_every_transport_and_hear_names_only() {
    for kind in KINDS {
        let server = Server::start(kind);
        for transport in [
            Transport::StartTls,
            Transport::DirectTls,
            Transport::WebSocket,
        ] {
            for speech in [Speech::Socks5, Speech::HttpConnect] {
                let mut bench = Bench::new(&server, transport, 7).await;
                let endpoint = bench.config.endpoint.as_mut().unwrap();
                // What the proxy makes of a name is its business.
                endpoint.host = "xmpp.eft.test".to_owned();
                let to = endpoint.port;
                let proxy = Proxy::start(speech, Some(("me", "pass"))).await;
                let address = ProxyAddress {
                    host: "127.0.0.1".to_owned(),
                    port: proxy.port,
                };
                let dialer = |password: &str| -> Arc<dyn Dialer> {
                    let login = Some(ProxyLogin {
                        name: "me".to_owned(),
                        password: password.to_owned().into(),
                    });
                    let direct = Arc::new(DirectDialer::new(Arc::clone(&bench.config.resolver)));
                    match speech {
                        Speech::Socks5 => {
                            Arc::new(Socks5Dialer::new(address.clone(), login, direct))
                        }
                        Speech::HttpConnect => {
                            Arc::new(HttpConnectDialer::new(address.clone(), login, direct))
                        }
                    }
                };
                let (good, bad) = (dialer("pass"), dialer("guess"));
                bench.config.dialer = Some(good);
                online(&mut bench, &format!("{speech:?}"), transport).await;
                assert_eq!(proxy.asked(), [("xmpp.eft.test".to_owned(), to)]);
                bench.config.dialer = Some(bad);
                let error = bench.connect().await.unwrap_err();
                let ConnectError::Unreachable { tried } = error else {
                    panic!("{error:?}");
                };
                assert!(
                    matches!(tried[0].error, AttemptError::Proxy(_)),
                    "{tried:?}"
                );
            }
        }
    }
}
