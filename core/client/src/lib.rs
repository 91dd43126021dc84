//! Eft: the engine inside a native XMPP chat app.
//!
//! Not here: a user interface; calls; a push server; an XMPP server. No protocol or cryptography of
//! its own either: this crate joins the session (`eft-xmpp`), the OMEMO engine (`eft-omemo`) and
//! the encrypted store (`eft-store`), and brings the clock and the randomness.
//!
//! ```text
//!   bytes ─► xmpp ─► Stanza ─► pump ─► omemo engine ─► Outcome ─► store.commit ─► Event ─► the app
//!                               ▲                                      │
//!                               └── Command ◄── Account, Conversation  └─► only now: ack, answer, send
//! ```
//!
//! | Module | Holds |
//! |---|---|
//! | [`Eft`] | the data folder and its accounts |
//! | [`Account`] | one login: connecting, devices, trust, events |
//! | [`Conversation`] | sending, and the timeline |
//! | [`network`] | resolver, certificates, proxy, WebSocket: what replaces a part of how connections are made |
//! | [`Report`] | why push, OMEMO or login does not work |
//! | `pump` | the account's thread: the only one that moves ratchets and speaks to the server |
//! | `unit` | one unit of work: read, compute, commit, then speak |
//! | `translate` | the only place that knows the words of two layers |
//!
//! Futures of this crate need no particular executor: an account has threads of its own.

mod account;
mod address;
mod clock;
mod command;
mod config;
mod contact;
mod conversation;
mod credential;
mod devices;
mod eft;
mod error;
mod event;
mod fields;
mod folder;
mod identity;
mod keys;
mod message;
pub mod network;
mod pump;
mod push;
mod push_test;
mod reader;
mod rebuilt;
mod report;
mod session_info;
mod summary;
mod timeline;
mod transfer;
mod translate;
mod trust;
mod unit;
mod wake;

pub use account::Account;
pub use config::{Config, ConnectOptions, Credentials, ServerAddress};
pub use contact::Contact;
pub use conversation::{Conversation, TEXT_MAX_BYTES, TIMELINE_PAGE_MAX};
pub use eft::Eft;
pub use error::{Cause, Error, KeyFault};
pub use event::{CatchUpProgress, ConnectionState, Event, Events};
pub use message::{Content, Delivery, Encryption, Message, Unreadable};
pub use push::{PushHealth, PushTarget};
pub use push_test::{PushLeg, PushObstacle, PushTest};
pub use rebuilt::RebuiltAccount;
pub use report::{
    ArchiveReport, ConnectionReport, DatabaseReport, DeviceListing, EncryptionReport, Fact,
    Failure, LinkState, LoginReport, MessagesReport, Problem, PublishedReport, PushReport, Report,
    ReportArea, ServerReport, SessionReport, VersionReport,
};
pub use session_info::SessionInfo;
pub use summary::ConversationSummary;
pub use timeline::{LoadedHistory, TimelineGap, TimelineKey, TimelinePage};
pub use transfer::{ExportedHistory, IdentityKey};
pub use trust::{DeviceInfo, Trust};
pub use wake::{NOTIFICATIONS_MAX, WakeOutcome, WakeReason};

pub use eft_omemo::{DistrustedBy, Fingerprint, TrustLevel, VerifiedBy};
#[cfg(feature = "keyring")]
pub use eft_store::KeyringSecretStore;
pub use eft_store::{
    FileSecretStore, MemorySecretStore, OptOut, SecretError, SecretName, SecretStore, StoreKeyError,
};
pub use eft_types::{BareJid, DeviceAddress, DeviceId, Jid, MessageId, OriginId, Timestamp};
