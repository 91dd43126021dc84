//! From a domain to its WebSocket, by what its web server says.

use std::sync::Mutex;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::*;

/// Port 443 of every host is that of the scripted web server; everything else is blocked.
struct Web(u16);

impl Dialer for Web {
    fn dial<'a>(&'a self, _: &'a str, port: u16) -> DialFuture<'a> {
        Box::pin(async move {
            if port != 443 {
                return Err(AttemptError::Tcp("blocked".to_owned()));
            }
            let tcp = TcpStream::connect(("127.0.0.1", self.0)).await.unwrap();
            Ok(Box::new(tcp) as BoxedStream)
        })
    }
}

type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Answers by path, and notes host (SNI) and path.
async fn web_server(
    authority: &Authority,
    host: &str,
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (u16, Asked) {
    let acceptor = TlsAcceptor::from(Arc::new(authority.certificate(host, false)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                request.push(char::from(tls.read_u8().await.unwrap()));
            }
            let path = request.split(' ').nth(1).unwrap().to_owned();
            let text = answer(&path);
            let name = tls.get_ref().1.server_name().unwrap_or_default().to_owned();
            noted.lock().unwrap().push((name, path));
            let _ = tls.write_all(text.as_bytes()).await;
            let _ = tls.shutdown().await;
        }
    });
    (port, asked)
}

async fn reach(authority: &Authority, port: u16) -> ConnectError {
    let mut config = config(authority, port, Transport::StartTls);
    config.endpoint = None;
    config.dialer = Some(Arc::new(Web(port)));
    soon(connect_with(&config)).await.unwrap_err()
}

fn xrd(address: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n\r\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
         <Link rel='urn:xmpp:alt-connections:websocket' href='{address}'/></XRD>"
    )
}

#[tokio::test]
async fn redirects_are_followed_and_the_older_form_is_read_where_the_newer_is_missing() {
    let authority = Authority::new();
    let (port, asked) = web_server(&authority, "b.example", |path| match path {
        "/.well-known/host-meta.json" => {
            "HTTP/1.1 301 Moved\r\nLocation: https://b.example/moved\r\n\r\n".to_owned()
        }
        "/.well-known/host-meta" => xrd("wss://b.example/ws?x"),
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    })
    .await;
    let error = reach(&authority, port).await;
    let ConnectError::WebSocket { detail, at } = error else {
        panic!("{error:?}");
    };
    assert!(
        detail.contains("404") && at == "b.example:443",
        "{detail} {at}"
    );
    let paths: Vec<_> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|(_, path)| path.clone())
        .collect();
    assert_eq!(
        paths,
        [
            "/.well-known/host-meta.json",
            "/moved",
            "/.well-known/host-meta",
            "/ws?x"
        ]
    );
}

#[tokio::test]
async fn a_delegated_websocket_has_to_show_the_certificate_of_its_own_host() {
    let authority = Authority::new();
    let (port, asked) = web_server(&authority, "b.example", |_| xrd("wss://ws.c.example/")).await;
    let error = reach(&authority, port).await;
    let is_refused = matches!(
        &error,
        ConnectError::Certificate { reason: CertificateProblem::WrongName, at } if at == "ws.c.example:443"
    );
    assert!(is_refused, "{error:?}");
    // Nothing was asked of it.
    assert!(
        asked
            .lock()
            .unwrap()
            .iter()
            .all(|(name, _)| name == "b.example")
    );
}

#[tokio::test]
async fn what_is_not_protected_by_tls_is_never_followed() {
    let authority = Authority::new();
    for location in [
        "http://b.example/x",
        "//b.example/x",
        "ws://b.example/",
        "/loop",
    ] {
        let (port, asked) = web_server(&authority, "b.example", move |path| match path {
            "/.well-known/host-meta" => xrd("ws://b.example/"),
            _ => format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"),
        })
        .await;
        let error = reach(&authority, port).await;
        assert!(
            matches!(error, ConnectError::Unreachable { .. }),
            "{error:?}"
        );
        let asked = asked.lock().unwrap();
        let expected = if location == "/loop" { 5 } else { 2 };
        assert_eq!(asked.len(), expected, "{location}: {asked:?}");
    }
    // A server that is trusted by nobody is not asked.
    let (port, asked) =
        web_server(&Authority::new(), "b.example", |_| xrd("wss://b.example/")).await;
    let error = reach(&authority, port).await;
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(asked.lock().unwrap().is_empty());
}
