//! What the connector asks of DNS. Hosts may bring their own: Android has no resolv.conf, a VPN app
//! resolves by itself, tests need no DNS.

use core::future::Future;
use core::pin::Pin;
use std::net::IpAddr;
use std::sync::Arc;

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    /// Lower is tried first.
    pub priority: u16,
    /// Share among records of the same priority.
    pub weight: u16,
    /// TCP port.
    pub port: u16,
    /// Host name; `.` or empty says that the service is not offered.
    pub target: String,
}

/// DNS did not answer. An answer of "no records" is no error but an empty list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DNS: {0}")]
pub struct ResolveError(pub String);

/// Answer of [`Resolver::srv`].
pub type SrvFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<SrvRecord>, ResolveError>> + Send + 'a>>;
/// Answer of [`Resolver::addresses`].
pub type AddressFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, ResolveError>> + Send + 'a>>;

/// Looks names up.
pub trait Resolver: Send + Sync {
    /// SRV records of a full name such as `_xmpp-client._tcp.example.org`.
    fn srv<'a>(&'a self, name: &'a str) -> SrvFuture<'a>;
    /// A and AAAA records of a host.
    fn addresses<'a>(&'a self, host: &'a str) -> AddressFuture<'a>;
}

/// The resolver that asks the system's name servers, for whoever brings none.
///
/// # Errors
/// [`ResolveError`] where the system has no configuration to be read, as on Android, or the crate was built without the
/// feature `hickory`: bring a [`Resolver`] of the platform there.
pub fn system_resolver() -> Result<Arc<dyn Resolver>, ResolveError> {
    #[cfg(feature = "hickory")]
    return Ok(Arc::new(super::SystemResolver::new()?));
    #[cfg(not(feature = "hickory"))]
    Err(ResolveError("built without a resolver".to_owned()))
}
