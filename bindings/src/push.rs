//! Where the server is to push, and whether pushes arrive (XEP-0357).

use std::fmt;

use crate::error::{EftError, service};

/// Where an account's server is to push for this device: what the app's own server answered when the app registered its
/// token with it.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct PushTarget {
    /// The app server's address on the XMPP network.
    pub service: String,
    /// What it calls this device. Needed by most.
    #[uniffi(default)]
    pub node: Option<String>,
    /// What the account's server is to show with each push, such as a secret.
    #[uniffi(default)]
    pub options: Vec<PushOption>,
}

/// A field that the account's server shows with each push.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct PushOption {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How a registration for pushes stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PushHealth {
    /// The server is asked at the next connection.
    Waiting,
    /// The server has no pushes, or not for this account.
    Unsupported,
    /// The server has agreed. No push has come yet.
    Registered {
        /// When it agreed last, milliseconds since the epoch.
        at_ms: i64,
    },
    /// A push has come.
    Proven {
        /// When the last one came, milliseconds since the epoch.
        at_ms: i64,
    },
    /// Messages came several times without a push. Perhaps the token is old, or the system holds pushes back: register
    /// anew with a fresh token.
    Stale,
    /// The server refused.
    Rejected {
        /// Its reason.
        reason: String,
    },
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A node and its secret let anybody wake this phone.
        f.debug_struct("PushTarget")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PushOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushOption")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl TryFrom<PushTarget> for ::eft::PushTarget {
    type Error = EftError;

    fn try_from(target: PushTarget) -> Result<Self, EftError> {
        Ok(Self {
            service: service(&target.service)?,
            node: target.node,
            options: target
                .options
                .into_iter()
                .map(|option| (option.name, option.value))
                .collect(),
        })
    }
}

impl From<::eft::PushHealth> for PushHealth {
    fn from(health: ::eft::PushHealth) -> Self {
        match health {
            ::eft::PushHealth::Waiting => Self::Waiting,
            ::eft::PushHealth::Unsupported => Self::Unsupported,
            ::eft::PushHealth::Registered { at } => Self::Registered {
                at_ms: at.as_millis(),
            },
            ::eft::PushHealth::Proven { at } => Self::Proven {
                at_ms: at.as_millis(),
            },
            ::eft::PushHealth::Stale => Self::Stale,
            ::eft::PushHealth::Rejected { reason } => Self::Rejected { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> PushTarget {
        PushTarget {
            service: "push.example.org".to_owned(),
            node: Some("node-of-this-phone".to_owned()),
            options: vec![PushOption {
                name: "secret".to_owned(),
                value: "hush".to_owned(),
            }],
        }
    }

    #[test]
    fn what_wakes_a_phone_is_not_printed() {
        let printed = format!("{:?}{:?}", target(), target().options);
        assert!(printed.contains("push.example.org"), "{printed}");
        assert!(!printed.contains("node-of-this-phone"), "{printed}");
        assert!(!printed.contains("hush"), "{printed}");
    }

    #[test]
    fn a_target_is_the_clients_own_or_no_address() {
        let own = ::eft::PushTarget::try_from(target()).unwrap();
        assert_eq!(own.service.to_string(), "push.example.org");
        assert_eq!(own.node.as_deref(), Some("node-of-this-phone"));
        assert_eq!(own.options, [("secret".to_owned(), "hush".to_owned())]);
        let rubbish = PushTarget {
            service: "@@".to_owned(),
            ..target()
        };
        let error = ::eft::PushTarget::try_from(rubbish).unwrap_err();
        assert_eq!(error.code(), "invalid-input");
    }

    #[test]
    fn every_state_keeps_its_time_or_reason() {
        let at = ::eft::Timestamp::from_millis(1_700_000_000_123);
        let at_ms = at.as_millis();
        let reason = || "forbidden".to_owned();
        let states = [
            (::eft::PushHealth::Waiting, PushHealth::Waiting),
            (::eft::PushHealth::Unsupported, PushHealth::Unsupported),
            (
                ::eft::PushHealth::Registered { at },
                PushHealth::Registered { at_ms },
            ),
            (
                ::eft::PushHealth::Proven { at },
                PushHealth::Proven { at_ms },
            ),
            (::eft::PushHealth::Stale, PushHealth::Stale),
            (
                ::eft::PushHealth::Rejected { reason: reason() },
                PushHealth::Rejected { reason: reason() },
            ),
        ];
        for (of_client, exported) in states {
            assert_eq!(PushHealth::from(of_client), exported);
        }
    }
}
