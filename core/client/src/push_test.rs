//! What a self-test of pushes came to.

use std::time::Duration;

/// What a self-test of pushes came to: [`crate::Account::test_push`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushTest {
    /// A push came, this long after the server had a reason to send it. [`crate::PushHealth::Proven`] from now on.
    Arrived {
        /// How long it took.
        after: Duration,
    },
    /// None came in time. [`crate::PushHealth::Stale`] from now on, until one comes.
    Missed {
        /// Where it was probably lost.
        leg: PushLeg,
    },
    /// The server has no reason to push, so that nothing was tried.
    NotPossible {
        /// Why.
        obstacle: PushObstacle,
    },
}

/// A part of a push's way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushLeg {
    /// The account's server did not deliver to this device what it would have had to push for.
    Server,
    /// The account's server does not reach the app's: it is down, or its address is wrong, or the two servers do not federate.
    ServerToAppServer {
        /// What the account's server says.
        reason: String,
    },
    /// The account's server reaches the app's, or cannot tell. Perhaps the token is old, the app server's account with Apple or
    /// Google does not work, or the phone saves power: register anew with a fresh token, then look at the app server's log.
    AppServerToPhone,
}

/// Why the server has no reason to push.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushObstacle {
    /// [`crate::Account::register_push`] was not called.
    NotRegistered,
    /// The server refuses to push, or cannot.
    Refused {
        /// Its reason.
        reason: String,
    },
    /// The server does not keep the stream of a device that hung up (XEP-0198): it would push for a message from somebody
    /// else, but a device cannot send itself one while it is gone.
    NoResumption,
}
