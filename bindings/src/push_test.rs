//! What a self-test of pushes came to.

/// What a self-test of pushes came to: `Account.test_push`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PushTest {
    /// A push came, this many milliseconds after the server had a reason to send it. The health is `Proven` from now on.
    Arrived {
        /// How long it took.
        after_ms: u64,
    },
    /// None came in time. The health is `Stale` from now on, until one comes.
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
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PushLeg {
    /// The account's server did not deliver to this device what it would have had to push for.
    Server,
    /// The account's server does not reach the app's.
    ServerToAppServer {
        /// What the account's server says.
        reason: String,
    },
    /// The account's server reaches the app's, or cannot tell. Perhaps the token is old, the app server's account with Apple
    /// or Google does not work, or the phone saves power: register anew with a fresh token.
    AppServerToPhone,
}

/// Why the server has no reason to push.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PushObstacle {
    /// `Account.register_push` was not called.
    NotRegistered,
    /// The server refuses to push, or cannot.
    Refused {
        /// Its reason.
        reason: String,
    },
    /// The server does not keep the stream of a device that hung up (XEP-0198). It may push all the same; that cannot be tested.
    NoResumption,
}

impl From<::eft::PushTest> for PushTest {
    fn from(test: ::eft::PushTest) -> Self {
        match test {
            ::eft::PushTest::Arrived { after } => Self::Arrived {
                after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            },
            ::eft::PushTest::NotPossible { obstacle } => Self::NotPossible {
                obstacle: obstacle.into(),
            },
            ::eft::PushTest::Missed { leg } => Self::Missed { leg: leg.into() },
            // What a newer core may add: no push was seen, and that is all that can be said.
            _ => Self::Missed {
                leg: PushLeg::AppServerToPhone,
            },
        }
    }
}

impl From<::eft::PushLeg> for PushLeg {
    fn from(leg: ::eft::PushLeg) -> Self {
        match leg {
            ::eft::PushLeg::Server => Self::Server,
            ::eft::PushLeg::ServerToAppServer { reason } => Self::ServerToAppServer { reason },
            _ => Self::AppServerToPhone,
        }
    }
}

impl From<::eft::PushObstacle> for PushObstacle {
    fn from(obstacle: ::eft::PushObstacle) -> Self {
        match obstacle {
            ::eft::PushObstacle::NotRegistered => Self::NotRegistered,
            ::eft::PushObstacle::NoResumption => Self::NoResumption,
            ::eft::PushObstacle::Refused { reason } => Self::Refused { reason },
            _ => Self::Refused {
                reason: String::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_result_keeps_its_time_its_leg_or_its_obstacle() {
        let after = Duration::from_millis(1234);
        let reason = || "remote-server-not-found".to_owned();
        for (of_client, exported) in [
            (
                ::eft::PushTest::Arrived { after },
                PushTest::Arrived { after_ms: 1234 },
            ),
            (
                ::eft::PushTest::Missed {
                    leg: ::eft::PushLeg::ServerToAppServer { reason: reason() },
                },
                PushTest::Missed {
                    leg: PushLeg::ServerToAppServer { reason: reason() },
                },
            ),
            (
                ::eft::PushTest::Missed {
                    leg: ::eft::PushLeg::Server,
                },
                PushTest::Missed {
                    leg: PushLeg::Server,
                },
            ),
            (
                ::eft::PushTest::NotPossible {
                    obstacle: ::eft::PushObstacle::Refused { reason: reason() },
                },
                PushTest::NotPossible {
                    obstacle: PushObstacle::Refused { reason: reason() },
                },
            ),
            (
                ::eft::PushTest::NotPossible {
                    obstacle: ::eft::PushObstacle::NoResumption,
                },
                PushTest::NotPossible {
                    obstacle: PushObstacle::NoResumption,
                },
            ),
        ] {
            assert_eq!(PushTest::from(of_client), exported);
        }
    }
}
