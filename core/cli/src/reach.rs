//! How the server is reached.

use eft::{ConnectOptions, ServerAddress};

use crate::Failure;
use crate::args::Reach;

impl Reach {
    pub(crate) fn options(&self) -> Result<ConnectOptions, Failure> {
        let server = self
            .server
            .as_deref()
            .map(|text| server_address(text, self.direct_tls))
            .transpose()?;
        let extra_roots_pem = self
            .ca
            .as_ref()
            .map(|path| {
                std::fs::read_to_string(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))
            })
            .transpose()?;
        Ok(ConnectOptions {
            server,
            extra_roots_pem,
            allow_plain: self.allow_plain,
            ..ConnectOptions::default()
        })
    }
}

/// `HOST:PORT`, with brackets around an IPv6 address.
fn server_address(text: &str, direct_tls: bool) -> Result<ServerAddress, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("--server needs HOST:PORT")?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or("--server has a [ without ]")?,
        None if host.contains(':') => return Err("--server needs [ ] around an IPv6 address"),
        None => host,
    };
    if host.is_empty() {
        return Err("--server needs a host before the port");
    }
    Ok(ServerAddress {
        host: host.to_owned(),
        port: port.parse().map_err(|_| "--server needs a port number")?,
        direct_tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("example.org:5222", "example.org", 5222),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:5223", "::1", 5223),
        ] {
            let address = server_address(text, true).unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
        }
        for wrong in [
            "",
            "example.org",
            ":5222",
            "a:b",
            "a:70000",
            "::1:5222",
            "[::1:5222",
        ] {
            assert!(server_address(wrong, false).is_err(), "{wrong:?}");
        }
    }
}
