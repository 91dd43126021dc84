//! The driver against a scripted server in this process: real sockets, real TLS, certificates made
//! on the spot.

mod connect;
mod one_step;
mod server;
mod session;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use eft_types::BareJid;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::stream::{LoginConfig, Password, Transport};
use server::Authority;

/// Every host is this one; SRV records as given.
#[derive(Default)]
struct FakeDns {
    direct: Vec<SrvRecord>,
    starttls: Vec<SrvRecord>,
}

impl Resolver for FakeDns {
    fn srv<'a>(&'a self, name: &'a str) -> SrvFuture<'a> {
        let records = match name {
            "_xmpps-client._tcp.b.example" => self.direct.clone(),
            "_xmpp-client._tcp.b.example" => self.starttls.clone(),
            _ => Vec::new(),
        };
        Box::pin(async move { Ok(records) })
    }

    fn addresses<'a>(&'a self, _: &'a str) -> AddressFuture<'a> {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

fn config(authority: &Authority, port: u16, transport: Transport) -> ConnectConfig {
    let jid = BareJid::new("user@b.example").unwrap();
    let mut login = LoginConfig::new(jid, Password::new("pencil".to_owned()));
    login.resource = Some("phone".to_owned());
    let roots = TrustRoots {
        webpki: false,
        native: false,
        extra_pem: vec![authority.pem()],
    };
    let tls = ClientTls::new(&roots).unwrap();
    let mut config = ConnectConfig::new(login, tls, Arc::new(FakeDns::default()));
    config.endpoint = Some(Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        transport,
    });
    config.login_timeout = Duration::from_secs(5);
    config
}

async fn connect_with(config: &ConnectConfig) -> Result<Connection, ConnectError> {
    connect(config, &mut ChaCha20Rng::seed_from_u64(7)).await
}

/// Waits for something that must happen soon; a test that hangs says nothing.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future)
        .await
        .expect("this took too long")
}
