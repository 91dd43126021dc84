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
//! | [`install`], [`maintain`], [`renew_pre_keys`], [`bundle()`](bundle) | our identity, device id and prekeys |
//! | [`UnverifiedBundle`] → [`VerifiedBundle`] → [`initiate`] | the only way to a session |
//! | [`permit`] → [`TrustedDevice`] → [`encrypt`] | the only way for content to go out |
//! | [`encrypt_empty`] | messages that cannot carry content, and need no trust |
//! | [`needs`], [`receive`], [`finish_catch_up`] | messages coming in |
//! | [`identity_secret`], [`trust_decisions`], [`known_device`] | what an export takes along |
//! | [`install_imported`], [`restore_trust`], [`restore_device`] | what an import makes of it: a new device |
//! | [`retire_sessions`], [`renew_pre_keys`], [`forget_device`] | after a loss: a store from a backup, a key that changed |
//! | [`device_list_received`], [`device_list()`](device_list), [`own_device_list`], [`reach`] | who has which devices, and how to write to them |
//! | [`TrustPolicy`], [`TrustLevel`], [`set_trust`] | who is trusted, and why |
//! | [`RecordKey`], [`Record`], [`Changes`], [`Records`] | what is persisted |
//! | [`FileKey`], [`FileEncryptor`], [`FileVerifier`], [`UnverifiedFile`] | the cipher of files, block by block |
//! | [`limits`] | every limit with its reason |
//!
//! # What the caller does
//!
//! 1. Load what a step asks for ([`needs`], [`encrypt_needs`], `Missing`), and call it again until it has everything.
//! 2. Commit its changes and its actions in one transaction, and only then send, show or answer. A message that goes
//!    out before the commit may be sent again after a crash, under a key that was used.
//! 3. Carry the actions out, after the commit and again after a restart, until they are done; each is idempotent.
//! 4. Bring the elements between XML and [`EncryptedMessage`], [`UnverifiedBundle`], [`DeviceList`], and put content
//!    for omemo:2 into an SCE envelope (XEP-0420), whose affix elements the caller checks.
//! 5. During catch-up, say so in [`ReceiveContext`], and call [`finish_catch_up`] at its end.
//!
//! A step runs in the caller's thread, blocks on nothing, and has a bound on its work ([`limits`]). Whatever the wire
//! or the database holds, the answer is an [`Outcome`] or an error, and then nothing has changed.
//!
//! # Alice writes to Bob, and Bob answers
//!
//! In both versions: what differs is the content, and what the caller makes of it in XML.
//!
//! ```
//! use eft_omemo::{
//!     EncryptedMessage, InitiateError, Outcome, ReceiveContext, Records, RecordKey, StepError,
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
//! let (alices, bobs) = (own_address(&alice)?, own_address(&bob)?);
//!
//! for version in Version::ALL {
//!     // omemo:2 encrypts an SCE envelope (XEP-0420), legacy the text of the body.
//!     let content: &[u8] = match version {
//!         Version::Omemo2 => b"<envelope xmlns='urn:xmpp:sce:1'>...</envelope>",
//!         Version::Legacy => b"Hello, Bob",
//!     };
//!
//!     // Alice has fetched Bob's bundle. Every step is called until nothing is missing.
//!     let fetched = bundle(&bob, version)?.into_unverified(bobs.clone()).verify()?;
//!     let effects = loop {
//!         match initiate(&alice, &fetched, now, &mut rng) {
//!             Err(InitiateError::Step(StepError::Missing(keys))) => load(&mut alice, keys),
//!             done => break done?,
//!         }
//!     };
//!     alice.apply(effects.changes);
//!
//!     // Content goes only to devices that the trust policy lets through.
//!     let device = permit(TrustPolicy::default(), &alice, &bobs)?;
//!     let sent = encrypt(&alice, version, content, &[device], &mut rng)?;
//!     alice.apply(sent.changes); // commit `alice.take_changes()` before the message goes out
//!     assert_eq!(read(&mut bob, &sent.message, now, &mut rng)?, content);
//!
//!     // The session that the message made serves the answer.
//!     let device = permit(TrustPolicy::default(), &bob, &alices)?;
//!     let sent = encrypt(&bob, version, content, &[device], &mut rng)?;
//!     bob.apply(sent.changes);
//!     assert_eq!(read(&mut alice, &sent.message, now, &mut rng)?, content);
//! }
//!
//! fn read(
//!     records: &mut Records,
//!     message: &EncryptedMessage,
//!     now: Timestamp,
//!     rng: &mut ChaCha20Rng,
//! ) -> Result<Vec<u8>, StepError> {
//!     let context = ReceiveContext { catch_up: false, may_evict: true, now };
//!     let received = loop {
//!         match receive(records, message, context, rng) {
//!             Err(StepError::Missing(keys)) => load(records, keys),
//!             done => break done?,
//!         }
//!     };
//!     records.apply(received.changes); // commit them with `received.actions`, then speak of it
//!     match received.outcome {
//!         Outcome::Decrypted { plaintext, .. } => Ok(plaintext.as_bytes().to_vec()),
//!         other => panic!("{other:?}"),
//!     }
//! }
//!
//! /// The store of this example is empty.
//! fn load(records: &mut Records, keys: Vec<RecordKey>) {
//!     for key in keys {
//!         records.insert_loaded(key, None);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Specifications: [XEP-0384](https://xmpp.org/extensions/xep-0384.html) 0.9.1 (`urn:xmpp:omemo:2`) and
//! [0.3.0](https://xmpp.org/extensions/attic/xep-0384-0.3.0.html) (legacy);
//! [X3DH](https://signal.org/docs/specifications/x3dh/),
//! [Double Ratchet](https://signal.org/docs/specifications/doubleratchet/),
//! [XEdDSA](https://signal.org/docs/specifications/xeddsa/); RFC 5869, 7748, 8032;
//! [XEP-0454](https://xmpp.org/extensions/xep-0454.html) 0.1.0 and NIST SP 800-38D for files.

mod action;
mod bundle;
mod crypto;
mod device_list;
mod engine;
mod error;
mod event;
mod file;
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
    Encrypted, KnownDevice, Reach, ReceiveContext, bundle, device_list, device_list_received,
    doubt_new_own_devices, encrypt, encrypt_empty, encrypt_needs, finish_catch_up, forget_device,
    has_session, identity_secret, initiate, install, install_imported, known_device, maintain,
    needs, own_address, own_device_list, own_fingerprint, peer_identity, reach, receive,
    renew_pre_keys, restore_device, retire_sessions, rotate_signed_pre_key, unanswered_count,
};
pub use error::{
    ActionError, BundleError, EncryptError, InitiateError, InstallError, Malformed, RecordError,
    StepError,
};
pub use event::Event;
pub use file::{
    FILE_TAG_BYTES, FileCheckpoint, FileEncryptor, FileError, FileKey, FileKeyError, FileVerifier,
    MAX_FILE_BYTES, Unverified, UnverifiedFile, VerifiedFile,
};
pub use key::{
    Fingerprint, FingerprintError, IdentityKey, IdentityKeyPair, IdentitySecret,
    IdentitySecretError, KeyError, PublicKey,
};
pub use message::{ChainPosition, EncryptedKey, EncryptedMessage};
pub use outcome::{Effects, Outcome, Plaintext, Received};
pub use record::{Changes, Missing, Record, RecordKey, RecordKeyError, RecordKind, Records};
pub use trust::{
    DistrustedBy, KnownKey, NotTrusted, TrustDecisions, TrustLevel, TrustPolicy, TrustedDevice,
    VerifiedBy, known_keys, permit, restore_trust, set_trust, trust_decisions, trust_level,
};
pub use version::Version;
