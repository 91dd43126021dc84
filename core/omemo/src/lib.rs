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
//! | [`device_list_received`], [`device_list()`](device_list), [`own_device_list`], [`reach`] | who has which devices, and how to write to them |
//! | [`TrustPolicy`], [`TrustLevel`], [`set_trust`] | who is trusted, and why |
//! | [`RecordKey`], [`Record`], [`Changes`], [`Records`] | what is persisted |
//! | [`limits`] | every limit with its reason |
//!
//! # Alice writes to Bob
//!
//! ```
//! use eft_omemo::{
//!     InitiateError, Outcome, ReceiveContext, Record, RecordKey, Records, StepError,
//!     TrustPolicy, Version, bundle, encrypt, initiate, install, own_address, permit, receive,
//! };
//! use eft_types::{BareJid, Timestamp};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! // A client draws from the system and reads the clock; this example does neither.
//! let mut rng = ChaCha20Rng::seed_from_u64(1);
//! let now = Timestamp::from_millis(1_800_000_000_000);
//!
//! // Both install. A real view is filled from a store whenever a step says `Missing`; these two hold
//! // everything that there is.
//! let mut alice = Records::new();
//! alice.apply(install(&BareJid::new("alice@a.example")?, &[], now, &mut rng).changes);
//! let mut bob = Records::new();
//! bob.apply(install(&BareJid::new("bob@b.example")?, &[], now, &mut rng).changes);
//! let bobs = own_address(&bob)?;
//!
//! // Alice has fetched Bob's bundle.
//! let fetched = bundle(&bob, Version::Omemo2)?.into_unverified(bobs.clone()).verify()?;
//!
//! // Every step is called until nothing is missing.
//! let effects = loop {
//!     match initiate(&alice, &fetched, now, &mut rng) {
//!         Err(InitiateError::Step(StepError::Missing(keys))) => load(&mut alice, keys),
//!         done => break done?,
//!     }
//! };
//! alice.apply(effects.changes);
//!
//! let device = permit(TrustPolicy::default(), &alice, &bobs)?;
//! let sent = encrypt(&alice, Version::Omemo2, b"<envelope/>", &[device], &mut rng)?;
//! alice.apply(sent.changes); // and commit `alice.take_changes()`, before the message goes out
//!
//! let context = ReceiveContext { catch_up: false, may_evict: true, now };
//! let received = loop {
//!     match receive(&bob, &sent.message, context, &mut rng) {
//!         Err(StepError::Missing(keys)) => load(&mut bob, keys),
//!         done => break done?,
//!     }
//! };
//! let Outcome::Decrypted { plaintext, .. } = &received.outcome else {
//!     panic!("{:?}", received.outcome);
//! };
//! assert_eq!(plaintext.as_bytes(), b"<envelope/>");
//! bob.apply(received.changes); // and commit, together with `received.actions`
//!
//! /// The store of this example is empty.
//! fn load(records: &mut Records, keys: Vec<RecordKey>) {
//!     for key in keys {
//!         records.insert_loaded(key, None::<Record>);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
    Encrypted, Reach, ReceiveContext, bundle, device_list, device_list_received,
    doubt_new_own_devices, encrypt, encrypt_empty, encrypt_needs, finish_catch_up, forget_device,
    has_session, initiate, install, maintain, needs, own_address, own_device_list, own_fingerprint,
    peer_identity, reach, receive, rotate_signed_pre_key,
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
