//! What a wake came to.

use crate::error::Error;
use crate::message::Message;

/// Most messages that one wake hands over; a phone shows no more than that at once, and an extension has little memory.
pub const NOTIFICATIONS_MAX: usize = 64;

/// What a wake came to: [`crate::Account::handle_push`].
#[derive(Clone, Debug)]
pub struct WakeOutcome {
    /// What the user is to be told, oldest first; at most [`NOTIFICATIONS_MAX`]. A message stays among them, under the
    /// same id, until [`crate::Account::announced`] says that it was shown, or until it is read: the process may die in
    /// between.
    pub notifications: Vec<Message>,
    /// Whether there are more.
    pub more: bool,
    /// Unread messages of the account.
    pub badge: u32,
    /// Whether everything that the server has for this device is here, and nothing is left to be done.
    pub complete: bool,
    /// Why it ended.
    pub reason: WakeReason,
}

/// Why a wake ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WakeReason {
    /// Nothing more came.
    CaughtUp,
    /// Another process has the account, and shows what comes: the app in the foreground. Nothing was touched.
    HeldElsewhere,
    /// The time was over. The rest comes with the next wake, or when the app is opened.
    Deadline,
    /// There was no connection.
    Failed(Error),
}

impl WakeOutcome {
    pub(crate) const fn aside() -> Self {
        Self {
            notifications: Vec::new(),
            more: false,
            badge: 0,
            complete: false,
            reason: WakeReason::HeldElsewhere,
        }
    }
}
