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
    /// The messages passed over.
    pub(crate) skipped: Skipped,
}

/// Messages that were passed over. Their keys are made once it is known that they are needed: until the MAC of the
/// message that passed them over is checked, anyone may have written it.
pub(crate) struct Skipped {
    /// The chain before them.
    from: ReceiverChain,
    /// Number of the first message after them.
    end: u32,
}

impl Skipped {
    /// Their keys, with their numbers.
    pub(crate) fn keys(&self) -> Vec<(u32, MessageKey)> {
        self.from.keys_to(self.end).1
    }
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

    /// Number of the next message.
    pub(crate) const fn n(&self) -> u32 {
        self.n
    }

    /// The key of message `n`, on a copy of the chain. At most `max_skip` messages may lie between.
    pub(crate) fn advance_to(&self, n: u32, max_skip: u32) -> Result<Advanced, AdvanceError> {
        self.distance(n, max_skip)?;
        let mut chain = self.clone();
        for _ in self.n..n {
            chain.key = chain.key.next();
        }
        let (key, message_key) = chain.key.advance();
        chain.key = key;
        // The parser lets no counter past 2³¹−1 through.
        chain.n = n.saturating_add(1);
        Ok(Advanced {
            chain,
            key: message_key,
            skipped: Skipped {
                from: self.clone(),
                end: n,
            },
        })
    }

    /// A copy of the chain whose next message is `n`, and the keys of those before.
    pub(crate) fn skip_to(
        &self,
        n: u32,
        max_skip: u32,
    ) -> Result<(Self, Vec<(u32, MessageKey)>), AdvanceError> {
        self.distance(n, max_skip)?;
        Ok(self.keys_to(n))
    }

    /// How many messages lie between, if they are not too many.
    fn distance(&self, n: u32, max_skip: u32) -> Result<(), AdvanceError> {
        match n.checked_sub(self.n) {
            None => Err(AdvanceError::Past),
            Some(got) if got > max_skip => Err(AdvanceError::TooFar { got }),
            Some(_) => Ok(()),
        }
    }

    /// A copy of the chain whose next message is `n`, and the keys of those before. The distance has been checked.
    fn keys_to(&self, n: u32) -> (Self, Vec<(u32, MessageKey)>) {
        let count = n.saturating_sub(self.n);
        let mut chain = self.clone();
        let mut skipped = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        for number in self.n..n {
            let (key, message_key) = chain.key.advance();
            chain.key = key;
            skipped.push((number, message_key));
        }
        chain.n = n;
        (chain, skipped)
    }

    #[cfg(test)]
    pub(crate) const fn key(&self) -> &ChainKey {
        &self.key
    }
}
