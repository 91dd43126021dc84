//! The Double Ratchet (Signal's specification of that name, §3; XEP-0384 §4.3).
//!
//! One deviation, invisible on the wire: where the specification makes a new ratchet key pair upon
//! *receiving* a new one of the peer's, we make it when we next *send*. The old private key can go at once,
//! the new one lives shorter, and receiving needs one Diffie-Hellman instead of two and no randomness. So
//! there are two states, and each holds only what exists in it.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::receiver_chain::{AdvanceError, Skipped};
use super::{Advanced, ChainKey, MessageKey, ReceiverChain, RootKey, SenderChain};
use crate::PublicKey;
use crate::key::{NonContributory, RatchetKeyPair};
use crate::profile::{Header, Labels};

/// Whose turn it is to bring a new ratchet key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DoubleRatchet {
    /// We have sent under a ratchet key of ours that the peer has not answered yet.
    Sending(Sending),
    /// The peer has answered our last ratchet key with a new one of its own.
    Receiving(Receiving),
}

/// The peer has yet to see our ratchet key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sending {
    root_key: RootKey,
    our_ratchet: RatchetKeyPair,
    sender: SenderChain,
    /// Length of the sending chain before.
    pn: u32,
    /// `None` until the peer has sent anything.
    receiver: Option<ReceiverChain>,
}

impl DoubleRatchet {
    /// Messages sent since the peer last turned the ratchet.
    pub(crate) const fn unanswered(&self) -> u32 {
        match self {
            Self::Sending(sending) if !self.is_used_up() => sending.sender.n(),
            Self::Sending(_) | Self::Receiving(_) => 0,
        }
    }
}

/// We have no ratchet key: the next send makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receiving {
    root_key: RootKey,
    receiver: ReceiverChain,
    /// Length of the sending chain that the peer has answered.
    pn: u32,
}

/// A session that the peer made and whose first message is not decrypted yet. It is never stored.
pub(crate) struct Accepting {
    root_key: RootKey,
    our_ratchet: RatchetKeyPair,
}

/// How a message can be reached, with the ratchet as it is afterwards.
pub(crate) struct Reached {
    pub(crate) ratchet: DoubleRatchet,
    pub(crate) key: MessageKey,
    /// Messages passed over, of the message's chain.
    pub(crate) skipped: Skipped,
    /// The chain that the peer left with this message.
    pub(crate) left: Option<ReceiverChain>,
}

/// Why the ratchet gives no key for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReachError {
    /// The chain does not.
    Chain(AdvanceError),
    /// No chain of ours, and the peer cannot have begun a new one.
    UnknownChain,
}

impl From<NonContributory> for ReachError {
    fn from(_: NonContributory) -> Self {
        // The parser refuses such keys; a Diffie-Hellman that fails all the same authenticates nothing.
        Self::UnknownChain
    }
}

impl DoubleRatchet {
    /// The initiator's first step: `RK, CKs = KDF_RK(SK, DH(RP_A, SPK_B))`.
    pub(crate) fn initiate(
        labels: &Labels,
        shared_secret: &RootKey,
        our_ratchet: RatchetKeyPair,
        their_signed_pre_key: &PublicKey,
    ) -> Result<Self, NonContributory> {
        let dh = our_ratchet.pair().agree(their_signed_pre_key)?;
        let (root_key, chain_key) = shared_secret.turn(labels, &dh);
        Ok(Self::Sending(Sending {
            root_key,
            our_ratchet,
            sender: SenderChain::new(chain_key),
            pn: 0,
            receiver: None,
        }))
    }

    /// The same ratchet, for reading only: what would be sent next may have been sent already, by a later state that is
    /// lost. It stays so whatever comes.
    pub(crate) fn retired(self) -> Self {
        match self {
            Self::Sending(sending) => Self::Sending(Sending {
                sender: SenderChain::used_up(),
                ..sending
            }),
            Self::Receiving(receiving) => Self::Receiving(Receiving {
                pn: SenderChain::END,
                ..receiving
            }),
        }
    }

    /// Whether nothing can be sent over it any more. The length of a sending chain that has come to its end goes along as
    /// that of the chain before, so that a turn of the peer changes nothing.
    pub(crate) const fn is_used_up(&self) -> bool {
        match self {
            Self::Sending(sending) => sending.sender.n() >= SenderChain::END,
            Self::Receiving(receiving) => receiving.pn >= SenderChain::END,
        }
    }

    /// The chain that the peer sends on at present.
    pub(crate) const fn receiver(&self) -> Option<&ReceiverChain> {
        match self {
            Self::Sending(sending) => sending.receiver.as_ref(),
            Self::Receiving(receiving) => Some(&receiving.receiver),
        }
    }

    /// The same, to note a heartbeat.
    pub(crate) const fn receiver_mut(&mut self) -> Option<&mut ReceiverChain> {
        match self {
            Self::Sending(sending) => sending.receiver.as_mut(),
            Self::Receiving(receiving) => Some(&mut receiving.receiver),
        }
    }

    /// Finds the key of a message on the peer's present chain, or on a new one.
    pub(crate) fn reach(
        &self,
        labels: &Labels,
        dh_pub: &PublicKey,
        n: u32,
        max_skip: u32,
    ) -> Result<Reached, ReachError> {
        if let Some(chain) = self.receiver().filter(|chain| chain.dh_pub == *dh_pub) {
            let advanced = chain.advance_to(n, max_skip).map_err(ReachError::Chain)?;
            let mut ratchet = self.clone();
            if let Some(receiver) = ratchet.receiver_mut() {
                *receiver = advanced.chain;
            }
            return Ok(Reached {
                ratchet,
                key: advanced.key,
                skipped: advanced.skipped,
                left: None,
            });
        }
        match self {
            Self::Sending(sending) => sending.turn(labels, dh_pub, n, max_skip),
            // The peer turns only after it has seen a key of ours, and there is none to see.
            Self::Receiving(_) => Err(ReachError::UnknownChain),
        }
    }

    /// The next message's header and key, and the ratchet behind it. `None` when the chain is used up.
    pub(crate) fn advance(
        &self,
        labels: &Labels,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<(Self, Header, MessageKey)>, NonContributory> {
        if self.is_used_up() {
            return Ok(None);
        }
        let mut sending = match self {
            Self::Sending(sending) => sending.clone(),
            Self::Receiving(receiving) => receiving.turn(labels, rng)?,
        };
        let Some((sender, key)) = sending.sender.advance() else {
            return Ok(None);
        };
        let header = Header {
            n: sending.sender.n(),
            pn: sending.pn,
            dh_pub: sending.our_ratchet.public(),
        };
        sending.sender = sender;
        Ok(Some((Self::Sending(sending), header, key)))
    }
}

impl Sending {
    /// `RK, CKr = KDF_RK(RK, DH(RP_ours, dh_pub))`.
    fn turn(
        &self,
        labels: &Labels,
        dh_pub: &PublicKey,
        n: u32,
        max_skip: u32,
    ) -> Result<Reached, ReachError> {
        let (root_key, chain_key) = turn(labels, &self.root_key, &self.our_ratchet, dh_pub)?;
        let advanced = begin_chain(*dh_pub, chain_key, n, max_skip)?;
        Ok(Reached {
            ratchet: DoubleRatchet::Receiving(Receiving {
                root_key,
                receiver: advanced.chain,
                pn: self.sender.n(),
            }),
            key: advanced.key,
            skipped: advanced.skipped,
            left: self.receiver.clone(),
        })
    }

    #[cfg(test)]
    pub(crate) const fn parts(&self) -> (&RootKey, &SenderChain) {
        (&self.root_key, &self.sender)
    }
}

impl Receiving {
    /// `RK, CKs = KDF_RK(RK, DH(new RP_ours, dh_pub))`.
    fn turn(&self, labels: &Labels, rng: &mut impl CryptoRng) -> Result<Sending, NonContributory> {
        let our_ratchet = RatchetKeyPair::generate(rng);
        let (root_key, chain_key) =
            turn(labels, &self.root_key, &our_ratchet, &self.receiver.dh_pub)?;
        Ok(Sending {
            root_key,
            our_ratchet,
            sender: SenderChain::new(chain_key),
            pn: self.pn,
            receiver: Some(self.receiver.clone()),
        })
    }
}

impl Accepting {
    /// The responder begins with `RK = SK` and its signed prekey as ratchet key pair.
    pub(crate) const fn new(shared_secret: RootKey, our_ratchet: RatchetKeyPair) -> Self {
        Self {
            root_key: shared_secret,
            our_ratchet,
        }
    }

    /// Finds the key of the message that came with the key exchange.
    pub(crate) fn reach(
        &self,
        labels: &Labels,
        dh_pub: &PublicKey,
        n: u32,
        max_skip: u32,
    ) -> Result<Reached, ReachError> {
        let (root_key, chain_key) = turn(labels, &self.root_key, &self.our_ratchet, dh_pub)?;
        let advanced = begin_chain(*dh_pub, chain_key, n, max_skip)?;
        Ok(Reached {
            ratchet: DoubleRatchet::Receiving(Receiving {
                root_key,
                receiver: advanced.chain,
                pn: 0,
            }),
            key: advanced.key,
            skipped: advanced.skipped,
            left: None,
        })
    }
}

fn turn(
    labels: &Labels,
    root_key: &RootKey,
    ours: &RatchetKeyPair,
    theirs: &PublicKey,
) -> Result<(RootKey, ChainKey), NonContributory> {
    let dh = ours.pair().agree(theirs)?;
    Ok(root_key.turn(labels, &dh))
}

fn begin_chain(
    dh_pub: PublicKey,
    key: ChainKey,
    n: u32,
    max_skip: u32,
) -> Result<Advanced, ReachError> {
    ReceiverChain::new(dh_pub, key)
        .advance_to(n, max_skip)
        .map_err(ReachError::Chain)
}
