//! What this side of a TLS connection binds to: not what the client says that its side is.

use rustls::{ProtocolVersion, ServerConnection};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};

/// One TLS connection.
#[derive(Debug)]
pub(crate) struct Channel {
    exporter: Option<[u8; 32]>,
    end_point: Vec<u8>,
    /// As XEP-0515 writes it.
    pub(crate) version: &'static str,
}

impl Channel {
    /// `certificate` is the one that this side showed. It is signed with SHA-256, as all of this program are: that is
    /// the hash that RFC 5929 §4.1 asks for then.
    pub(crate) fn of(connection: &ServerConnection, certificate: &CertificateDer<'_>) -> Self {
        let is_new = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let label = b"EXPORTER-Channel-Binding";
        let exported = connection.export_keying_material([0; 32], label, Some(&[]));
        Self {
            exporter: exported.ok().filter(|_| is_new),
            end_point: Sha256::digest(certificate).to_vec(),
            version: if is_new { "0304" } else { "0303" },
        }
    }

    /// By a name of XEP-0440, or by the end of the name of a mechanism for tokens.
    pub(crate) fn data(&self, kind: &str) -> Option<&[u8]> {
        match kind {
            "tls-exporter" | "EXPR" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            "tls-server-end-point" | "ENDP" => Some(&self.end_point),
            _ => None,
        }
    }
}
