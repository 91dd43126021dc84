//! The encrypted store of Eft: one SQLCipher database per account, and one way to write to it.
//!
//! Not here: any decision about cryptography, trust or protocol; sockets; XML; the clock. The
//! caller brings times, and decides what a message is. No SQL leaves this crate.
//!
//! ```text
//!   engine records, messages, outbox, actions,
//!   archive cursor, stream counters, device log
//!        │
//!        ▼
//!      Batch ──► Store::commit, one transaction ──► Committed: now it may be spoken (law 1)
//!
//!   load, scan ──► engine           timeline, conversations, outbox, waiting, … ──► client
//! ```
//!
//! | Where | What |
//! |---|---|
//! | [`Store`] | opening, [`Store::commit`], the reads |
//! | [`Batch`], [`Committed`], [`Durability`] | what one step changes, and what became of it |
//! | `model` | messages, conversations, outbox, archives, as plain values |
//! | [`StoreKey`], [`SecretStore`] | the key of a database, and where it is kept |
//! | [`TimelineWatch`] | what changed in a list that is on a screen |
//! | [`Lease`], [`Generation`], [`Rollback`] | which process may write, and whether the database is an older copy |
//! | [`Store::export`], [`Store::import`], [`mod@export`] | the history in one encrypted file |
//! | [`limits`] | limits with their reasons |
//! | `migrations` | the schema, in numbered files |
//! | `cipher_provider` | SQLCipher's cryptography, from RustCrypto; with `unsafe` |
//! | `lease::mapped` | the lease's file as shared memory, with `unsafe` |
//!
//! ```
//! use eft_store::{
//!     Batch, Content, ConversationRef, Durability, Insertion, MemorySecretStore, NewMessage,
//!     Plaintext, SecretName, Store, StoreOptions,
//! };
//! use eft_types::{BareJid, OriginId, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let (own, juliet) = (BareJid::new("romeo@montague.example")?, BareJid::new("juliet@capulet.example")?);
//! let secrets = MemorySecretStore::new();
//! let store = Store::create_with_secret(
//!     &folder.path().join("romeo.db"),
//!     &secrets,
//!     &SecretName::new("romeo")?,
//!     &own,
//!     &StoreOptions::app(),
//! )?;
//!
//! let mut message = NewMessage::incoming(
//!     ConversationRef::direct(juliet.clone()),
//!     juliet.clone().into(),
//!     Content::Readable(Plaintext::text("Art thou not Romeo?")),
//!     Timestamp::from_millis(0),
//! );
//! message.origin_id = Some(OriginId::new("1"));
//! let mut batch = Batch::new();
//! batch.insert_message(message.clone());
//! batch.insert_message(message);
//! let committed = store.commit(&batch, Durability::Full)?;
//! assert!(matches!(
//!     committed.messages(),
//!     [Insertion::Inserted(first), Insertion::Duplicate(again)] if first == again
//! ));
//! assert_eq!(store.timeline(&juliet, None, 50)?.len(), 1);
//! # Ok(())
//! # }
//! ```

mod batch;
mod cipher_provider;
mod commit;
mod committed;
mod connection;
mod diagnose;
mod error;
pub mod export;
mod files;
mod key;
mod lease;
pub mod limits;
mod migrate;
mod model;
mod omemo;
mod options;
mod random;
mod read;
mod salvage;
mod search;
mod secret;
mod store;

pub use batch::{Batch, Durability, MessageUpdate, NewMessageRef, NewOutboxRef};
pub use committed::{Committed, Insertion};
pub use error::{OpenError, StoreError};
pub use export::{
    ExportError, ExportOptions, Exported, IdentityKeyFate, ImportError, Imported, Progress,
    ProgressStep,
};
pub use key::{StoreKey, StoreKeyError};
pub use lease::{Generation, Lease, LeaseError, Rollback};
pub use migrate::KNOWN_VERSION as SCHEMA_VERSION;
pub use model::*;
pub use options::StoreOptions;
pub use random::RandomError;
pub use secret::*;
pub use store::{
    Rebuilt, RekeyError, Store, TimelineChange, TimelineWatch, WriteMark, WriterReads,
};
