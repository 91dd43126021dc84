//! What a login needs to know.

use core::fmt;

use eft_types::BareJid;
use zeroize::Zeroizing;

/// A password in memory: zeroized on drop, never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes over the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How the stream becomes encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP first, TLS by negotiation (RFC 6120 §5). A server that does not offer it is refused.
    StartTls,
    /// TLS from the first byte (XEP-0368).
    DirectTls,
}

/// Who logs in, and on what terms.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// The account.
    pub jid: BareJid,
    /// Its password.
    pub password: Password,
    /// Resource to ask for; `None` lets the server choose.
    pub resource: Option<String>,
    /// How TLS starts.
    pub transport: Transport,
    /// Permits SASL PLAIN if the server offers nothing better. It hands the password to whoever
    /// holds the certificate, so it is off unless the user asked for it.
    pub allow_plain: bool,
    /// Asks for XEP-0198 with resumption if the server offers it.
    pub stream_management: bool,
}

impl LoginConfig {
    /// The usual terms: STARTTLS, no PLAIN, stream management, the server chooses the resource.
    #[must_use]
    pub fn new(jid: BareJid, password: Password) -> Self {
        Self {
            jid,
            password,
            resource: None,
            transport: Transport::StartTls,
            allow_plain: false,
            stream_management: true,
        }
    }
}
