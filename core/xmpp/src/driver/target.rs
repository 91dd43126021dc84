//! Where to connect: SRV records of both kinds in one pool (XEP-0368 §5), in the order of RFC 2782.

use rand_core::CryptoRng;
use rustls_pki_types::ServerName;

use super::config::Endpoint;
use super::error::ConnectError;
use super::resolver::{ResolveError, Resolver, SrvRecord};
use super::tls;
use super::web::WebUrl;
use crate::limits::MAX_SRV_RECORDS;
use crate::stream::Transport;

/// A host to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transport: Transport,
    /// Whose certificate it has to show; `None` for the account's domain.
    pub(super) name: Option<ServerName<'static>>,
    /// What to ask a web server for.
    pub(super) web: Option<WebPlace>,
}

/// A WebSocket within a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebPlace {
    pub(super) authority: String,
    pub(super) path: String,
}

/// Where Prosody has it, and others by convention.
const WEBSOCKET_PATH: &str = "/xmpp-websocket";

impl Target {
    fn stream(host: String, port: u16, transport: Transport) -> Self {
        Self {
            host,
            port,
            transport,
            name: None,
            web: None,
        }
    }

    /// What somebody configured.
    pub(super) fn fixed(endpoint: &Endpoint, domain: &str) -> Self {
        let web = (endpoint.transport == Transport::WebSocket).then(|| WebPlace {
            authority: domain.to_owned(),
            path: WEBSOCKET_PATH.to_owned(),
        });
        let host = endpoint.host.clone();
        Self {
            web,
            ..Self::stream(host, endpoint.port, endpoint.transport)
        }
    }

    pub(super) fn websocket(url: &WebUrl) -> Result<Self, ConnectError> {
        Ok(Self {
            name: Some(tls::server_name(url.host())?),
            web: Some(WebPlace {
                authority: url.authority(),
                path: url.path().to_owned(),
            }),
            ..Self::stream(url.host().to_owned(), url.port(), Transport::WebSocket)
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Targets {
    Try(Vec<Target>),
    /// The domain says no.
    NotOffered,
}

/// RFC 6120 §3.2.2.
const FALLBACK_PORT: u16 = 5222;

/// Asks for both kinds at once.
pub(super) async fn find(
    resolver: &dyn Resolver,
    domain: &str,
    rng: &mut (impl CryptoRng + Send),
) -> Targets {
    let direct_name = format!("_xmpps-client._tcp.{domain}");
    let starttls_name = format!("_xmpp-client._tcp.{domain}");
    let (direct, starttls) = tokio::join!(resolver.srv(&direct_name), resolver.srv(&starttls_name));
    from_records(domain, direct, starttls, rng)
}

fn from_records(
    domain: &str,
    direct: Result<Vec<SrvRecord>, ResolveError>,
    starttls: Result<Vec<SrvRecord>, ResolveError>,
    rng: &mut impl CryptoRng,
) -> Targets {
    let mut pool = Vec::new();
    for (records, transport) in [
        (direct, Transport::DirectTls),
        (starttls, Transport::StartTls),
    ] {
        match records {
            Ok(records) => pool.extend(
                records
                    .into_iter()
                    .take(MAX_SRV_RECORDS)
                    .map(|record| (record, transport)),
            ),
            // As if there were none: the other kind, or the address of the domain, may still work.
            Err(error) => tracing::debug!(%error, "SRV lookup failed"),
        }
    }
    if pool.is_empty() {
        let host = domain.to_owned();
        return Targets::Try(vec![Target::stream(
            host,
            FALLBACK_PORT,
            Transport::StartTls,
        )]);
    }
    pool.retain(|(record, _)| !record.target.trim_end_matches('.').is_empty());
    if pool.is_empty() {
        return Targets::NotOffered;
    }
    Targets::Try(
        in_order(pool, rng)
            .into_iter()
            .map(|(record, transport)| {
                let host = record.target.trim_end_matches('.').to_owned();
                Target::stream(host, record.port, transport)
            })
            .collect(),
    )
}

/// By priority; among equals drawn by weight (RFC 2782, "Weight").
fn in_order(
    mut pool: Vec<(SrvRecord, Transport)>,
    rng: &mut impl CryptoRng,
) -> Vec<(SrvRecord, Transport)> {
    // Zero weights first, so that they have a small chance, as the RFC asks.
    pool.sort_by_key(|(record, _)| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(pool.len());
    while let Some(priority) = pool.first().map(|(record, _)| record.priority) {
        let equals = pool
            .iter()
            .take_while(|(record, _)| record.priority == priority)
            .count();
        let total: u64 = pool
            .iter()
            .take(equals)
            .map(|(record, _)| u64::from(record.weight))
            .sum();
        // At most 64 weights of 16 bits: no overflow, and the bias of the modulo is below 2⁻⁴⁰.
        let drawn = rng.next_u64() % (total + 1);
        let mut sum = 0;
        let index = pool
            .iter()
            .take(equals)
            .position(|(record, _)| {
                sum += u64::from(record.weight);
                sum >= drawn
            })
            .unwrap_or(0);
        ordered.push(pool.remove(index));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn record(priority: u16, weight: u16, target: &str) -> SrvRecord {
        SrvRecord {
            priority,
            weight,
            port: 1,
            target: target.to_owned(),
        }
    }

    fn order(
        direct: Vec<SrvRecord>,
        starttls: Vec<SrvRecord>,
        seed: u64,
    ) -> Vec<(String, Transport)> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        match from_records("b.example", Ok(direct), Ok(starttls), &mut rng) {
            Targets::Try(targets) => targets
                .into_iter()
                .map(|target| (target.host, target.transport))
                .collect(),
            Targets::NotOffered => panic!("not offered"),
        }
    }

    #[test]
    fn both_kinds_share_one_pool_by_priority() {
        let got = order(
            vec![record(5, 0, "late-tls."), record(1, 0, "first-tls.")],
            vec![record(3, 0, "middle.")],
            1,
        );
        assert_eq!(
            got,
            [
                ("first-tls".to_owned(), Transport::DirectTls),
                ("middle".to_owned(), Transport::StartTls),
                ("late-tls".to_owned(), Transport::DirectTls),
            ]
        );
    }

    #[test]
    fn weights_share_the_load() {
        let firsts = (0..1000)
            .filter(|seed| {
                order(
                    vec![record(0, 90, "heavy"), record(0, 10, "light")],
                    vec![],
                    *seed,
                )[0]
                .0 == "heavy"
            })
            .count();
        assert!((850..950).contains(&firsts), "{firsts}");
        let zero_first = (0..1000)
            .filter(|seed| {
                order(
                    vec![record(0, 100, "heavy"), record(0, 0, "zero")],
                    vec![],
                    *seed,
                )[0]
                .0 == "zero"
            })
            .count();
        assert!((1..50).contains(&zero_first), "{zero_first}");
    }

    #[test]
    fn a_dot_means_not_offered_and_forbids_the_fallback() {
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        assert_eq!(
            from_records(
                "b.example",
                Ok(vec![record(0, 0, ".")]),
                Ok(vec![]),
                &mut rng
            ),
            Targets::NotOffered
        );
        assert_eq!(
            order(vec![record(0, 0, ".")], vec![record(0, 0, "x.")], 0),
            [("x".to_owned(), Transport::StartTls)]
        );
    }

    #[test]
    fn without_records_or_dns_the_domain_itself_is_tried() {
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        let expected = Targets::Try(vec![Target::stream(
            "b.example".to_owned(),
            5222,
            Transport::StartTls,
        )]);
        assert_eq!(
            from_records("b.example", Ok(vec![]), Ok(vec![]), &mut rng),
            expected
        );
        let down = || Err(ResolveError("SERVFAIL".to_owned()));
        assert_eq!(
            from_records("b.example", down(), down(), &mut rng),
            expected
        );
    }

    #[test]
    fn every_record_is_tried_once() {
        let records: Vec<_> = (0..100)
            .map(|n| record(n % 3, n, &format!("h{n}")))
            .collect();
        let mut got = order(records, vec![], 7);
        assert_eq!(got.len(), MAX_SRV_RECORDS);
        got.sort_by(|a, b| a.0.cmp(&b.0));
        got.dedup();
        assert_eq!(got.len(), MAX_SRV_RECORDS);
    }
}
