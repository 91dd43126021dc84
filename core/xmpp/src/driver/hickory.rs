//! The default resolver: hickory with the system's configuration.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
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
    /// [`ResolveError`] where there is none, as on Android: bring a [`Resolver`] of the platform
    /// there.
    pub fn new() -> Result<Self, ResolveError> {
        // Its crate takes a context from the app through JNI there, and panics where nobody gave one.
        if cfg!(target_os = "android") {
            return Err(ResolveError("no name servers to be read".to_owned()));
        }
        let resolver = TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|error| ResolveError(error.to_string()))?;
        Ok(Self(resolver))
    }

    /// Asks one name server instead of the system's: for odd networks, and for tests.
    ///
    /// # Errors
    /// [`ResolveError`] if the resolver cannot be set up.
    pub fn with_name_server(address: SocketAddr) -> Result<Self, ResolveError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
            .map(|mut connection| {
                connection.port = address.port();
                connection
            })
            .to_vec();
        let server = NameServerConfig::new(address.ip(), true, connections);
        let config = ResolverConfig::from_name_servers(vec![server]);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .build()
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{A, SRV};
    use hickory_resolver::proto::rr::{Name, Record, RecordType};
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server that knows one domain, and breaks over another.
    async fn name_server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((count, client)) = socket.recv_from(&mut buffer).await {
                let request = Message::from_vec(&buffer[..count]).unwrap();
                let query = request.queries[0].clone();
                let mut answer = Message::response(request.metadata.id, OpCode::Query);
                let name = query.name().to_utf8();
                match (name.as_str(), query.query_type()) {
                    ("_xmpp-client._tcp.b.example.", RecordType::SRV) => {
                        for (priority, target) in [(5, "host.b.example."), (6, ".")] {
                            let target = Name::from_utf8(target).unwrap();
                            let srv = RData::SRV(SRV::new(priority, 7, 5222, target));
                            answer.add_answer(Record::from_rdata(query.name().clone(), 60, srv));
                        }
                    }
                    ("host.b.example.", RecordType::A) => {
                        let a = RData::A(A(Ipv4Addr::new(192, 0, 2, 1)));
                        answer.add_answer(Record::from_rdata(query.name().clone(), 60, a));
                    }
                    (name, _) if name.ends_with("broken.example.") => {
                        answer.metadata.response_code = ResponseCode::ServFail;
                    }
                    (name, _) if name.ends_with("b.example.") => {}
                    _ => answer.metadata.response_code = ResponseCode::NXDomain,
                }
                answer.add_query(query);
                socket
                    .send_to(&answer.to_vec().unwrap(), client)
                    .await
                    .unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn records_absence_and_failure_are_told_apart() {
        let resolver = SystemResolver::with_name_server(name_server().await).unwrap();
        let records = resolver.srv("_xmpp-client._tcp.b.example").await.unwrap();
        let expected = |priority, target: &str| SrvRecord {
            priority,
            weight: 7,
            port: 5222,
            target: target.to_owned(),
        };
        assert_eq!(records, [expected(5, "host.b.example."), expected(6, ".")]);
        let addresses = resolver.addresses("host.b.example").await.unwrap();
        assert_eq!(
            addresses,
            ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]
        );

        assert_eq!(
            resolver.srv("_xmpps-client._tcp.b.example").await,
            Ok(vec![])
        );
        assert_eq!(
            resolver.srv("_xmpp-client._tcp.none.example").await,
            Ok(vec![])
        );
        assert_eq!(resolver.addresses("none.example").await, Ok(vec![]));
        assert!(
            resolver
                .srv("_xmpp-client._tcp.broken.example")
                .await
                .is_err()
        );
        assert!(resolver.addresses("broken.example").await.is_err());
        assert!(resolver.srv("not a name\u{0}..").await.is_err());
    }
}
