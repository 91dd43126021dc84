//! What became of a received message.

use core::fmt;

use eft_types::DeviceAddress;
use zeroize::Zeroizing;

use crate::{Action, Changes, Event, Fingerprint, Malformed, TrustLevel};

/// Everything one step over a received message has to say. Speak of the outcome only after the changes are
/// committed, together with the actions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Received {
    /// What became of the message.
    pub outcome: Outcome,
    /// What to write. Empty unless the message was decrypted.
    pub changes: Changes,
    /// What to do next.
    pub actions: Vec<Action>,
    /// What to tell.
    pub events: Vec<Event>,
}

/// The effects of a step other than receiving.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Effects {
    /// What to write.
    pub changes: Changes,
    /// What to do next.
    pub actions: Vec<Action>,
    /// What to tell.
    pub events: Vec<Event>,
}

/// Decrypted bytes: for omemo:2 an SCE envelope, for legacy body text. Nothing has checked that they are
/// XML or UTF-8. Silent in `Debug`, zeroized on drop.
///
/// Source: XEP-0384 §4.5; 0.3.0, "Receiving a message".
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    pub(crate) const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.0.len())
    }
}

/// What became of a received message.
///
/// Source: XEP-0384 §5.6 and §6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Content, authenticated as coming from this device.
    Decrypted {
        /// The content.
        plaintext: Plaintext,
        /// The device that sent it.
        device: DeviceAddress,
        /// Its key.
        fingerprint: Fingerprint,
        /// What is thought of that key. Content from an untrusted key is decrypted all the same; show it
        /// as such.
        trust: TrustLevel,
    },
    /// An empty message: state moved on, nothing to show.
    Empty {
        /// The device that sent it.
        device: DeviceAddress,
    },
    /// Decrypted before. Ordinary; to be ignored silently.
    ///
    /// A message whose key was thrown away looks the same. [`Event::SkippedKeysEvicted`] told of it, and
    /// [`ReceiveContext::may_evict`](crate::ReceiveContext) prevents it.
    Duplicate,
    /// Another message of the same place in the sender's chain was decrypted before, and its key is gone with it: this
    /// one is lost. The sending device exists twice (a restored backup, a cloned store), or someone on the way changed a
    /// message that we have read; which of the two cannot be told without the key. [`Event::TwoRatchetsSeen`] comes with it.
    ///
    /// This is noticed among the last [`SEEN_MESSAGES`](crate::limits::SEEN_MESSAGES); before those, a message looks
    /// like a [`Outcome::Duplicate`].
    KeyUsed,
    /// No key for our device. With a payload the user should know; without, ignore it.
    NotForThisDevice,
    /// Sent by this very device and reflected by a room or an archive.
    FromThisDevice,
    /// The device has no session with us, and the message makes none. An action asks for one; this message
    /// stays unreadable.
    NoSession,
    /// A key exchange for a prekey that we do not hold (any more).
    UnknownPreKey {
        /// The prekey asked for.
        id: u32,
    },
    /// A key exchange for a signed prekey that we do not hold (any more).
    UnknownSignedPreKey {
        /// The signed prekey asked for.
        id: u32,
    },
    /// A key exchange under another identity key than the one the device is known by.
    IdentityChanged {
        /// The key it is known by.
        known: Fingerprint,
        /// The key it came under.
        found: Fingerprint,
    },
    /// Not authentic, or of a session or chain that is gone.
    BadMac,
    /// The message is for us and authentic as far as its session goes, but its payload is not the one that
    /// was sent with it.
    BadPayload,
    /// The message lies further ahead than the limit. It can be decrypted once messages between have been.
    SkippedTooMany {
        /// Messages it would skip.
        got: u32,
        /// Most that one may skip.
        max: u32,
    },
    /// Decrypting it would throw away keys of messages that may still arrive, and the context forbade that.
    /// It can be decrypted once some of those have been.
    WouldEvict {
        /// Keys that would be lost.
        count: u32,
    },
    /// Not a message.
    Malformed(Malformed),
}

impl Outcome {
    /// Whether the message may be decrypted by calling again after others were decrypted.
    #[must_use]
    pub const fn may_improve(&self) -> bool {
        matches!(self, Self::SkippedTooMany { .. } | Self::WouldEvict { .. })
    }
}
