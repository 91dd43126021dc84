//! Which messages of a device were read last, so that a second one in the place of a first is told from the first once
//! more.

use serde::{Deserialize, Serialize};

use crate::PublicKey;
use crate::limits::SEEN_MESSAGES;
use crate::wire::RatchetMessage;

/// The newest messages that were read, chain by chain, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenMessages {
    chains: Vec<SeenChain>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SeenChain {
    /// The first bytes of the ratchet key: enough among so few.
    chain: [u8; 4],
    /// Place in the chain, and the first bytes of the MAC, which is a keyed hash of everything else.
    messages: Vec<(u32, [u8; 4])>,
}

/// What is known of a place in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: never read, or too long ago.
    Unknown,
    /// This very message.
    Same,
    /// Another one.
    Other,
}

fn chain(dh_pub: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] = *dh_pub.as_bytes();
    [a, b, c, d]
}

fn tag(message: &RatchetMessage) -> [u8; 4] {
    // Both versions have longer ones, and the parser lets no other through.
    message.mac.first_chunk().copied().unwrap_or_default()
}

impl SeenMessages {
    /// Notes a message that was read just now. The oldest go if there are too many.
    pub(crate) fn push(&mut self, message: &RatchetMessage) {
        let name = chain(&message.dh_pub);
        let seen = (message.n, tag(message));
        match self.chains.iter_mut().find(|known| known.chain == name) {
            Some(known) => known.messages.push(seen),
            None => self.chains.push(SeenChain {
                chain: name,
                messages: vec![seen],
            }),
        }
        let mut surplus = self.len().saturating_sub(SEEN_MESSAGES);
        for known in &mut self.chains {
            let gone = surplus.min(known.messages.len());
            known.messages.drain(..gone);
            surplus -= gone;
        }
        self.chains.retain(|known| !known.messages.is_empty());
    }

    /// What was read in the place of a message.
    pub(crate) fn look(&self, message: &RatchetMessage) -> Seen {
        let name = chain(&message.dh_pub);
        let tag = tag(message);
        self.chains
            .iter()
            .filter(|known| known.chain == name)
            .flat_map(|known| &known.messages)
            .find(|(n, _)| *n == message.n)
            .map_or(Seen::Unknown, |(_, known)| {
                if *known == tag {
                    Seen::Same
                } else {
                    Seen::Other
                }
            })
    }

    /// Number of messages.
    pub(crate) fn len(&self) -> usize {
        self.chains.iter().map(|known| known.messages.len()).sum()
    }
}
