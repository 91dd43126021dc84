//! What a session leaves behind: rows that an encrypt does not touch.

use serde::{Deserialize, Serialize};

use super::{ReceiverChain, Session};
use crate::limits::{ARCHIVED_SESSIONS, OLD_CHAINS};

/// Receiving chains of one session whose ratchet key the peer has left, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OldChains {
    chains: Vec<ReceiverChain>,
}

impl OldChains {
    /// The chain of a ratchet key.
    pub(crate) fn find(&self, dh_pub: &crate::PublicKey) -> Option<&ReceiverChain> {
        self.chains.iter().find(|chain| chain.dh_pub == *dh_pub)
    }

    /// Takes the chain that the peer left just now; the oldest goes if there are too many.
    pub(crate) fn push(&mut self, chain: ReceiverChain) {
        self.chains.insert(0, chain);
        self.chains.truncate(OLD_CHAINS);
    }

    /// Puts an advanced chain in its former place.
    pub(crate) fn replace(&mut self, chain: ReceiverChain) {
        if let Some(old) = self
            .chains
            .iter_mut()
            .find(|old| old.dh_pub == chain.dh_pub)
        {
            *old = chain;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.chains.len()
    }
}

/// A replaced session with its old chains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArchivedSession {
    pub(crate) session: Session,
    pub(crate) old_chains: OldChains,
}

/// Replaced sessions with one device, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArchivedSessions {
    pub(crate) sessions: Vec<ArchivedSession>,
}

impl ArchivedSessions {
    /// Takes a session; the oldest goes if there are too many.
    pub(crate) fn push(&mut self, session: ArchivedSession) {
        self.sessions.insert(0, session);
        self.sessions.truncate(ARCHIVED_SESSIONS);
    }
}
