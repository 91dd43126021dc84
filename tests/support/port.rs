//! A loopback port that nothing listens on.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Ports that the system gives to nobody of its own accord: Linux takes those of outgoing connections from 32768 on. A
/// server that is restarted could otherwise find its port taken by a client of another test.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// How many are tried.
const TRIES: u32 = 100;

/// A TCP port on 127.0.0.1 on which nobody listens, by chance.
///
/// Another process may take the port before the caller does: who binds it has to be ready to ask again.
///
/// # Errors
///
/// What the system says when no port can be bound.
pub fn free_port() -> io::Result<u16> {
    let random = RandomState::new();
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for number in 0..TRIES {
        let count = u64::from(PORTS.end - PORTS.start);
        let offset = u16::try_from(random.hash_one(number) % count).unwrap_or_default();
        let port = PORTS.start + offset;
        result = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| port);
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_port_can_be_bound() {
        let port = free_port().unwrap();
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    }
}
