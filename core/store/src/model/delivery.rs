//! How far an outgoing message has come.

use super::stable_codes;

/// Progress of an outgoing message. It only moves forward: a receipt that overtakes the server's
/// ack is not undone by it. The one way back is a new attempt after `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Written down, waiting for a stream or for keys.
    Queued,
    /// Encrypted; its bytes are fixed in the outbox.
    Encrypted,
    /// Handed to a stream.
    Sent,
    /// The server has it (XEP-0198, or its reflection from an archive or room).
    Acked,
    /// A device of the recipient has it (XEP-0184).
    Delivered,
    /// The recipient has seen it (XEP-0333).
    Displayed,
    /// It did not go out, or was refused.
    Failed {
        /// Why.
        reason: SendFailure,
        /// For the technically minded: a stanza error condition, a count. Never content.
        detail: Option<String>,
    },
}

/// Why a message did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendFailure {
    /// No device to encrypt to.
    NoRecipients,
    /// A device that trust policy does not pass.
    NotTrusted,
    /// Keys of a device could not be had.
    MissingBundle,
    /// Larger than the server or we allow.
    TooLarge,
    /// Refused by a server or by the recipient (stanza error).
    Refused,
    /// Given up by the user.
    Cancelled,
    /// Anything else, told by the detail.
    Other,
    /// The recipient wishes no more encrypted messages, and the user has not answered that.
    OptedOut,
}

stable_codes!(SendFailure {
    NoRecipients = 1,
    NotTrusted = 2,
    MissingBundle = 3,
    TooLarge = 4,
    Refused = 5,
    Cancelled = 6,
    Other = 7,
    OptedOut = 8,
});

impl DeliveryState {
    /// The number under which this state is stored. Forward is upward.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Queued => 1,
            Self::Encrypted => 2,
            Self::Sent => 3,
            Self::Acked => 4,
            Self::Delivered => 5,
            Self::Displayed => 6,
            Self::Failed { .. } => FAILED,
        }
    }

    /// Puts a state together from its columns; `None` for numbers this version does not know.
    pub(crate) fn from_columns(
        code: u8,
        reason: Option<u8>,
        detail: Option<String>,
    ) -> Option<Self> {
        Some(match code {
            1 => Self::Queued,
            2 => Self::Encrypted,
            3 => Self::Sent,
            4 => Self::Acked,
            5 => Self::Delivered,
            6 => Self::Displayed,
            FAILED => Self::Failed {
                reason: SendFailure::from_code(reason?)?,
                detail,
            },
            _ => return None,
        })
    }

    /// Whether a message in this state may enter `next`.
    ///
    /// A failure counts until somebody confirmed the message; after that an error stanza is only
    /// about one of several devices.
    #[must_use]
    pub const fn may_become(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Failed { .. }, _) => true,
            (_, Self::Failed { .. }) => self.code() < Self::Delivered.code(),
            _ => next.code() > self.code(),
        }
    }
}

const FAILED: u8 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> DeliveryState {
        DeliveryState::Failed {
            reason: SendFailure::Refused,
            detail: None,
        }
    }

    #[test]
    fn progress_never_goes_back() {
        use DeliveryState::*;
        let order = [Queued, Encrypted, Sent, Acked, Delivered, Displayed];
        for (i, from) in order.iter().enumerate() {
            for (j, to) in order.iter().enumerate() {
                assert_eq!(from.may_become(to), j > i, "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn failure_is_left_by_a_new_attempt_and_not_entered_after_a_receipt() {
        assert!(failed().may_become(&DeliveryState::Queued));
        assert!(DeliveryState::Acked.may_become(&failed()));
        assert!(!DeliveryState::Delivered.may_become(&failed()));
        assert!(!DeliveryState::Displayed.may_become(&failed()));
    }

    #[test]
    fn every_state_survives_its_columns() {
        use DeliveryState::*;
        for state in [
            Queued,
            Encrypted,
            Sent,
            Acked,
            Delivered,
            Displayed,
            failed(),
        ] {
            let reason = match &state {
                Failed { reason, .. } => Some(reason.code()),
                _ => None,
            };
            assert_eq!(
                DeliveryState::from_columns(state.code(), reason, None),
                Some(state)
            );
        }
        assert_eq!(DeliveryState::from_columns(99, None, None), None);
        assert_eq!(DeliveryState::from_columns(100, None, None), None);
    }
}
