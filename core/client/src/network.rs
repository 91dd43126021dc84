//! How connections are made where the usual way is not enough: a phone's resolver and certificates, a proxy, a network that
//! lets only the web through.

use core::fmt;
use std::sync::Arc;

pub use eft_xmpp::driver::{
    CertificateProblem, CertificateQuery, CertificateVerifier, KeyPin, ProxyAddress, ProxyLogin,
    Reply, ResolveError, ResolveStarter, SrvRecord, WebSocketUse, WebUrl, WebUrlError,
};
use eft_xmpp::driver::{
    ClientTls, Dialer, DirectDialer, HostResolver, HttpConnectDialer, Resolver, Socks5Dialer,
    TrustRoots,
};

use crate::error::Error;

/// What replaces a part of how connections are made. The default replaces nothing.
#[derive(Clone, Default)]
pub struct Network {
    /// Asks the platform instead of the system's `resolv.conf`, which phones do not have.
    pub resolver: Option<Arc<dyn ResolveStarter>>,
    /// Lets the platform judge certificates, in place of the lists that are compiled in and of
    /// [`crate::ConnectOptions::extra_roots_pem`].
    pub verifier: Option<Arc<dyn CertificateVerifier>>,
    /// The server's key has to be one of these. Empty: any key with a good certificate. Not together with a verifier, which
    /// can look at the key itself.
    pub key_pins: Vec<KeyPin>,
    /// Goes through a proxy.
    pub proxy: Option<Proxy>,
    /// When to connect by WebSocket (RFC 7395).
    pub websocket: WebSocketUse,
}

/// A proxy. It sees the name of the server, and nothing of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// SOCKS 5 (RFC 1928), as Tor has it. The proxy resolves names.
    Socks5 {
        /// Where it listens.
        address: ProxyAddress,
        /// If it asks for one.
        login: Option<ProxyLogin>,
    },
    /// HTTP CONNECT (RFC 9110 §9.3.6), as companies have it.
    HttpConnect {
        /// Where it listens.
        address: ProxyAddress,
        /// If it asks for one.
        login: Option<ProxyLogin>,
    },
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("resolver", &self.resolver.is_some())
            .field("verifier", &self.verifier.is_some())
            .field("key_pins", &self.key_pins.len())
            .field("proxy", &self.proxy.is_some())
            .field("websocket", &self.websocket)
            .finish()
    }
}

impl Network {
    /// Whether certificates are judged as before, so that tickets of an earlier connection may be used.
    pub(crate) fn trusts_like(&self, other: &Self) -> bool {
        let is_same = match (&self.verifier, &other.verifier) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        is_same && self.key_pins == other.key_pins
    }

    /// Who is trusted. May read files.
    pub(crate) fn tls(&self, extra_roots_pem: Option<String>) -> Result<ClientTls, Error> {
        let invalid = |error: eft_xmpp::driver::TrustError| Error::invalid(error.to_string());
        if let Some(verifier) = &self.verifier {
            if !self.key_pins.is_empty() {
                return Err(Error::invalid(
                    "pinned keys and a verifier of the app's own",
                ));
            }
            return ClientTls::with_host(Arc::clone(verifier)).map_err(invalid);
        }
        let roots = TrustRoots {
            extra_pem: extra_roots_pem.into_iter().collect(),
            ..TrustRoots::default()
        };
        if self.key_pins.is_empty() {
            ClientTls::new(&roots).map_err(invalid)
        } else {
            ClientTls::pinned(&roots, self.key_pins.clone()).map_err(invalid)
        }
    }

    /// Who is asked for names: the platform, or what `system` gives.
    pub(crate) fn resolver(&self, system: impl FnOnce() -> Arc<dyn Resolver>) -> Arc<dyn Resolver> {
        match &self.resolver {
            Some(starter) => Arc::new(HostResolver::new(Arc::clone(starter))),
            None => system(),
        }
    }

    /// Who opens connections, if not we ourselves.
    pub(crate) fn dialer(&self, resolver: &Arc<dyn Resolver>) -> Option<Arc<dyn Dialer>> {
        let through = || Arc::new(DirectDialer::new(Arc::clone(resolver)));
        match self.proxy.clone()? {
            Proxy::Socks5 { address, login } => {
                Some(Arc::new(Socks5Dialer::new(address, login, through())))
            }
            Proxy::HttpConnect { address, login } => {
                Some(Arc::new(HttpConnectDialer::new(address, login, through())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has a size, so that each has an address of its own.
    struct Yes(#[expect(dead_code)] u8);

    impl CertificateVerifier for Yes {
        fn verify(&self, _: CertificateQuery, reply: Reply<Result<(), CertificateProblem>>) {
            reply.send(Ok(()));
        }
    }

    #[test]
    fn another_verifier_or_pin_is_another_trust() {
        let verifier: Arc<dyn CertificateVerifier> = Arc::new(Yes(1));
        let of = |verifier: Option<&Arc<dyn CertificateVerifier>>| Network {
            verifier: verifier.cloned(),
            ..Network::default()
        };
        assert!(of(None).trusts_like(&of(None)));
        assert!(of(Some(&verifier)).trusts_like(&of(Some(&verifier))));
        assert!(!of(Some(&verifier)).trusts_like(&of(None)));
        let another: Arc<dyn CertificateVerifier> = Arc::new(Yes(2));
        assert!(!of(Some(&another)).trusts_like(&of(Some(&verifier))));
    }

    #[test]
    fn pins_beside_a_verifier_are_refused_and_nothing_of_a_proxy_prints() {
        let login = ProxyLogin {
            name: "alice".to_owned(),
            password: "secret".to_owned().into(),
        };
        let address = ProxyAddress {
            host: "proxy.example".to_owned(),
            port: 1080,
        };
        let network = Network {
            verifier: Some(Arc::new(Yes(1))),
            key_pins: vec![KeyPin::new([7; 32])],
            proxy: Some(Proxy::Socks5 {
                address,
                login: Some(login),
            }),
            ..Network::default()
        };
        assert_eq!(network.tls(None).unwrap_err().code(), "invalid-input");
        let printed = format!("{network:?}{:?}", network.proxy);
        assert!(!printed.contains("secret"), "{printed}");
    }
}
