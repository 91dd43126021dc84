//! Names, by the host's resolver.

use std::net::IpAddr;
use std::sync::Arc;

use ::eft::network::{Reply, ResolveError, ResolveStarter};

use super::reply::Once;
use crate::host::{self, HostError};

/// Looks names up, as the platform does it. Each call returns at once; the answer comes through `reply`, from any thread,
/// and a reply that is let go of is an answer, too: that there is none. Calls come from threads of Eft.
#[uniffi::export(with_foreign)]
pub trait Resolver: Send + Sync {
    /// The SRV records (RFC 2782) of a full name such as `_xmpp-client._tcp.example.org`.
    ///
    /// # Errors
    /// Whatever the host's code throws, which counts as [`SrvReply::failed`].
    fn srv(&self, name: String, reply: Arc<SrvReply>) -> Result<(), HostError>;

    /// The IP addresses of a host.
    ///
    /// # Errors
    /// Whatever the host's code throws, which counts as [`AddressReply::failed`].
    fn addresses(&self, host: String, reply: Arc<AddressReply>) -> Result<(), HostError>;
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
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

/// Where the answer to `Resolver.srv` goes. The first one counts.
#[derive(Debug, uniffi::Object)]
pub struct SrvReply(Once<Result<Vec<::eft::network::SrvRecord>, ResolveError>>);

/// Where the answer to `Resolver.addresses` goes. The first one counts.
#[derive(Debug, uniffi::Object)]
pub struct AddressReply(Once<Result<Vec<IpAddr>, ResolveError>>);

#[uniffi::export]
impl SrvReply {
    /// The DNS has these records; an empty list if it has none.
    pub fn found(&self, records: Vec<SrvRecord>) {
        self.0
            .send(Ok(records.into_iter().map(Into::into).collect()));
    }

    /// The DNS did not answer.
    pub fn failed(&self, reason: String) {
        self.0.send(Err(ResolveError(reason)));
    }
}

#[uniffi::export]
impl AddressReply {
    /// The host has these addresses, as text: `192.0.2.1`, `2001:db8::1`. Something else among them counts as `failed`.
    pub fn found(&self, addresses: Vec<String>) {
        let parsed = addresses.iter().map(|text| {
            text.parse()
                .map_err(|_| ResolveError(format!("the host's resolver found {text:?}")))
        });
        self.0.send(parsed.collect());
    }

    /// The name does not resolve.
    pub fn failed(&self, reason: String) {
        self.0.send(Err(ResolveError(reason)));
    }
}

impl From<SrvRecord> for ::eft::network::SrvRecord {
    fn from(record: SrvRecord) -> Self {
        Self {
            priority: record.priority,
            weight: record.weight,
            port: record.port,
            target: record.target,
        }
    }
}

/// Presents the host's resolver to the core.
pub(super) struct OfHost(pub(super) Arc<dyn Resolver>);

impl ResolveStarter for OfHost {
    fn srv(
        &self,
        name: String,
        reply: Reply<Result<Vec<::eft::network::SrvRecord>, ResolveError>>,
    ) {
        let (resolver, reply) = (Arc::clone(&self.0), Arc::new(SrvReply(Once::new(reply))));
        host::ask(move || {
            if let Err(error) = resolver.srv(name, Arc::clone(&reply)) {
                reply.failed(error.to_string());
            }
        });
    }

    fn addresses(&self, host: String, reply: Reply<Result<Vec<IpAddr>, ResolveError>>) {
        let (resolver, reply) = (
            Arc::clone(&self.0),
            Arc::new(AddressReply(Once::new(reply))),
        );
        host::ask(move || {
            if let Err(error) = resolver.addresses(host, Arc::clone(&reply)) {
                reply.failed(error.to_string());
            }
        });
    }
}
