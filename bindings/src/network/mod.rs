//! How connections are made where the usual way is not enough: a phone's resolver and certificates, a proxy, a network
//! that lets only the web through.

mod proxy;
mod reply;
mod resolver;
mod verifier;

use std::fmt;
use std::sync::Arc;

use ::eft::network::{KeyPin, WebUrl};

use crate::error::EftError;

pub use proxy::{Proxy, ProxyLogin};
pub use resolver::{AddressReply, Resolver, SrvRecord, SrvReply};
pub use verifier::{CertificateProblem, CertificateVerifier, VerdictReply};

/// What replaces a part of how connections are made. To be made once and used for every connection: another object with
/// a verifier is another trust, and what was agreed on with the server under the old one does not count any more.
#[derive(uniffi::Object)]
pub struct Network {
    inner: ::eft::network::Network,
}

/// When to connect by WebSocket (RFC 7395). Networks that let only the web through are its use; it costs a round trip
/// more than TLS.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum WebSocketUse {
    /// Not at all.
    Never,
    /// After everything that DNS named has failed, where the domain's `host-meta` says (XEP-0156). Not with
    /// `ConnectOptions.server`.
    WhenBlocked,
    /// At once, where the domain's `host-meta` says, and in no other way.
    Only,
    /// At once, there, and in no other way. The certificate is that of the address's host.
    At {
        /// `wss://host:port/path`.
        url: String,
    },
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[uniffi::export]
impl Network {
    /// Whatever is `None` or empty is as it is without: names by the platform, certificates by the authorities that
    /// are compiled in and `ConnectOptions.extra_roots_pem`. Each of `key_pins` is the SHA-256 of a server's
    /// `SubjectPublicKeyInfo` in DER (the value of RFC 7469 §2.4); the server's key has to be one of them.
    ///
    /// # Errors
    /// `InvalidInput` for a pin that is not of 32 bytes, for pins beside a verifier, which can look at the key itself, for a
    /// proxy without host or port, and for an address that does not begin with `wss:`.
    #[uniffi::constructor]
    pub fn new(
        resolver: Option<Arc<dyn Resolver>>,
        verifier: Option<Arc<dyn CertificateVerifier>>,
        key_pins: Vec<Vec<u8>>,
        proxy: Option<Proxy>,
        websocket: WebSocketUse,
    ) -> Result<Arc<Self>, EftError> {
        if verifier.is_some() && !key_pins.is_empty() {
            return Err(EftError::InvalidInput {
                reason: "pinned keys and a verifier of the app's own".to_owned(),
            });
        }
        let inner = ::eft::network::Network {
            resolver: Some(match resolver {
                Some(resolver) => Arc::new(resolver::OfHost(resolver)),
                None => crate::names::of_platform(),
            }),
            verifier: verifier.map(|verifier| Arc::new(verifier::OfHost(verifier)) as Arc<_>),
            key_pins: key_pins
                .iter()
                .map(|pin| key_pin(pin))
                .collect::<Result<_, _>>()?,
            proxy: proxy.map(TryInto::try_into).transpose()?,
            websocket: websocket.try_into()?,
        };
        Ok(Arc::new(Self { inner }))
    }
}

impl Network {
    /// What the core is given; the platform's ways where the host brings nothing.
    pub(crate) fn of(given: Option<Arc<Self>>) -> ::eft::network::Network {
        match given {
            Some(network) => network.inner.clone(),
            None => ::eft::network::Network {
                resolver: Some(crate::names::of_platform()),
                ..::eft::network::Network::default()
            },
        }
    }
}

fn key_pin(sha256: &[u8]) -> Result<KeyPin, EftError> {
    let sha256 = sha256.try_into().map_err(|_| EftError::InvalidInput {
        reason: format!("a pin of {} bytes, and SHA-256 has 32", sha256.len()),
    })?;
    Ok(KeyPin::new(sha256))
}

impl TryFrom<WebSocketUse> for ::eft::network::WebSocketUse {
    type Error = EftError;

    fn try_from(websocket: WebSocketUse) -> Result<Self, EftError> {
        Ok(match websocket {
            WebSocketUse::Never => Self::Never,
            WebSocketUse::WhenBlocked => Self::WhenBlocked,
            WebSocketUse::Only => Self::Only,
            WebSocketUse::At { url } => {
                Self::At(
                    WebUrl::websocket(&url).map_err(|error| EftError::InvalidInput {
                        reason: error.to_string(),
                    })?,
                )
            }
        })
    }
}

#[cfg(test)]
mod tests;
