//! The OMEMO engine of Eft: both protocols, one Double Ratchet, no side effects.
//!
//! Not here: XML, base64, sockets, a database, a clock, a source of randomness, threads. The caller hands in
//! records, time and randomness, and gets back what to show, what to save and what to do next. Nothing is
//! changed in place and nothing has happened until the caller commits the changes.
//!
//! ```text
//!               needs()                     receive()
//!   element ──► record names ──► Records ──► Received { outcome, changes, actions, events }
//!                    ▲              │                       │
//!                    └── store ◄────┴─── one commit ◄───────┘
//! ```
//!
//! | Module | Noun |
//! |---|---|
//! | [`install`], [`maintain`], [`bundle()`](bundle) | our identity, device id and prekeys |
//! | [`UnverifiedBundle`] → [`VerifiedBundle`] → [`initiate`] | the only way to a session |
//! | [`permit`] → [`TrustedDevice`] → [`encrypt`] | the only way for content to go out |
//! | [`encrypt_empty`] | messages that cannot carry content, and need no trust |
//! | [`needs`], [`receive`], [`finish_catch_up`] | messages coming in |
//! | [`device_list_received`], [`own_device_list`], [`reach`] | who has which devices |
//! | [`TrustPolicy`], [`TrustLevel`], [`set_trust`] | who is trusted, and why |
//! | [`RecordKey`], [`Record`], [`Changes`], [`Records`] | what is persisted |
//! | [`limits`] | every limit with its reason |
//!
//! Specifications: [XEP-0384](https://xmpp.org/extensions/xep-0384.html) 0.9.1 (`urn:xmpp:omemo:2`) and
//! [0.3.0](https://xmpp.org/extensions/attic/xep-0384-0.3.0.html) (legacy);
//! [X3DH](https://signal.org/docs/specifications/x3dh/),
//! [Double Ratchet](https://signal.org/docs/specifications/doubleratchet/),
//! [XEdDSA](https://signal.org/docs/specifications/xeddsa/); RFC 5869, 7748, 8032.

mod action;
mod bundle;
mod crypto;
mod device_list;
mod engine;
mod error;
mod event;
mod key;
pub mod limits;
mod message;
mod outcome;
mod payload;
mod profile;
mod record;
mod session;
#[cfg(test)]
mod testing;
mod trust;
mod version;
mod wire;
mod x3dh;

pub use action::{Action, EmptyReason};
pub use bundle::{Bundle, UnverifiedBundle, VerifiedBundle};
pub use device_list::{DeviceLabel, DeviceList, ListedDevice};
pub use engine::{
    Encrypted, Reach, ReceiveContext, bundle, device_list, device_list_received, encrypt,
    encrypt_empty, encrypt_needs, finish_catch_up, forget_device, has_session, initiate, install,
    maintain, needs, own_address, own_device_list, own_fingerprint, peer_identity, reach, receive,
    rotate_signed_pre_key,
};
pub use error::{
    ActionError, BundleError, EncryptError, InitiateError, Malformed, RecordError, StepError,
};
pub use event::Event;
pub use key::{Fingerprint, FingerprintError, IdentityKey, IdentityKeyPair, KeyError, PublicKey};
pub use message::{ChainPosition, EncryptedKey, EncryptedMessage};
pub use outcome::{Effects, Outcome, Plaintext, Received};
pub use record::{Changes, Missing, Record, RecordKey, RecordKeyError, RecordKind, Records};
pub use trust::{
    DistrustedBy, KnownKey, NotTrusted, TrustLevel, TrustPolicy, TrustedDevice, VerifiedBy,
    known_keys, permit, set_trust, trust_level,
};
pub use version::Version;
