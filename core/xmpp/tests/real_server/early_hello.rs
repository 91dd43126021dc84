//! Why STARTTLS takes a round trip more than direct TLS: could TLS begin directly behind `<starttls/>`, without waiting
//! for `<proceed/>`? What servers make of it, byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::servers::{DOMAIN, KINDS, Server};

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='eft.test' version='1.0'>\
    <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

fn client_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(DOMAIN).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    hello
}

/// All that the server says within a second, the hello sent in the same segment or a little later.
fn answer(server: &Server, pause: Option<Duration>) -> Vec<u8> {
    let mut tcp = TcpStream::connect(("127.0.0.1", server.starttls)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    match pause {
        None => tcp
            .write_all(&[OPEN.as_bytes(), &client_hello()].concat())
            .unwrap(),
        Some(pause) => {
            tcp.write_all(OPEN.as_bytes()).unwrap();
            std::thread::sleep(pause);
            tcp.write_all(&client_hello()).unwrap();
        }
    }
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count) = tcp.read(&mut buffer) {
        if count == 0 {
            said.extend_from_slice(b"(closed)");
            break;
        }
        said.extend_from_slice(&buffer[..count]);
    }
    said
}

#[test]
fn tls_cannot_begin_before_the_server_says_proceed() {
    for kind in KINDS {
        let server = Server::start(kind);
        for pause in [
            None,
            Some(Duration::from_millis(1)),
            Some(Duration::from_millis(200)),
        ] {
            let said = answer(&server, pause);
            let text = String::from_utf8_lossy(&said);
            let (before, behind) = text
                .split_once("<proceed")
                .unwrap_or((&text, "(no proceed)"));
            let behind = behind.split_once("/>").map_or(behind, |(_, behind)| behind);
            // A handshake record of TLS begins with 22, 3.
            let is_tls = behind.as_bytes().starts_with(&[22, 3]);
            println!(
                "{kind:?}, hello after {pause:?}: {} bytes of features, then {}",
                before.len(),
                if is_tls {
                    "TLS".to_owned()
                } else {
                    format!("{:?}", behind.chars().take(160).collect::<String>())
                }
            );
            // In one segment, Prosody reads the hello as XML and ejabberd hangs up. Whether two writes become one
            // segment is for the network to say, so it cannot be relied on.
            assert!(
                !(pause.is_none() && is_tls),
                "{kind:?}: TLS could begin a round trip earlier"
            );
        }
    }
}
