//! What Kotlin and Swift see of Eft: exported types, conversions, the public error, observers.
//!
//! Not here: behaviour. Whatever these exports do, the crate `eft` does; a change of what Eft does
//! never belongs in this crate. The facades in `android/` and `ios/` make it idiomatic.
//!
//! | Module | Exports |
//! |---|---|
//! | [`eft`] | [`Eft`]: opens the data folder |
//! | [`account`] | [`Account`]: one login, its devices, contacts and events |
//! | [`connection`] | how the server is reached, and how that went |
//! | [`conversation`] | [`Conversation`]: sending, and the timeline |
//! | [`message`] | records of messages |
//! | [`device`] | records of devices and trust |
//! | [`event`] | [`Event`], [`AccountObserver`], [`Subscription`] |
//! | [`push`], [`push_test`] | where the server is to push, and whether pushes arrive |
//! | [`rebuilt`] | what is left of an account whose database could not be used |
//! | [`report`] | why push, OMEMO or login does not work |
//! | [`transfer`] | the history in one encrypted file |
//! | [`wake`] | what a push came to |
//! | [`network`] | [`Network`]: a resolver and a judge of certificates of the host's, pins, a proxy, WebSocket |
//! | [`secret_store`] | [`SecretStore`]: the platform's keychain, implemented by the host |
//! | [`host`] | [`HostError`]: what the host's code throws |
//! | [`error`] | [`EftError`], [`KeyFault`] |
//! | [`input`] | what a user types, checked and in its one spelling |
//!
//! Every async export may be awaited on any executor: the core runs on threads of its own. Dropping
//! the future (cancelling the coroutine or task) gives up waiting and never leaves work half done.

pub mod account;
pub mod connection;
pub mod conversation;
pub mod device;
pub mod eft;
pub mod error;
pub mod event;
pub mod host;
pub mod input;
pub mod message;
mod names;
pub mod network;
pub mod push;
pub mod push_test;
pub mod rebuilt;
pub mod report;
pub mod secret_store;
pub mod transfer;
pub mod wake;

pub use account::{Account, Contact};
pub use connection::{ConnectOptions, ServerAddress, SessionInfo};
pub use conversation::{
    Conversation, ConversationSummary, LoadedHistory, TimelineGap, TimelinePage,
};
pub use device::{Device, Trust};
pub use eft::Eft;
pub use error::{EftError, KeyFault};
pub use event::{AccountObserver, Event, Subscription};
pub use host::HostError;
pub use input::{bare_jid_of, fingerprint_of, text_max_bytes, timeline_page_max};
pub use message::{Content, Delivery, Encryption, Message};
pub use network::{
    AddressReply, CertificateProblem, CertificateVerifier, Network, Proxy, ProxyLogin, Resolver,
    SrvRecord, SrvReply, VerdictReply, WebSocketUse,
};
pub use push::{PushHealth, PushOption, PushTarget};
pub use push_test::{PushLeg, PushObstacle, PushTest};
pub use rebuilt::RebuiltAccount;
pub use report::{Report, ReportArea, ReportFact, ReportProblem};
pub use secret_store::{SecretStore, SecretStoreError};
pub use transfer::{ExportedHistory, IdentityKey};
pub use wake::{WakeOutcome, WakeReason};

uniffi::setup_scaffolding!("eft");
