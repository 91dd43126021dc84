//! The chain that we encrypt with.

use serde::{Deserialize, Serialize};

use super::{ChainKey, MessageKey};

/// A sending chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SenderChain {
    key: ChainKey,
    n: u32,
}

impl SenderChain {
    pub(crate) const fn new(key: ChainKey) -> Self {
        Self { key, n: 0 }
    }

    /// Number of the next message, which is also how many were sent.
    pub(crate) const fn n(&self) -> u32 {
        self.n
    }

    /// The next message key and the chain behind it. `None` when numbers are used up.
    pub(crate) fn advance(&self) -> Option<(Self, MessageKey)> {
        // Receivers read no counter past 2³¹−1.
        let n = self.n.checked_add(1).filter(|n| *n < 0x8000_0000)?;
        let (key, message_key) = self.key.advance();
        Some((Self { key, n }, message_key))
    }

    #[cfg(test)]
    pub(crate) const fn key(&self) -> &ChainKey {
        &self.key
    }
}
