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
    /// Length at which a chain ends: receivers read no counter past 2³¹−1.
    pub(crate) const END: u32 = 0x7fff_ffff;

    pub(crate) const fn new(key: ChainKey) -> Self {
        Self { key, n: 0 }
    }

    /// Number of the next message, which is also how many were sent.
    pub(crate) const fn n(&self) -> u32 {
        self.n
    }

    /// The next message key and the chain behind it. `None` when numbers are used up.
    pub(crate) fn advance(&self) -> Option<(Self, MessageKey)> {
        let n = self.n.checked_add(1).filter(|n| *n <= Self::END)?;
        let (key, message_key) = self.key.advance();
        Some((Self { key, n }, message_key))
    }

    /// A chain at its end, with a key that is nobody's.
    pub(crate) fn used_up() -> Self {
        Self {
            key: ChainKey::new(&[0; 32]),
            n: Self::END,
        }
    }

    #[cfg(test)]
    pub(crate) const fn key(&self) -> &ChainKey {
        &self.key
    }
}
