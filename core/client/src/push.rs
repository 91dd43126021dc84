//! Pushes: where the server is to send them, and whether they arrive (XEP-0357).

use core::fmt;

use eft_store::Opaque;
use eft_types::{Jid, Timestamp};

use crate::error::Error;
use crate::fields;

/// First byte of what is kept: the present form.
const VERSION: u8 = 2;

/// First byte of the form that knew no self-test.
const WITHOUT_TEST: u8 = 1;

/// How often messages may have come without a push before the registration is doubted.
const MISSED_MAX: u32 = 3;

/// Where an account's server is to push for this device: what the app's own server answered when the app registered its
/// token with it.
#[derive(Clone, PartialEq, Eq)]
pub struct PushTarget {
    /// The app server's address on the XMPP network.
    pub service: Jid,
    /// What it calls this device. Needed by most.
    pub node: Option<String>,
    /// What the account's server is to show with each push, such as a secret.
    pub options: Vec<(String, String)>,
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A node and its secret let anybody wake this phone.
        f.debug_struct("PushTarget")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// How a registration for pushes stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushHealth {
    /// The server is asked at the next connection.
    Waiting,
    /// The server has no pushes, or not for this account.
    Unsupported,
    /// The server has agreed. No push has come yet.
    Registered {
        /// When it agreed last.
        at: Timestamp,
    },
    /// A push has come.
    Proven {
        /// When the last one came.
        at: Timestamp,
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

/// What is kept of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PushRecord {
    pub(crate) target: PushTarget,
    pub(crate) health: PushHealth,
    /// How often messages came without a push since the last one.
    missed_count: u32,
    /// Whether a self-test waits for one, in this process or another.
    is_awaited: bool,
}

impl PushRecord {
    pub(crate) const fn new(target: PushTarget) -> Self {
        Self {
            target,
            health: PushHealth::Waiting,
            missed_count: 0,
            is_awaited: false,
        }
    }

    /// As the app is told.
    pub(crate) fn health(&self) -> PushHealth {
        match self.health {
            PushHealth::Registered { .. } | PushHealth::Proven { .. }
                if self.missed_count >= MISSED_MAX =>
            {
                PushHealth::Stale
            }
            ref health => health.clone(),
        }
    }

    /// The server has agreed. What was proven stays so.
    #[must_use]
    pub(crate) fn agreed(&self, now: Timestamp) -> Self {
        let health = match self.health {
            PushHealth::Proven { at } => PushHealth::Proven { at },
            _ => PushHealth::Registered { at: now },
        };
        Self {
            health,
            ..self.clone()
        }
    }

    #[must_use]
    pub(crate) fn with(&self, health: PushHealth) -> Self {
        Self {
            health,
            ..self.clone()
        }
    }

    /// A push came.
    #[must_use]
    pub(crate) fn proven(&self, now: Timestamp) -> Self {
        Self {
            health: PushHealth::Proven { at: now },
            missed_count: 0,
            is_awaited: false,
            ..self.clone()
        }
    }

    /// A self-test waits for a push.
    #[must_use]
    pub(crate) fn awaited(&self) -> Self {
        Self {
            is_awaited: true,
            ..self.clone()
        }
    }

    pub(crate) const fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    /// A self-test waited in vain.
    #[must_use]
    pub(crate) fn failed(&self) -> Self {
        Self {
            missed_count: MISSED_MAX,
            is_awaited: false,
            ..self.clone()
        }
    }

    /// Messages had come, and nobody was woken.
    #[must_use]
    pub(crate) fn missed(&self) -> Self {
        Self {
            missed_count: self.missed_count.saturating_add(1),
            ..self.clone()
        }
    }

    /// For the database.
    pub(crate) fn encode(&self) -> Opaque {
        let (state, at, reason) = match &self.health {
            PushHealth::Waiting => (0, 0, ""),
            PushHealth::Unsupported => (1, 0, ""),
            PushHealth::Registered { at } => (2, at.as_millis(), ""),
            PushHealth::Proven { at } => (3, at.as_millis(), ""),
            PushHealth::Rejected { reason } => (4, 0, reason.as_str()),
            // Said, and never kept.
            PushHealth::Stale => (2, 0, ""),
        };
        let mut bytes = vec![VERSION, state, self.is_awaited.into()];
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(&self.missed_count.to_be_bytes());
        let node = self.target.node.iter().map(String::as_str);
        let has_node = [if self.target.node.is_some() {
            "node"
        } else {
            ""
        }];
        let options = self.target.options.iter();
        let fields = [reason, self.target.service.as_str()]
            .into_iter()
            .chain(has_node)
            .chain(node)
            .chain(options.flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        for field in fields {
            fields::put(&mut bytes, field.as_bytes());
        }
        Opaque::new(bytes)
    }

    /// Out of the database.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`].
    pub(crate) fn decode(bytes: &Opaque) -> Result<Self, Error> {
        Self::read(bytes.as_bytes()).ok_or_else(|| Error::StoreDamaged {
            reason: "the registration for pushes cannot be read".to_owned(),
            cause: None,
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let ([version, state], rest) = bytes.split_first_chunk()?;
        let (is_awaited, rest) = match *version {
            VERSION => rest.split_first().map(|(is, rest)| (*is != 0, rest))?,
            WITHOUT_TEST => (false, rest),
            _ => return None,
        };
        let (at, rest) = rest.split_first_chunk()?;
        let at = Timestamp::from_millis(i64::from_be_bytes(*at));
        let (missed_count, mut rest) = rest.split_first_chunk()?;
        let missed_count = u32::from_be_bytes(*missed_count);
        let mut texts = Vec::new();
        while !rest.is_empty() {
            let text = core::str::from_utf8(fields::take(&mut rest)?).ok()?;
            texts.push(text.to_owned());
        }
        let mut texts = texts.into_iter();
        let reason = texts.next()?;
        let service = Jid::new(&texts.next()?).ok()?;
        let node = match texts.next()?.as_str() {
            "" => None,
            _ => Some(texts.next()?),
        };
        let mut options = Vec::new();
        while let Some(name) = texts.next() {
            options.push((name, texts.next()?));
        }
        let health = match state {
            0 => PushHealth::Waiting,
            1 => PushHealth::Unsupported,
            2 => PushHealth::Registered { at },
            3 => PushHealth::Proven { at },
            4 => PushHealth::Rejected { reason },
            _ => return None,
        };
        Some(Self {
            target: PushTarget {
                service,
                node,
                options,
            },
            health,
            missed_count,
            is_awaited,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> PushRecord {
        PushRecord::new(PushTarget {
            service: Jid::new("push.app.example").unwrap(),
            node: Some("node-1".to_owned()),
            options: vec![("secret".to_owned(), "pässword".to_owned())],
        })
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_registration_survives_its_bytes_and_its_secret_does_not_print() {
        let record = record();
        let rejected = PushHealth::Rejected {
            reason: "not for you".to_owned(),
        };
        for record in [
            record.clone(),
            record.agreed(at(5)),
            record.proven(at(7)).missed(),
            record.with(PushHealth::Unsupported),
            record.agreed(at(5)).awaited(),
            record.proven(at(7)).failed(),
            record.with(rejected),
            PushRecord::new(PushTarget {
                node: None,
                options: Vec::new(),
                ..record.target.clone()
            }),
        ] {
            assert_eq!(PushRecord::decode(&record.encode()).unwrap(), record);
            assert!(!format!("{record:?}").contains("pässword"));
        }
    }

    #[test]
    fn cut_or_unknown_bytes_are_an_error_and_never_a_panic() {
        let whole = record().agreed(at(5)).encode().as_bytes().to_vec();
        for cut in 0..whole.len() {
            let found = PushRecord::decode(&Opaque::new(&whole[..cut]));
            // A cut between two options leaves a registration with fewer of them, if it leaves one.
            assert!(found.is_err() || cut > 41, "{cut}");
        }
        let mut newer = whole;
        newer[0] = 3;
        let error = PushRecord::decode(&Opaque::new(newer)).unwrap_err();
        assert_eq!(error.code(), "store-damaged");
    }

    #[test]
    fn a_registration_of_a_former_version_is_read() {
        let record = record().proven(at(7)).missed();
        let mut bytes = record.encode().as_bytes().to_vec();
        bytes[0] = WITHOUT_TEST;
        bytes.remove(2);
        assert_eq!(PushRecord::decode(&Opaque::new(bytes)).unwrap(), record);
    }

    #[test]
    fn a_self_test_is_over_with_a_push_and_without_one() {
        let awaited = record().agreed(at(1)).awaited();
        assert!(awaited.is_awaited() && awaited.health() == PushHealth::Registered { at: at(1) });
        let proven = awaited.proven(at(2));
        assert!(!proven.is_awaited());
        let failed = proven.awaited().failed();
        assert!(!failed.is_awaited());
        assert_eq!(failed.health(), PushHealth::Stale);
        assert_eq!(failed.agreed(at(8)).health(), PushHealth::Stale);
        assert_eq!(
            failed.proven(at(9)).health(),
            PushHealth::Proven { at: at(9) }
        );
    }

    #[test]
    fn a_registration_is_proven_by_a_push_and_doubted_when_none_comes() {
        let registered = record().agreed(at(1));
        assert_eq!(registered.health(), PushHealth::Registered { at: at(1) });
        let proven = registered.proven(at(2));
        assert_eq!(
            proven.agreed(at(3)).health(),
            PushHealth::Proven { at: at(2) }
        );
        let doubted = (0..MISSED_MAX).fold(proven, |record, _| record.missed());
        assert_eq!(doubted.health(), PushHealth::Stale);
        assert_eq!(
            doubted.proven(at(9)).health(),
            PushHealth::Proven { at: at(9) }
        );
    }
}
