//! What logs in, and what the server may not fall behind.

use eft_xmpp::stream::Pins;

use super::fact::{Fact, ReportArea};

/// What logs in, and what the server once showed of itself: an offer that is weaker is refused ([`crate::Error::Downgraded`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginReport {
    /// The strongest mechanism that let us in with the password.
    pub pinned_mechanism: Option<String>,
    /// The strongest channel binding that did.
    pub pinned_binding: Option<String>,
    /// A token stands for the password at the next login (XEP-0484).
    pub has_token: bool,
    /// Whether the server once offered SASL2 (XEP-0388), and what inside of it. Without SASL2, the rest is negotiated step by
    /// step, and may be there all the same.
    pub has_sasl2: bool,
    /// Bind 2 (XEP-0386).
    pub has_bind2: bool,
    /// Tokens (XEP-0484).
    pub has_fast: bool,
    /// Carbons with the bind (XEP-0280).
    pub has_carbons: bool,
    /// Client state with the bind (XEP-0352).
    pub has_client_state: bool,
    /// Stream management with the bind (XEP-0198).
    pub has_stream_management: bool,
}

impl LoginReport {
    pub(crate) fn new(pins: &Pins, has_token: bool) -> Self {
        let sasl2 = pins.sasl2.as_ref();
        let bind = sasl2.and_then(|sasl2| sasl2.bind);
        Self {
            pinned_mechanism: pins.mechanism.as_ref().map(ToString::to_string),
            pinned_binding: pins.channel_binding.as_ref().map(ToString::to_string),
            has_token,
            has_sasl2: sasl2.is_some(),
            has_bind2: bind.is_some(),
            has_fast: sasl2.is_some_and(|sasl2| !sasl2.fast.is_empty()),
            has_carbons: bind.is_some_and(|bind| bind.carbons),
            has_client_state: bind.is_some_and(|bind| bind.client_state),
            has_stream_management: bind.is_some_and(|bind| bind.stream_management),
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let area = ReportArea::Login;
        let pin = |pinned: &Option<String>| pinned.clone().unwrap_or_else(|| "none yet".to_owned());
        vec![
            area.fact("pinned mechanism", pin(&self.pinned_mechanism)),
            area.fact("pinned channel binding", pin(&self.pinned_binding)),
            area.fact("token", self.has_token),
            area.fact("SASL2", self.has_sasl2),
            area.fact("Bind 2", self.has_bind2),
            area.fact("FAST", self.has_fast),
            area.fact("carbons inline", self.has_carbons),
            area.fact("client state inline", self.has_client_state),
            area.fact("stream management inline", self.has_stream_management),
        ]
    }
}
