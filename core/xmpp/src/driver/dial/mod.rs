//! How bytes reach a server: directly, through a proxy, or as the host likes.

mod direct;
mod http_connect;
mod socks5;

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

pub use direct::DirectDialer;
pub use http_connect::HttpConnectDialer;
pub use socks5::Socks5Dialer;

use super::error::AttemptError;

/// A connection: what is written goes to the other end, in order.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// Any connection.
pub type BoxedStream = Box<dyn ByteStream>;

/// Answer of [`Dialer::dial`].
pub type DialFuture<'a> =
    Pin<Box<dyn Future<Output = Result<BoxedStream, AttemptError>> + Send + 'a>>;

/// Opens connections: a proxy, a VPN's own stack, a test. TLS and everything above it stay with us, so a dialer sees
/// the name of the server and nothing else.
pub trait Dialer: Send + Sync {
    /// Connects to a port of a host, which is a name or an address. Dropping the future gives the attempt up; its
    /// deadline is [`super::ConnectConfig::connect_timeout`].
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a>;
}

/// Where a proxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Name and password for a proxy. Both go to it in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// Who.
    pub name: String,
    /// Never printed.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyLogin(…)")
    }
}

fn proxy_error(detail: impl fmt::Display) -> AttemptError {
    AttemptError::Proxy(detail.to_string())
}
