//! One message of a conversation, as the app shows it.

use eft_store::UnreadableCause;
use eft_types::{BareJid, DeviceId, MessageId, OriginId, Timestamp};

/// A message in a timeline.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Names the message within this device's store.
    pub id: MessageId,
    /// The other side of the conversation.
    pub conversation: BareJid,
    /// Who wrote it: the peer, or our own account.
    pub sender: BareJid,
    /// Which device of the sender, where known.
    pub sender_device: Option<DeviceId>,
    /// Whether this account wrote it, on this device or another.
    pub outgoing: bool,
    /// The id that its sender gave it.
    pub origin_id: Option<OriginId>,
    /// When it was sent, as the server or the sender's clock says.
    pub sent_at: Timestamp,
    /// What is in it.
    pub content: Content,
    /// How it travelled.
    pub encryption: Encryption,
    /// How far an outgoing message of this device is; `None` for all others.
    pub delivery: Option<Delivery>,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The text is left out: a log line is a public act.
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("outgoing", &self.outgoing)
            .field("encryption", &self.encryption)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// What a message holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, as the sender wrote it.
    Text(String),
    /// The message could not be read; why, and whether that can change.
    Unreadable(Unreadable),
}

impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Unreadable(why) => f.debug_tuple("Unreadable").field(why).finish(),
        }
    }
}

/// How a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// In the clear.
    None,
    /// `urn:xmpp:omemo:2`.
    Omemo2,
    /// `eu.siacs.conversations.axolotl`.
    OmemoLegacy,
}

impl Encryption {
    /// Short name for people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Omemo2 => "omemo:2",
            Self::OmemoLegacy => "omemo:legacy",
        }
    }
}

/// How far an outgoing message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// On disk, not yet encrypted.
    Queued,
    /// Encrypted; the bytes are fixed.
    Encrypted,
    /// Handed to the connection.
    Sent,
    /// The server has it.
    Acked,
    /// A device of the peer has it (XEP-0184).
    Delivered,
    /// The peer has seen it (XEP-0333).
    Displayed,
    /// It will not be sent without the user's doing.
    Failed {
        /// Stable code of the reason, as [`crate::Error::code`].
        reason: String,
    },
}

/// Why a message cannot be read. It stands in the timeline all the same (law 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    code: &'static str,
    text: &'static str,
    /// Whether Eft keeps the ciphertext and will try again by itself.
    pub may_improve: bool,
    /// How many messages this entry stands for: more than one only where failures of one device
    /// were folded together.
    pub count: u32,
}

impl Unreadable {
    pub(crate) fn new(cause: UnreadableCause, may_improve: bool, count: u32) -> Self {
        let (code, text) = describe(cause);
        Self {
            code,
            text,
            may_improve,
            count: count.max(1),
        }
    }

    /// Stable name of the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text)
    }
}

/// Code and sentence of each cause.
const fn describe(cause: UnreadableCause) -> (&'static str, &'static str) {
    match cause {
        UnreadableCause::Pending => ("pending", "waits for an earlier message of the same device"),
        UnreadableCause::NotForThisDevice => (
            "not-for-this-device",
            "it was not encrypted for this device",
        ),
        UnreadableCause::NoSession => ("no-session", "there is no session with the sending device"),
        UnreadableCause::BeforeThisDevice => (
            "before-this-device",
            "it was sent before this device existed",
        ),
        UnreadableCause::BadMac => ("bad-mac", "it is forged, damaged, or of a lost session"),
        UnreadableCause::UnknownPreKey => (
            "unknown-pre-key",
            "it was made for a prekey that this device does not have",
        ),
        UnreadableCause::SkippedTooMany => (
            "skipped-too-many",
            "too many messages before it never arrived",
        ),
        UnreadableCause::BadPayload => (
            "bad-payload",
            "its content is not the one that was sent with it",
        ),
        UnreadableCause::IdentityChanged => (
            "identity-changed",
            "the sending device shows another identity key than before",
        ),
        UnreadableCause::Malformed => ("malformed", "it is not well-formed"),
        UnreadableCause::KeyUsed => ("key-used", "its key was used already"),
        UnreadableCause::ForeignEncryption => (
            "foreign-encryption",
            "it is encrypted in a way that Eft does not speak",
        ),
        UnreadableCause::Folded => ("folded", "many messages of this device could not be read"),
        UnreadableCause::Other => ("other", "it could not be read"),
    }
}
