//! Proxies.

use std::fmt;

use ::eft::network::ProxyAddress;

use crate::error::EftError;

/// A proxy. It sees the name of the server, and nothing of what is said.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Proxy {
    /// SOCKS 5 (RFC 1928), as Tor has it. The proxy resolves names.
    Socks5 {
        /// Name or address of the proxy.
        host: String,
        /// Its TCP port.
        port: u16,
        /// If it asks for one.
        login: Option<ProxyLogin>,
    },
    /// HTTP CONNECT (RFC 9110 §9.3.6), as companies have it.
    HttpConnect {
        /// Name or address of the proxy.
        host: String,
        /// Its TCP port.
        port: u16,
        /// If it asks for one.
        login: Option<ProxyLogin>,
    },
}

/// Name and password for a proxy. Both go to it in the clear.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct ProxyLogin {
    /// Who.
    pub name: String,
    /// Never printed.
    pub password: String,
}

impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyLogin(…)")
    }
}

impl From<ProxyLogin> for ::eft::network::ProxyLogin {
    fn from(login: ProxyLogin) -> Self {
        Self {
            name: login.name,
            password: login.password.into(),
        }
    }
}

impl TryFrom<Proxy> for ::eft::network::Proxy {
    type Error = EftError;

    fn try_from(proxy: Proxy) -> Result<Self, EftError> {
        Ok(match proxy {
            Proxy::Socks5 { host, port, login } => Self::Socks5 {
                address: address(host, port)?,
                login: login.map(Into::into),
            },
            Proxy::HttpConnect { host, port, login } => Self::HttpConnect {
                address: address(host, port)?,
                login: login.map(Into::into),
            },
        })
    }
}

fn address(host: String, port: u16) -> Result<ProxyAddress, EftError> {
    if host.is_empty() || port == 0 {
        return Err(EftError::InvalidInput {
            reason: format!("{host:?}, port {port}, is no address of a proxy"),
        });
    }
    Ok(ProxyAddress { host, port })
}
