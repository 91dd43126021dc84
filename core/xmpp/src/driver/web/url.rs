//! Addresses that begin with `https:` or `wss:`. Nothing else is ever followed.

use core::fmt;

/// A host, a port and what to ask for there, over TLS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUrl {
    scheme: &'static str,
    host: String,
    port: u16,
    path: String,
}

/// No usable address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebUrlError {
    /// Not the scheme that is wanted here; `http` and `ws` never are.
    #[error("not a {0} address")]
    Scheme(&'static str),
    /// The host is missing or no host name, or a user is named before it.
    #[error("no host name")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("no port")]
    Port,
    /// A character that no address holds, or more than 2048 of them.
    #[error("a character that no address holds, or too many")]
    Text,
}

const HTTPS: &str = "https";
const WSS: &str = "wss";
const MAX_BYTES: usize = 2048;

impl WebUrl {
    /// Reads the address of a WebSocket: `wss://host:port/path`.
    ///
    /// # Errors
    /// See [`WebUrlError`].
    pub fn websocket(text: &str) -> Result<Self, WebUrlError> {
        Self::parse(text, WSS)
    }

    /// Reads `https://host:port/path`.
    pub(super) fn https(text: &str) -> Result<Self, WebUrlError> {
        Self::parse(text, HTTPS)
    }

    fn parse(text: &str, scheme: &'static str) -> Result<Self, WebUrlError> {
        if text.len() > MAX_BYTES {
            return Err(WebUrlError::Text);
        }
        let (found, rest) = text.split_once("://").ok_or(WebUrlError::Scheme(scheme))?;
        if !found.eq_ignore_ascii_case(scheme) {
            return Err(WebUrlError::Scheme(scheme));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // What is put into a request must not begin a new line, or a new word.
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WebUrlError::Text);
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let (host, port) = split_port(authority)?;
        Ok(Self {
            scheme,
            host: ascii_host(host)?,
            port,
            path,
        })
    }

    /// Where a redirect leads: another `https:` address, or a path at the same host.
    pub(super) fn join(&self, location: &str) -> Result<Self, WebUrlError> {
        if location.starts_with('/') && !location.starts_with("//") {
            let host = self.authority();
            return Self::parse(&format!("{}://{host}{location}", self.scheme), self.scheme);
        }
        Self::parse(location, self.scheme)
    }

    /// A name in ASCII, or an address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// 443 if none was named.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// With query.
    pub(in super::super) fn path(&self) -> &str {
        &self.path
    }

    /// For the `Host` header.
    pub(in super::super) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            443 => host,
            port => format!("{host}:{port}"),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, u16), WebUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => literal.split_once(']').ok_or(WebUrlError::Host)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        // RFC 3986 §3.2.3: an empty port is the default one.
        None | Some("") => 443,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| WebUrlError::Port)?
        }
        Some(_) => return Err(WebUrlError::Port),
    };
    if port == 0 {
        return Err(WebUrlError::Port);
    }
    Ok((host, port))
}

fn ascii_host(host: &str) -> Result<String, WebUrlError> {
    if host.contains(':') {
        let literal: std::net::Ipv6Addr = host.parse().map_err(|_| WebUrlError::Host)?;
        return Ok(literal.to_string());
    }
    let ascii = idna::domain_to_ascii(host).map_err(|_| WebUrlError::Host)?;
    let is_name = !ascii.is_empty()
        && ascii
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if is_name {
        Ok(ascii)
    } else {
        Err(WebUrlError::Host)
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.path)
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_are_read_and_written() {
        for (text, expected) in [
            ("wss://b.example/ws", "wss://b.example/ws"),
            ("WSS://B.example:443", "wss://b.example/"),
            ("wss://b.example:5281?a=b#c", "wss://b.example:5281/?a=b"),
            ("wss://b.example:/", "wss://b.example/"),
            ("wss://bücher.example/x", "wss://xn--bcher-kva.example/x"),
            ("wss://[::1]:7/x", "wss://[::1]:7/x"),
            ("wss://127.0.0.1/", "wss://127.0.0.1/"),
        ] {
            let url = WebUrl::websocket(text).unwrap();
            assert_eq!(url.to_string(), expected);
            assert_eq!(WebUrl::websocket(expected), Ok(url));
        }
    }

    #[test]
    fn what_could_lead_astray_is_refused() {
        use WebUrlError as E;
        for (text, expected) in [
            ("ws://b.example/", E::Scheme("wss")),
            ("https://b.example/", E::Scheme("wss")),
            ("b.example", E::Scheme("wss")),
            ("wss:///x", E::Host),
            ("wss://user@b.example/", E::Host),
            ("wss://user:7@b.example/", E::Port),
            ("wss://b.example:70000/", E::Port),
            ("wss://b.example:0/", E::Port),
            ("wss://b.example:+1/", E::Port),
            ("wss://[::1/", E::Host),
            ("wss://b.example\\c.example/", E::Host),
            ("wss://b .example/", E::Host),
            ("wss://b.example/a b", E::Text),
            ("wss://b.example/a\r\nHost: c.example", E::Text),
            ("wss://b.example/ü", E::Text),
        ] {
            assert_eq!(WebUrl::websocket(text), Err(expected), "{text:?}");
        }
        let long = format!("wss://b.example/{}", "a".repeat(MAX_BYTES));
        assert_eq!(WebUrl::websocket(&long), Err(E::Text));
    }

    #[test]
    fn redirects_stay_on_tls() {
        let from = WebUrl::https("https://b.example:7/a").unwrap();
        let to = |location: &str| from.join(location).map(|url| url.to_string());
        assert_eq!(to("/c?d"), Ok("https://b.example:7/c?d".to_owned()));
        assert_eq!(
            to("https://c.example/"),
            Ok("https://c.example/".to_owned())
        );
        let scheme = Err(WebUrlError::Scheme("https"));
        for other in ["http://b.example/", "//c.example/", "wss://c.example/", "x"] {
            assert_eq!(to(other), scheme, "{other}");
        }
    }
}
