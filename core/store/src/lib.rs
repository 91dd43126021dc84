//! The encrypted store of Eft: one SQLCipher database per account, and one way to write to it.
//!
//! Not here: any decision about cryptography, trust or protocol; sockets; XML; the clock. The
//! caller brings times, and decides what a message is. No SQL leaves this crate.
//!
//! ```text
//!                 Batch ──► commit (one transaction) ──► Committed
//!   engine records, messages, outbox, actions,               │
//!   archive cursor, stream counters, device log              ▼
//!                                              now it may be spoken (law 1)
//!
//!   load, scan ──► engine      timeline, conversations, outbox, waiting … ──► client
//! ```
#![allow(unused, missing_docs)]

mod batch;
mod committed;
mod error;
mod key;
mod model;
mod omemo;
mod omemo_stand_in;
mod random;
mod secret;
mod store;

pub use batch::{Batch, Durability, MessageUpdate, NewMessageRef, NewOutboxRef};
pub use committed::{Committed, Insertion};
pub use error::{OpenError, StoreError};
pub use key::{StoreKey, StoreKeyError};
pub use model::*;
pub use random::RandomError;
pub use secret::*;
pub use store::{Store, StoreOptions};
