use super::*;
use crate::host::HostError;

/// Has a size, so that each has an address of its own.
struct Host(#[expect(dead_code)] u8);

impl CertificateVerifier for Host {
    fn verify(
        &self,
        _: String,
        _: Vec<Vec<u8>>,
        reply: Arc<VerdictReply>,
    ) -> Result<(), HostError> {
        reply.accept();
        Ok(())
    }
}

fn network(
    verifier: Option<Arc<dyn CertificateVerifier>>,
    key_pins: Vec<Vec<u8>>,
    proxy: Option<Proxy>,
    websocket: WebSocketUse,
) -> Result<Arc<Network>, EftError> {
    Network::new(None, verifier, key_pins, proxy, websocket)
}

fn socks(host: &str, port: u16) -> Proxy {
    Proxy::Socks5 {
        host: host.to_owned(),
        port,
        login: Some(ProxyLogin {
            name: "alice".to_owned(),
            password: "hush".to_owned(),
        }),
    }
}

#[test]
fn what_makes_no_sense_is_refused_when_it_is_made() {
    let verifier = || Some(Arc::new(Host(1)) as Arc<dyn CertificateVerifier>);
    let at = |url: &str| WebSocketUse::At {
        url: url.to_owned(),
    };
    let never = || WebSocketUse::Never;
    let pin = |length| vec![vec![7; length]];
    for refused in [
        network(None, pin(0), None, never()),
        network(None, pin(31), None, never()),
        network(None, pin(33), None, never()),
        network(verifier(), pin(32), None, never()),
        network(None, vec![], Some(socks("", 1080)), never()),
        network(None, vec![], Some(socks("proxy.example", 0)), never()),
        network(None, vec![], None, at("")),
        network(None, vec![], None, at("ws://a.example/")),
        network(None, vec![], None, at("wss://")),
    ] {
        assert_eq!(refused.unwrap_err().code(), "invalid-input");
    }
    let proxy = Some(socks("proxy.example", 1080));
    let made = network(None, pin(32), proxy, at("wss://a.example:1/x")).unwrap();
    assert_eq!(made.inner.key_pins, [KeyPin::new([7; 32])]);
    assert!(matches!(
        made.inner.websocket,
        ::eft::network::WebSocketUse::At(_)
    ));
}

#[test]
fn one_object_is_one_trust() {
    let made = network(Some(Arc::new(Host(1))), vec![], None, WebSocketUse::Never).unwrap();
    let (one, other) = (
        Network::of(Some(Arc::clone(&made))),
        Network::of(Some(made)),
    );
    assert!(Arc::ptr_eq(
        &one.verifier.unwrap(),
        &other.verifier.unwrap()
    ));
}

#[test]
fn the_password_of_a_proxy_is_not_printed() {
    let proxy = socks("proxy.example", 1080);
    let made = network(None, vec![], Some(proxy.clone()), WebSocketUse::Never).unwrap();
    let printed = format!("{proxy:?} {made:?}");
    assert!(printed.contains("proxy.example"), "{printed}");
    for word in ["alice", "hush"] {
        assert!(!printed.contains(word), "{printed}");
    }
}
