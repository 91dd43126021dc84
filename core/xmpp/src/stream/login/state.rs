//! Where a login stands.

use super::super::features::StreamFeatures;
use super::super::sasl::{AwaitServerFinal, AwaitServerFirst, Mechanism, ServerVerified};
use super::super::session::Session;

/// What the machine waits for, with what exists at that point.
pub(super) enum State {
    Header(Phase),
    Features(Phase),
    Proceed,
    Tls,
    ServerFirst(Mechanism, Box<AwaitServerFirst>),
    ServerFinal(Mechanism, AwaitServerFinal),
    /// The signature came in a `<challenge/>`; `<success/>` is still due.
    Outcome(Mechanism, Verified),
    Bound(Mechanism, Box<StreamFeatures>),
    Enabled(Box<Session>),
    Finished,
}

/// Of the three streams, the one that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Plaintext,
    Encrypted,
    Authenticated(Mechanism),
}

/// Reason why `<success/>` may be believed.
pub(super) enum Verified {
    Scram(#[allow(dead_code, reason = "the value is the proof; nothing is in it")] ServerVerified),
    /// PLAIN proves nothing about the server beyond its certificate.
    ByCertificateOnly,
}

impl State {
    /// For errors.
    pub(super) const fn expected(&self) -> &'static str {
        match self {
            Self::Header(_) => "stream header",
            Self::Features(_) => "stream features",
            Self::Proceed => "STARTTLS proceed",
            Self::Tls => "nothing before TLS",
            Self::ServerFirst(..) => "SASL challenge",
            Self::ServerFinal(..) | Self::Outcome(..) => "SASL success",
            Self::Bound(..) => "bind result",
            Self::Enabled(_) => "enabled",
            Self::Finished => "nothing",
        }
    }
}
