//! Sessions: a Double Ratchet with one device, and what surrounds it.

mod archive;
mod chain_key;
mod double_ratchet;
mod message_key;
mod receiver_chain;
mod root_key;
mod seen_messages;
mod sender_chain;
#[expect(clippy::module_inception, reason = "the session itself")]
mod session;
mod skipped_keys;
mod work;

pub(crate) use archive::{ArchivedSession, ArchivedSessions, OldChains};
pub(crate) use chain_key::ChainKey;
pub(crate) use double_ratchet::{Accepting, DoubleRatchet};
pub(crate) use message_key::MessageKey;
pub(crate) use receiver_chain::{Advanced, ReceiverChain};
pub(crate) use root_key::RootKey;
pub(crate) use seen_messages::{Seen, SeenMessages};
pub(crate) use sender_chain::SenderChain;
pub(crate) use session::{DecryptError, Decrypted, ExchangeId, Parties, Session};
pub(crate) use skipped_keys::{SkippedKey, SkippedKeys};
pub(crate) use work::{TURN, Work};

/// Splits 80 derived bytes into an encryption key, an authentication key and an initialisation vector.
pub(crate) fn split_80(bytes: &[u8; 80]) -> (&[u8; 32], &[u8; 32], &[u8; 16]) {
    let (encryption, rest) = bytes.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let (authentication, rest) = rest.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let iv = rest.first_chunk::<16>().unwrap_or(&[0; 16]);
    (encryption, authentication, iv)
}

#[cfg(test)]
mod tests;
