//! Why a message cannot be read, and what could change that.

use super::{Opaque, stable_codes};

/// Why an encrypted message with a payload has no readable text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadableCause {
    /// An earlier message of the same device has to come first.
    Pending,
    /// No key of it is meant for this device.
    NotForThisDevice,
    /// No session with the sending device.
    NoSession,
    /// Sent before this device existed.
    BeforeThisDevice,
    /// Authentication failed: forged, damaged, or sessions out of step.
    BadMac,
    /// It names a prekey that we do not have.
    UnknownPreKey,
    /// Decrypting it would skip more messages than the limit.
    SkippedTooMany,
    /// Not well-formed.
    Malformed,
    /// Its key was used before: the ratchet has left it behind.
    KeyUsed,
    /// It came under another identity key than the one its device is known by.
    IdentityChanged,
    /// The keys fit, and the payload is not the one that was sent with them.
    BadPayload,
    /// Encrypted in a way that we recognise and do not speak (OpenPGP, OTR, a newer OMEMO); named
    /// by the detail.
    ForeignEncryption,
    /// Stands for several failures of one sender and day; see
    /// [`Message::folded_count`](super::Message::folded_count).
    Folded,
    /// Anything else, told by the detail.
    Other,
}

stable_codes!(UnreadableCause {
    Pending = 1,
    NotForThisDevice = 2,
    NoSession = 3,
    BeforeThisDevice = 4,
    BadMac = 5,
    UnknownPreKey = 6,
    SkippedTooMany = 7,
    Malformed = 8,
    KeyUsed = 9,
    ForeignEncryption = 10,
    IdentityChanged = 11,
    BadPayload = 12,
    Folded = 100,
    Other = 101,
});

impl UnreadableCause {
    /// Whether messages with this cause are counted against the limit per sender and day. Pending
    /// ones are not failures yet; the engine bounds their number.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Pending)
    }
}

/// The event after which an unreadable message is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryTrigger {
    /// A commit that moved a session with the sending device.
    SessionMoved,
    /// Every archive was read to its end: nothing earlier can come any more.
    ArchivesAtEnd,
    /// A trust decision about the sending device.
    TrustChanged,
    /// A newer version of this software.
    Upgrade,
}

stable_codes!(RetryTrigger {
    SessionMoved = 1,
    ArchivesAtEnd = 2,
    TrustChanged = 3,
    Upgrade = 4,
});

/// An encrypted message that cannot be read (yet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub cause: UnreadableCause,
    /// For the technically minded: a counter, a namespace. Never content.
    pub detail: Option<String>,
    /// The encrypted element, kept while the outcome can still improve.
    pub ciphertext: Option<Opaque>,
    /// When to try again; `None` if nothing can change it.
    pub retry: Option<RetryTrigger>,
}

impl Unreadable {
    /// A failure that nothing can improve: keeps no ciphertext.
    #[must_use]
    pub const fn for_good(cause: UnreadableCause) -> Self {
        Self {
            cause,
            detail: None,
            ciphertext: None,
            retry: None,
        }
    }

    /// A failure that `trigger` may improve.
    #[must_use]
    pub const fn until(cause: UnreadableCause, trigger: RetryTrigger, ciphertext: Opaque) -> Self {
        Self {
            cause,
            detail: None,
            ciphertext: Some(ciphertext),
            retry: Some(trigger),
        }
    }
}
