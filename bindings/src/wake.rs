//! What a push came to.

use crate::message::Message;

/// What a wake came to: `Account.handle_push`.
#[derive(Clone, Debug, uniffi::Record)]
pub struct WakeOutcome {
    /// What the user is to be told, oldest first, 64 at most. A message stays among them, under the same id, until
    /// `Account.announced` says that it was shown, or until it is read: the process may die in between.
    pub notifications: Vec<Message>,
    /// Whether there are more: `Account.announcements` has them.
    pub more: bool,
    /// Unread messages of the account.
    pub badge: u32,
    /// Whether everything that the server has for this device is here, and nothing is left to be done.
    pub complete: bool,
    /// Why it ended.
    pub reason: WakeReason,
}

/// Why a wake ended.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum WakeReason {
    /// Nothing more came.
    CaughtUp,
    /// Another process has the account, and shows what comes: the app in the foreground. Nothing was touched.
    HeldElsewhere,
    /// The time was over. The rest comes with the next wake, or when the app is opened.
    Deadline,
    /// There was no connection.
    Failed {
        /// Stable code of the reason.
        code: String,
        /// The reason for a log.
        reason: String,
        /// Whether another try can do better without the user doing anything.
        retryable: bool,
    },
}

impl From<::eft::WakeOutcome> for WakeOutcome {
    fn from(outcome: ::eft::WakeOutcome) -> Self {
        Self {
            notifications: outcome.notifications.into_iter().map(Into::into).collect(),
            more: outcome.more,
            badge: outcome.badge,
            complete: outcome.complete,
            reason: outcome.reason.into(),
        }
    }
}

impl From<::eft::WakeReason> for WakeReason {
    fn from(reason: ::eft::WakeReason) -> Self {
        match reason {
            ::eft::WakeReason::CaughtUp => Self::CaughtUp,
            ::eft::WakeReason::HeldElsewhere => Self::HeldElsewhere,
            ::eft::WakeReason::Failed(error) => Self::Failed {
                code: error.code().to_owned(),
                reason: error.to_string(),
                retryable: error.retryable(),
            },
            // Also what a newer core may add: whoever tries again misses nothing.
            _ => Self::Deadline,
        }
    }
}
