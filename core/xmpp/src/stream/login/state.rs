//! Where a login stands.

use super::super::features::StreamFeatures;
use super::super::sasl::{AwaitServerFinal, AwaitServerFirst, ServerVerified};
use super::super::session::{Authentication, Session};
use super::sasl2::Exchange;

/// What the machine waits for, with what exists at that point.
pub(super) enum State {
    Header(Phase),
    Features(Phase),
    Proceed,
    Tls,
    ServerFirst(Password, Box<AwaitServerFirst>),
    ServerFinal(Password, AwaitServerFinal),
    /// The signature came in a `<challenge/>`; `<success/>` is still due.
    Outcome(Password, Verified),
    /// SASL2 is under way.
    Exchange(Box<Exchange>),
    Resumed(Authentication, Box<StreamFeatures>),
    Bound(Box<Unbound>),
    Enabled(Box<Session>),
    Finished,
}

/// Of the streams, the one that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Plaintext,
    Encrypted,
    Authenticated(Authentication),
}

/// How the password is being proven.
#[derive(Clone, Copy)]
pub(super) struct Password {
    pub(super) authentication: Authentication,
    /// See [`super::super::sasl::Choice::needs_digest`].
    pub(super) needs_digest: bool,
}

/// Authenticated, and a resource is asked for in the manner of RFC 6120.
pub(super) struct Unbound {
    pub(super) authentication: Authentication,
    pub(super) features: StreamFeatures,
    /// What the server said to the wish for the old stream.
    pub(super) resumption: super::super::resumption::Resumption,
}

/// Reason why `<success/>` may be believed.
pub(super) enum Verified {
    Proven(#[allow(dead_code, reason = "the value is the proof; nothing is in it")] ServerVerified),
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
            Self::Exchange(_) => "SASL2 challenge or success",
            Self::Resumed(..) => "resumed",
            Self::Bound(..) => "bind result",
            Self::Enabled(_) => "enabled",
            Self::Finished => "nothing",
        }
    }
}
