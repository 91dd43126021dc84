//! What a user types, checked and in its one spelling: for ids that are types in the facades.

use crate::error::{EftError, bare_jid, fingerprint};

/// An account's address as Eft writes it: two spellings of one address become the same text.
///
/// # Errors
/// `InvalidInput` for what is no `user@host`.
#[uniffi::export]
pub fn bare_jid_of(text: &str) -> Result<String, EftError> {
    Ok(bare_jid(text)?.to_string())
}

/// A fingerprint as Eft writes it: eight groups of eight hexadecimal digits. Taken in groups or not, in capitals or
/// not.
///
/// # Errors
/// `InvalidInput` for what is no fingerprint.
#[uniffi::export]
pub fn fingerprint_of(text: &str) -> Result<String, EftError> {
    Ok(fingerprint(text)?.to_string())
}

/// Longest text that `Conversation.send` takes, in bytes of UTF-8.
#[uniffi::export]
pub fn text_max_bytes() -> u64 {
    ::eft::TEXT_MAX_BYTES as u64
}

/// Most messages that one call of `Conversation.timeline` returns.
#[uniffi::export]
pub fn timeline_page_max() -> u32 {
    ::eft::TIMELINE_PAGE_MAX
}
