//! TCP to a host with several addresses: happy eyeballs (RFC 8305), reduced to what matters here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::error::AttemptError;
use super::resolver::Resolver;
use crate::limits::MAX_ADDRESSES;

/// RFC 8305 §5: how long an address may be alone before the next one starts.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address that answers. Dropping the future drops all attempts.
pub(super) async fn connect(
    resolver: &dyn Resolver,
    host: &str,
    port: u16,
) -> Result<TcpStream, AttemptError> {
    let addresses = match host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        Ok(literal) => vec![literal],
        Err(_) => resolver.addresses(host).await.map_err(|error| {
            tracing::debug!(%error, "address lookup failed");
            AttemptError::NoAddress
        })?,
    };
    let mut waiting = interleave(addresses).into_iter();
    let mut running: JoinSet<io::Result<TcpStream>> = JoinSet::new();
    let mut last_error = AttemptError::NoAddress;
    let start = |running: &mut JoinSet<_>, address: IpAddr| {
        running.spawn(TcpStream::connect(SocketAddr::new(address, port)));
    };
    if let Some(address) = waiting.next() {
        start(&mut running, address);
    }
    loop {
        let done = tokio::select! {
            done = running.join_next() => done,
            () = tokio::time::sleep(STAGGER), if waiting.len() > 0 => {
                if let Some(address) = waiting.next() {
                    start(&mut running, address);
                }
                continue;
            }
        };
        match done {
            Some(Ok(Ok(stream))) => {
                // Stanzas are small and written whole; waiting for more only delays them.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Some(Ok(Err(error))) => last_error = AttemptError::Tcp(error.to_string()),
            Some(Err(_)) => last_error = AttemptError::Tcp("connect task failed".to_owned()),
            None if waiting.len() == 0 => return Err(last_error),
            None => {}
        }
        if running.is_empty() {
            match waiting.next() {
                Some(address) => start(&mut running, address),
                None => return Err(last_error),
            }
        }
    }
}

/// IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4).
fn interleave(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        ordered.extend(v6.next());
        ordered.extend(v4.next());
        if ordered.len() == before {
            ordered.truncate(MAX_ADDRESSES);
            return ordered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::resolver::{AddressFuture, ResolveError, SrvFuture};
    use tokio::net::TcpListener;

    struct Fixed(Result<Vec<IpAddr>, ResolveError>);

    impl Resolver for Fixed {
        fn srv<'a>(&'a self, _: &'a str) -> SrvFuture<'a> {
            Box::pin(async { Ok(Vec::new()) })
        }
        fn addresses<'a>(&'a self, _: &'a str) -> AddressFuture<'a> {
            let answer = self.0.clone();
            Box::pin(async move { answer })
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_alternate() {
        let got = interleave(vec![
            ip("10.0.0.1"),
            ip("10.0.0.2"),
            ip("10.0.0.3"),
            ip("::1"),
        ]);
        assert_eq!(
            got,
            [ip("::1"), ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")]
        );
        assert_eq!(interleave(vec![ip("::1"); 50]).len(), MAX_ADDRESSES);
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hide_a_live_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nothing listens on the other loopback addresses.
        let resolver = Fixed(Ok(vec![ip("127.0.0.3"), ip("127.0.0.2"), ip("127.0.0.1")]));
        assert!(connect(&resolver, "x", port).await.is_ok());
        assert!(connect(&resolver, "127.0.0.1", port).await.is_ok());
    }

    #[tokio::test]
    async fn failures_are_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let closed = connect(&Fixed(Ok(vec![ip("127.0.0.1")])), "x", port).await;
        assert!(matches!(closed, Err(AttemptError::Tcp(_))), "{closed:?}");
        let nothing = connect(&Fixed(Ok(vec![])), "x", port).await;
        assert_eq!(nothing.unwrap_err(), AttemptError::NoAddress);
        let down = connect(&Fixed(Err(ResolveError("no".to_owned()))), "x", port).await;
        assert_eq!(down.unwrap_err(), AttemptError::NoAddress);
    }
}
