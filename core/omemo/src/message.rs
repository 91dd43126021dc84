//! The encrypted element as it stands between XML and engine.

use core::fmt;

use eft_types::{BareJid, DeviceId};

use crate::{Malformed, Version};

/// An `<encrypted/>` element of either version, base64 removed. Received ones are untrusted.
///
/// Source: XEP-0384 §5.5.3; 0.3.0, "Sending a message".
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedMessage {
    /// The element's namespace.
    pub version: Version,
    /// Who sent it: the real bare JID of the (inner, forwarded) stanza, not that of a room.
    pub sender: BareJid,
    /// Device id in its `sid`.
    pub sid: DeviceId,
    /// Every `<key/>`, or at least those with our device id.
    pub keys: Vec<EncryptedKey>,
    /// Legacy only: content of `<iv/>`, 12 bytes (16 in old messages).
    pub iv: Option<Vec<u8>>,
    /// Content of `<payload/>`; absent in an empty message.
    pub payload: Option<Vec<u8>>,
}

/// A `<key/>`: the message's key material for one device.
///
/// Source: XEP-0384 §5.5.3; 0.3.0, "Sending a message".
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedKey {
    /// Account of the recipient: omemo:2 names it in `<keys jid/>`. Legacy elements do not; set on outgoing
    /// ones, `None` on received ones.
    pub jid: Option<BareJid>,
    /// Device of the recipient.
    pub rid: DeviceId,
    /// `kex` or `prekey`: whether the data says it makes a session. Only a hint on received ones.
    pub kex: bool,
    /// The data.
    pub data: Vec<u8>,
}

/// Where a message stands among those of its sender, readable before it is decrypted and not authenticated.
/// Messages of one chain are decrypted best in the order of `n`.
///
/// Source: Double Ratchet §3.1, HEADER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainPosition {
    /// The sender's ratchet key, which names the chain.
    pub dh_pub: [u8; 32],
    /// Place in the chain, from 0.
    pub n: u32,
    /// Length of the chain before, as the sender says.
    pub pn: u32,
    /// Whether it comes with a key exchange.
    pub key_exchange: bool,
}

impl EncryptedMessage {
    /// Where the message stands in its chain, as far as the key for our device tells. `None` if there is no
    /// key for `own`.
    ///
    /// # Errors
    /// [`Malformed`] if no key for `own` can be read.
    pub fn chain_position(
        &self,
        own: &eft_types::DeviceAddress,
    ) -> Result<Option<ChainPosition>, Malformed> {
        let mut failure = Ok(None);
        for key in self.keys_for(own) {
            match self.version.profile().parse(&key.data, key.kex) {
                Ok(incoming) => {
                    let message = incoming.message();
                    return Ok(Some(ChainPosition {
                        dh_pub: *message.dh_pub.as_bytes(),
                        n: message.n,
                        pn: message.pn,
                        key_exchange: incoming.is_key_exchange(),
                    }));
                }
                Err(malformed) => failure = Err(malformed),
            }
        }
        failure
    }

    /// The keys that may be ours: those of our device id, and of our account where accounts are named.
    pub(crate) fn keys_for<'a>(
        &'a self,
        own: &'a eft_types::DeviceAddress,
    ) -> impl Iterator<Item = &'a EncryptedKey> {
        self.keys
            .iter()
            .filter(|key| {
                key.rid == own.device
                    && match (self.version, &key.jid) {
                        // Legacy keys have no account; whatever the caller put there is no statement of the sender.
                        (Version::Legacy, _) => true,
                        (Version::Omemo2, jid) => jid.as_ref() == Some(&own.jid),
                    }
            })
            .take(crate::limits::MAX_CANDIDATE_KEYS)
    }
}

impl fmt::Debug for EncryptedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedMessage")
            .field("version", &self.version)
            .field("sid", &self.sid)
            .field("keys", &self.keys.len())
            .field("payload_bytes", &self.payload.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EncryptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedKey")
            .field("rid", &self.rid)
            .field("kex", &self.kex)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
