//! What a login gives.

use eft_types::FullJid;

use super::config::ClientState;
use super::features::{StreamFeatures, StreamLimits};
use super::pins::Pins;
use super::resumption::Resumption;
use super::sasl::{ChannelBinding, FastMechanism, Mechanism};
use super::token::TokenNews;
use crate::Element;

/// A stream that is authenticated and bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The address that the server bound.
    pub full_jid: FullJid,
    /// What let us in.
    pub authentication: Authentication,
    /// XEP-0198 is running; `None` if the server does not offer it or refused it.
    pub stream_management: Option<StreamResumption>,
    /// What became of [`super::LoginConfig::resume`].
    pub resumption: Resumption,
    /// Carbons are on (XEP-0280). Else they are to be asked for, if they are wanted.
    pub carbons: bool,
    /// State in which the session began, if the server was told (XEP-0352). Else it is to be told.
    pub client_state: Option<ClientState>,
    /// What to do with the stored token.
    pub token: TokenNews,
    /// To be stored in the place of [`super::LoginConfig::pins`].
    pub pins: Pins,
    /// Features of the authenticated stream. With SASL2 the stream is ready before they arrive, and
    /// these are the ones from before; see [`Self::limits`].
    pub features: StreamFeatures,
    /// What the server allows on this stream, as far as it has said: with SASL2, what it said before
    /// authentication. The driver takes note by itself of what it says later.
    pub limits: StreamLimits,
    /// Stanzas that came between bind and `<enabled/>`. They are not counted by XEP-0198.
    pub early: Vec<Element>,
}

#[cfg(test)]
impl Session {
    /// For tests of what looks at sessions.
    pub(crate) fn bare(full_jid: &str) -> Self {
        Self {
            full_jid: FullJid::new(full_jid).unwrap(),
            authentication: Authentication::Password {
                mechanism: Mechanism::ScramSha256,
                channel_binding: None,
            },
            stream_management: None,
            resumption: Resumption::NotAsked,
            carbons: false,
            client_state: None,
            token: TokenNews::Unchanged,
            pins: Pins::default(),
            features: StreamFeatures::default(),
            limits: StreamLimits::default(),
            early: Vec::new(),
        }
    }
}

/// What let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The password.
    Password {
        /// By which mechanism.
        mechanism: Mechanism,
        /// Bound to the TLS connection in this way.
        channel_binding: Option<ChannelBinding>,
    },
    /// A token (XEP-0484).
    Token(FastMechanism),
}

/// What `<enabled/>` says about taking the stream up again (XEP-0198 §3, §5).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StreamResumption {
    /// Id to resume with; `None` if the server will not resume this stream.
    pub id: Option<String>,
    /// Seconds that the server keeps the stream after a lost connection, if it says.
    pub max_seconds: Option<u32>,
    /// `host` or `host:port` that the server prefers for resuming.
    pub location: Option<String>,
}

impl StreamResumption {
    /// Reads `<enabled/>`.
    pub(super) fn parse(enabled: &Element) -> Self {
        let may_resume = matches!(enabled.attr("resume"), Some("true" | "1"));
        Self {
            id: enabled
                .attr("id")
                .filter(|id| may_resume && !id.is_empty())
                .map(str::to_owned),
            max_seconds: enabled.attr("max").and_then(|max| max.parse().ok()),
            location: enabled.attr("location").map(str::to_owned),
        }
    }
}
