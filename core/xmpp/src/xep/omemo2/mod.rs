//! XEP-0384 0.9: `urn:xmpp:omemo:2`, as it stands on the wire. Bytes and numbers only: what they
//! mean, and whether they are any good, is the engine's business.

mod bundle;
mod device_list;
mod encrypted;
mod opt_out;

pub use bundle::Bundle;
pub use device_list::{DEVICES_ITEM, DeviceList, ListedDevice};
pub use encrypted::{Encrypted, EncryptedKey, Recipient};
pub use opt_out::OptOut;

/// What was read, and how many entries could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What could be read.
    pub value: T,
    /// Entries that were left out: no number, id 0, no base64, duplicates.
    pub rubbish_count: usize,
}

/// Why a bundle or message cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Another element.
    #[error("not the element expected")]
    WrongElement,
    /// A part without which the rest is useless.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// That part cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
}

#[cfg(test)]
mod tests;
