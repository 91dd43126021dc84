//! DNS by the host: phones have no resolv.conf, and a VPN app resolves by itself.

use std::net::IpAddr;
use std::sync::Arc;

use super::reply::{Reply, ask};
use super::resolver::{AddressFuture, ResolveError, Resolver, SrvFuture, SrvRecord};

/// What a host implements. Each call returns at once; the answer comes through `reply`.
pub trait ResolveStarter: Send + Sync {
    /// SRV records of a full name such as `_xmpp-client._tcp.example.org`; an empty list if there
    /// are none.
    fn srv(&self, name: String, reply: Reply<Result<Vec<SrvRecord>, ResolveError>>);
    /// A and AAAA records of a host.
    fn addresses(&self, host: String, reply: Reply<Result<Vec<IpAddr>, ResolveError>>);
}

/// Makes a [`Resolver`] of a host's.
pub struct HostResolver(Arc<dyn ResolveStarter>);

impl HostResolver {
    /// Asks `starter`.
    #[must_use]
    pub fn new(starter: Arc<dyn ResolveStarter>) -> Self {
        Self(starter)
    }
}

fn no_answer() -> ResolveError {
    ResolveError("the host gave no answer".to_owned())
}

impl Resolver for HostResolver {
    fn srv<'a>(&'a self, name: &'a str) -> SrvFuture<'a> {
        Box::pin(async move {
            ask(|reply| self.0.srv(name.to_owned(), reply))
                .await
                .unwrap_or_else(|| Err(no_answer()))
        })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> AddressFuture<'a> {
        Box::pin(async move {
            ask(|reply| self.0.addresses(host.to_owned(), reply))
                .await
                .unwrap_or_else(|| Err(no_answer()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Host;

    impl ResolveStarter for Host {
        fn srv(&self, name: String, reply: Reply<Result<Vec<SrvRecord>, ResolveError>>) {
            std::thread::spawn(move || {
                reply.send(Ok(vec![SrvRecord {
                    priority: 1,
                    weight: 0,
                    port: 5223,
                    target: name,
                }]));
            });
        }

        fn addresses(&self, _: String, reply: Reply<Result<Vec<IpAddr>, ResolveError>>) {
            drop(reply);
        }
    }

    #[tokio::test]
    async fn an_answer_may_come_from_any_thread_or_not_at_all() {
        let resolver = HostResolver::new(Arc::new(Host));
        let records = resolver.srv("_xmpp-client._tcp.b.example").await.unwrap();
        assert_eq!(records[0].target, "_xmpp-client._tcp.b.example");
        assert_eq!(resolver.addresses("b.example").await, Err(no_answer()));
    }
}
