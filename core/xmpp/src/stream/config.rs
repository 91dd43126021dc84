//! What a login needs to know.

use core::fmt;

use eft_types::BareJid;
use zeroize::Zeroizing;

use super::pins::Pins;
use super::resumption::ResumeRequest;
use super::token::FastToken;
use super::user_agent::UserAgent;

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
    /// Messages of a WebSocket over TLS (RFC 7395), for where only the web is let through.
    WebSocket,
}

/// Whether somebody looks at the app (XEP-0352).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientState {
    /// Yes.
    Active,
    /// No: the server may hold back what can wait.
    Inactive,
}

/// Who logs in, and on what terms.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// The account.
    pub jid: BareJid,
    /// Its password; `None` if there is only a token.
    pub password: Option<Password>,
    /// A token of an earlier login (XEP-0484): used before the password, and dropped for it if the
    /// server no longer takes it.
    pub token: Option<FastToken>,
    /// Who we are to the server. Tokens need it.
    pub user_agent: Option<UserAgent>,
    /// Resource to ask for; `None` lets the server choose. A server's Bind 2 always chooses, so a
    /// wish leads to binding after the old manner, two round trips later: see [`Self::tag`].
    pub resource: Option<String>,
    /// Beginning of the resource that Bind 2 makes up. Others may see it (XEP-0386 §4).
    pub tag: Option<String>,
    /// How TLS starts.
    pub transport: Transport,
    /// Permits SASL PLAIN if the server offers nothing better and never did. It hands the password
    /// to whoever holds the certificate, so it is off unless the user asked for it.
    pub allow_plain: bool,
    /// Uses SASL2 (XEP-0388) where it is offered.
    pub sasl2: bool,
    /// Asks for XEP-0198 with resumption if the server offers it.
    pub stream_management: bool,
    /// Asks for carbons (XEP-0280) if that is possible within the login; see
    /// [`super::Session::carbons`].
    pub carbons: bool,
    /// State in which the session is to begin, if that is possible within the login; see
    /// [`super::Session::client_state`].
    pub client_state: Option<ClientState>,
    /// Asks for a token where there is none.
    pub request_token: bool,
    /// A stream to take up again.
    pub resume: Option<ResumeRequest>,
    /// What the server once had.
    pub pins: Pins,
}

impl LoginConfig {
    /// The usual terms: STARTTLS, no PLAIN, SASL2, stream management, the server chooses the
    /// resource, no token is asked for.
    #[must_use]
    pub fn new(jid: BareJid, password: Password) -> Self {
        Self {
            jid,
            password: Some(password),
            token: None,
            user_agent: None,
            resource: None,
            tag: None,
            transport: Transport::StartTls,
            allow_plain: false,
            sasl2: true,
            stream_management: true,
            carbons: false,
            client_state: None,
            request_token: false,
            resume: None,
            pins: Pins::default(),
        }
    }
}
