//! What is left of an account whose database could not be used any more.

use std::sync::Arc;

use crate::account::Account;

/// The answer of `Eft.rebuild_account`.
#[derive(Clone, Debug, uniffi::Record)]
pub struct RebuiltAccount {
    /// The account, as a new device with the history that could be saved. Not connected.
    pub account: Arc<Account>,
    /// Messages that were saved.
    pub message_count: u64,
    /// Places of the old database where something could not be read: 0 if nothing is known to be missing. With the key
    /// lost nothing can be read, which is one gap.
    pub gap_count: u64,
    /// Where the old database lies now. Nothing was deleted; whoever wants to, may.
    pub set_aside: String,
}

impl From<::eft::RebuiltAccount> for RebuiltAccount {
    fn from(rebuilt: ::eft::RebuiltAccount) -> Self {
        Self {
            account: Arc::new(Account {
                inner: rebuilt.account,
            }),
            message_count: rebuilt.message_count,
            gap_count: rebuilt.gap_count,
            set_aside: rebuilt.set_aside.display().to_string(),
        }
    }
}
