//! The history in one encrypted file, and back out of it on another device.

/// What an export takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum IdentityKey {
    /// The identity key stays here: the new device has one of its own, and contacts are told of it.
    Stays,
    /// It goes along, in the file. **The user has to say that this device is gone, or will be**: from the import on, the account
    /// must not be used here any more. Two devices that both live with one key cannot be told apart by anybody, and whoever
    /// has file and passphrase can be this device.
    Moves,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExportedHistory {
    /// Messages.
    pub message_count: u64,
}

impl From<IdentityKey> for ::eft::IdentityKey {
    fn from(identity: IdentityKey) -> Self {
        match identity {
            IdentityKey::Stays => Self::Stays,
            IdentityKey::Moves => Self::Moves,
        }
    }
}

impl From<::eft::ExportedHistory> for ExportedHistory {
    fn from(exported: ::eft::ExportedHistory) -> Self {
        Self {
            message_count: exported.message_count,
        }
    }
}
