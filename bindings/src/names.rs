//! Names on Android. The core's own resolver reads a `resolv.conf`, which Android does not have; in its place its crate takes
//! a context from the app through JNI, which nobody gives it, and panics without one. The C library asks Android itself,
//! so a VPN and private DNS count.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use ::eft::network::{Reply, ResolveError, ResolveStarter, SrvRecord};

/// Asks the C library. It knows addresses only: without SRV records a connection goes to port 5222 of the domain
/// (RFC 6120 §3.2.2).
struct SystemNames;

/// What the core is to ask for names; `None` where its own resolver works.
pub(crate) fn of_platform() -> Option<Arc<dyn ResolveStarter>> {
    cfg!(target_os = "android").then(|| Arc::new(SystemNames) as Arc<dyn ResolveStarter>)
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

    #[test]
    fn the_cores_own_resolver_is_used_everywhere_else() {
        assert_eq!(of_platform().is_some(), cfg!(target_os = "android"));
    }
}
