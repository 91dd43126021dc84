//! Names where the app brings no resolver: the C library asks the platform, so a VPN and private DNS count. The core's own
//! resolver stays out of this library: it reads a list of name servers that phones do not show, and its crates are a
//! tenth of the size.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use ::eft::network::{Reply, ResolveError, ResolveStarter, SrvRecord};

/// Asks the C library. It knows addresses only: without SRV records a connection goes to port 5222 of the domain
/// (RFC 6120 §3.2.2).
struct SystemNames;

/// What the core is to ask for names.
pub(crate) fn of_platform() -> Arc<dyn ResolveStarter> {
    Arc::new(SystemNames)
}

impl ResolveStarter for SystemNames {
    fn srv(&self, _: String, reply: Reply<Result<Vec<SrvRecord>, ResolveError>>) {
        reply.send(Err(ResolveError(
            "the C library looks up no SRV records".to_owned(),
        )));
    }

    fn addresses(&self, host: String, reply: Reply<Result<Vec<IpAddr>, ResolveError>>) {
        // It blocks for as long as the network likes. Without a thread the reply is dropped, and that is an answer, too.
        let _ = thread::Builder::new()
            .name("eft-names".to_owned())
            .spawn(move || reply.send(look_up(&host)));
    }
}

fn look_up(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    // The port is no part of the question.
    match (host, 0).to_socket_addrs() {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => Err(ResolveError(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_its_addresses_and_what_is_none_is_an_error() {
        let found = look_up("localhost").unwrap();
        assert!(!found.is_empty());
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        for host in ["", "a b", "a\0b", "no-such-host.invalid"] {
            assert!(look_up(host).is_err(), "{host:?}");
        }
    }
}
