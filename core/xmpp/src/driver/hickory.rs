//! The default resolver: hickory with the system's configuration.

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RData;

use super::resolver::{AddressFuture, ResolveError, Resolver, SrvFuture, SrvRecord};

/// Asks the name servers of the system (`/etc/resolv.conf`, the registry on Windows).
#[derive(Clone)]
pub struct SystemResolver(TokioResolver);

impl SystemResolver {
    /// Reads the system's configuration.
    ///
    /// # Errors
    /// [`ResolveError`] where there is none, as on Android: bring a [`Resolver`] of the platform there.
    pub fn new() -> Result<Self, ResolveError> {
        let resolver = TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|error| ResolveError(error.to_string()))?;
        Ok(Self(resolver))
    }
}

fn no_records(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(_)))
}

impl Resolver for SystemResolver {
    fn srv<'a>(&'a self, name: &'a str) -> SrvFuture<'a> {
        Box::pin(async move {
            // Absolute: a search domain must not answer for the account's domain.
            match self.0.srv_lookup(format!("{name}.")).await {
                Ok(lookup) => Ok(lookup
                    .answers()
                    .iter()
                    .filter_map(|record| match &record.data {
                        RData::SRV(srv) => Some(SrvRecord {
                            priority: srv.priority,
                            weight: srv.weight,
                            port: srv.port,
                            target: srv.target.to_utf8(),
                        }),
                        _ => None,
                    })
                    .collect()),
                Err(error) if no_records(&error) => Ok(Vec::new()),
                Err(error) => Err(ResolveError(error.to_string())),
            }
        })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> AddressFuture<'a> {
        Box::pin(async move {
            match self.0.lookup_ip(host).await {
                Ok(lookup) => Ok(lookup.iter().collect()),
                Err(error) if no_records(&error) => Ok(Vec::new()),
                Err(error) => Err(ResolveError(error.to_string())),
            }
        })
    }
}
