//! What the engine persists: each record is a row of its own in the caller's store.
//!
//! | Module | Noun |
//! |---|---|
//! | `key` | [`RecordKey`]: the name of a row |
//! | `body` | [`Record`]: its content, typed, with a version byte in front when encoded |
//! | `changes` | [`Changes`]: rows to write and delete |
//! | `records` | [`Records`]: the view that steps read through |

mod account;
mod body;
mod changes;
mod codec;
mod key;
mod peer;
mod records;

pub(crate) use account::{AccountRecord, PreKeyRecord, PreKeysRecord, SignedPreKeyRecord};
#[cfg(test)]
pub(crate) use body::Body;
pub use body::Record;
pub(crate) use body::Stored;
pub use changes::Changes;
pub(crate) use codec::{device_id, signature, timestamp, to_bytes};
pub use key::{RecordKey, RecordKeyError, RecordKind};
pub(crate) use peer::{DeviceListRecord, DeviceRecord};
pub use records::{Missing, Records};

#[cfg(test)]
mod tests;
