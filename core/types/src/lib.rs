//! Words that every layer of Eft shares. Parsing and display only.
//!
//! Not here: any wire format, any cryptography, any clock.
//!
//! | Module | Word |
//! |---|---|
//! | [`device`] | [`DeviceId`], [`DeviceAddress`] (XEP-0384) |
//! | [`time`] | [`Timestamp`]: milliseconds since the Unix epoch |
//! | [`id`] | [`OriginId`], [`StanzaId`] (XEP-0359), [`MessageId`] |
//!
//! Addresses are those of RFC 7622, from the `jid` crate: [`BareJid`], [`FullJid`], [`Jid`].

pub mod device;
pub mod id;
pub mod time;

pub use device::{DeviceAddress, DeviceId, DeviceIdError};
pub use id::{MessageId, OriginId, StanzaId};
pub use jid::{BareJid, FullJid, Jid};
pub use time::Timestamp;
