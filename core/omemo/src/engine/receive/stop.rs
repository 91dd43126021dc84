//! Why a message is not decrypted.

use crate::payload::OpenError;
use crate::session::DecryptError;
use crate::{Malformed, Outcome, StepError};

/// A stop on the way: the message is not decrypted, or records are lacking.
pub(super) enum Stop {
    Outcome(Outcome),
    Step(StepError),
}

impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<Outcome> for Stop {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl From<DecryptError> for Stop {
    fn from(error: DecryptError) -> Self {
        Self::Outcome(match error {
            DecryptError::Duplicate => Outcome::Duplicate,
            // Nothing that an honest device sends costs that much.
            DecryptError::BadMac | DecryptError::TooMuchWork => Outcome::BadMac,
            DecryptError::Padding => Outcome::Malformed(Malformed::KeyMaterial),
            DecryptError::SkippedTooMany { got, max } => Outcome::SkippedTooMany { got, max },
        })
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::Outcome(match error {
            OpenError::NotAuthentic => Outcome::BadPayload,
            OpenError::Malformed(malformed) => Outcome::Malformed(malformed),
        })
    }
}
