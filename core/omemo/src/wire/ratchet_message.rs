//! One message of the Double Ratchet.

use crate::PublicKey;

/// What a message of either protocol says, parsed. omemo:2: `OMEMOMessage` in its
/// `OMEMOAuthenticatedMessage`; legacy: `SignalMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RatchetMessage {
    /// Place in the sender's chain, from 0.
    pub(crate) n: u32,
    /// Messages in the sender's chain before.
    pub(crate) pn: u32,
    /// The sender's ratchet key.
    pub(crate) dh_pub: PublicKey,
    /// The encrypted key material.
    pub(crate) ciphertext: Vec<u8>,
    /// The bytes that the MAC covers, as received: serializing again might give others.
    pub(crate) authenticated: Vec<u8>,
    /// The truncated MAC.
    pub(crate) mac: Vec<u8>,
}
