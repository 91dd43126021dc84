//! What goes into the store and what comes out: plain values, no SQL.
//!
//! Numbers of persisted enums are stable: a number is never given a second meaning.

mod account;
mod archive;
mod conversation;
mod delivery;
mod device_log;
mod import;
mod intake;
mod message;
mod opaque;
mod outbox;
mod outcome;
mod stream;
mod timeline;

pub use account::{Account, Credential};
pub use archive::{
    ArchiveCursor, ArchiveId, ArchivePoint, ArchiveProgress, ArchiveRange, OlderHistory,
};
pub use conversation::{
    Conversation, ConversationEncryption, ConversationKind, ConversationRef, ConversationSummary,
    OptOut,
};
pub use delivery::{DeliveryState, SendFailure};
pub use device_log::{DeviceEvent, DeviceEventKind};
pub(crate) use import::{ImportedArchive, ImportedMessage, StanzaIdAndTime};
pub(crate) use intake::IntakeKind;
pub use intake::{Intake, IntakeEntry, IntakeId};
pub use message::{
    Content, Direction, Message, MessageEncryption, NewMessage, Plaintext, SenderTrust,
};
pub use opaque::Opaque;
pub use outbox::{NewOutboxEntry, OutboxContent, OutboxEntry, OutboxId};
pub use outcome::{RetryTrigger, Unreadable, UnreadableCause};
pub use stream::StreamState;
pub use timeline::{Place, TimelineKey, TimelineKeyError, TimelineSlice};

/// Gives a persisted enum its two directions from one list, so that they cannot disagree.
macro_rules! stable_codes {
    ($name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl $name {
            /// The number under which this value is stored.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }

            /// The value stored under a number; `None` for a number this version does not know.
            pub(crate) const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use stable_codes;
