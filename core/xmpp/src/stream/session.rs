//! What a login gives.

use eft_types::FullJid;

use super::features::{StreamFeatures, StreamLimits};
use crate::Element;
use crate::stream::sasl::Mechanism;

/// A stream that is authenticated and bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The address that the server bound.
    pub full_jid: FullJid,
    /// The mechanism that let us in. Remember it: a server that later offers only weaker ones is
    /// suspect.
    pub mechanism: Mechanism,
    /// XEP-0198 is running; `None` if the server does not offer it or refused it.
    pub stream_management: Option<StreamResumption>,
    /// Features of the authenticated stream.
    pub features: StreamFeatures,
    /// What the server allows on this stream.
    pub limits: StreamLimits,
    /// Stanzas that came between bind and `<enabled/>`. They are not counted by XEP-0198.
    pub early: Vec<Element>,
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
