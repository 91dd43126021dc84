//! A loopback port that nothing listens on.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Asks the system for a free TCP port on 127.0.0.1 and lets it go again.
///
/// Another process may take the port before the caller does: who binds it has to be ready to ask again.
///
/// # Errors
///
/// What the system says when no port can be bound.
pub fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
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
