//! A chain that the peer encrypts with.

use serde::{Deserialize, Serialize};

use super::{ChainKey, MessageKey};
use crate::PublicKey;

/// A receiving chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiverChain {
    /// The peer's ratchet key, which names the chain.
    pub(crate) dh_pub: PublicKey,
    key: ChainKey,
    /// Number of the next message that `key` is for.
    n: u32,
    /// Whether this ratchet key was answered by a heartbeat.
    pub(crate) heartbeat_sent: bool,
}

/// A chain after a message.
pub(crate) struct Advanced {
    /// The chain behind the message.
    pub(crate) chain: ReceiverChain,
    /// The message's key.
    pub(crate) key: MessageKey,
    /// Keys of the messages passed over, with their numbers.
    pub(crate) skipped: Vec<(u32, MessageKey)>,
}

/// Why a chain does not give the key of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdvanceError {
    /// The chain is past it.
    Past,
    /// It lies too far ahead.
    TooFar {
        /// Messages between.
        got: u32,
    },
}

impl ReceiverChain {
    pub(crate) const fn new(dh_pub: PublicKey, key: ChainKey) -> Self {
        Self {
            dh_pub,
            key,
            n: 0,
            heartbeat_sent: false,
        }
    }

    /// The key of message `n`, on a copy of the chain. At most `max_skip` messages may lie between.
    pub(crate) fn advance_to(&self, n: u32, max_skip: u32) -> Result<Advanced, AdvanceError> {
        let (mut chain, skipped) = self.skip_to(n, max_skip)?;
        let (key, message_key) = chain.key.advance();
        chain.key = key;
        // The parser lets no counter past 2³¹−1 through.
        chain.n = n.saturating_add(1);
        Ok(Advanced {
            chain,
            key: message_key,
            skipped,
        })
    }

    /// A copy of the chain whose next message is `n`, and the keys of those before.
    pub(crate) fn skip_to(
        &self,
        n: u32,
        max_skip: u32,
    ) -> Result<(Self, Vec<(u32, MessageKey)>), AdvanceError> {
        let got = n.checked_sub(self.n).ok_or(AdvanceError::Past)?;
        if got > max_skip {
            return Err(AdvanceError::TooFar { got });
        }
        let mut chain = self.clone();
        let mut skipped = Vec::with_capacity(usize::try_from(got).unwrap_or_default());
        for number in self.n..n {
            let (key, message_key) = chain.key.advance();
            chain.key = key;
            skipped.push((number, message_key));
        }
        chain.n = n;
        Ok((chain, skipped))
    }
}
