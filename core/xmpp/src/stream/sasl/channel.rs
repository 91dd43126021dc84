//! What SASL may know of the TLS connection below it: channel bindings (RFC 5056, RFC 5929,
//! RFC 9266) and the version.

use core::fmt;

use zeroize::Zeroizing;

/// A way to name a TLS connection. The order is that of strength: who stole the server's key can
/// imitate its certificate, but not one connection's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelBinding {
    /// Hash of the server's certificate (RFC 5929 §4).
    TlsServerEndPoint,
    /// 32 bytes exported from the connection's secrets (RFC 9266 §2).
    TlsExporter,
}

impl ChannelBinding {
    /// Weakest first.
    pub const ALL: [Self; 2] = [Self::TlsServerEndPoint, Self::TlsExporter];

    /// Name in `<channel-binding type=''/>` and in `p=`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsServerEndPoint => "tls-server-end-point",
            Self::TlsExporter => "tls-exporter",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|binding| binding.name() == name)
    }
}

impl fmt::Display for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// As XEP-0515 writes it: four lowercase hexadecimal digits.
    #[must_use]
    pub const fn hex(self) -> &'static str {
        match self {
            Self::Tls12 => "0303",
            Self::Tls13 => "0304",
        }
    }
}

/// The TLS connection as far as a login needs it. The default knows nothing: for a transport whose
/// TLS somebody else ends.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// Version, if known.
    pub version: Option<TlsVersion>,
    /// `tls-exporter`. Only where TLS 1.3 runs: with 1.2 it is unique only if both sides extended
    /// the master secret (RFC 9266 §4.2), which the TLS library does not tell.
    pub exporter: Option<Zeroizing<[u8; 32]>>,
    /// `tls-server-end-point`, see [`super::server_end_point`].
    pub server_end_point: Option<Vec<u8>>,
}

impl TlsFacts {
    /// The value to bind to.
    #[must_use]
    pub fn binding(&self, kind: ChannelBinding) -> Option<&[u8]> {
        match kind {
            ChannelBinding::TlsExporter => self.exporter.as_ref().map(|value| value.as_slice()),
            ChannelBinding::TlsServerEndPoint => self.server_end_point.as_deref(),
        }
    }

    /// Anything could be bound to.
    #[must_use]
    pub fn can_bind(&self) -> bool {
        self.exporter.is_some() || self.server_end_point.is_some()
    }
}

impl fmt::Debug for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFacts")
            .field("version", &self.version)
            .field("exporter", &self.exporter.is_some())
            .field("server_end_point", &self.server_end_point.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_secrets_stay_out_of_debug() {
        let facts = TlsFacts {
            exporter: Some(Zeroizing::new([0xAB; 32])),
            ..TlsFacts::default()
        };
        let text = format!("{facts:?}");
        assert!(
            !text.contains("171") && !text.to_lowercase().contains("ab,"),
            "{text}"
        );
    }

    #[test]
    fn the_exporter_is_the_stronger_name() {
        assert!(ChannelBinding::TlsExporter > ChannelBinding::TlsServerEndPoint);
        for binding in ChannelBinding::ALL {
            assert_eq!(ChannelBinding::from_name(binding.name()), Some(binding));
        }
        assert_eq!(ChannelBinding::from_name("tls-unique"), None);
    }
}
