//! All that differs between the two versions, and nothing else. Everything above is one X3DH and one Double
//! Ratchet.

mod legacy;
mod omemo2;

pub(crate) use legacy::Legacy;
pub(crate) use omemo2::Omemo2;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::payload::{OpenError, SealedPayload};
use crate::wire::{Incoming, KeyExchange};
use crate::{IdentityKey, KeyError, Malformed, PublicKey, Version};

/// Who began a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Role {
    /// We fetched the peer's bundle ("Alice").
    Initiator,
    /// The peer fetched ours ("Bob").
    Responder,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Sent,
    Received,
}

/// The parts of a message before it is sealed.
pub(crate) struct Header {
    pub(crate) n: u32,
    pub(crate) pn: u32,
    pub(crate) dh_pub: PublicKey,
}

/// Labels of the key derivations, so that keys of one use or version are no keys of another.
pub(crate) struct Labels {
    /// X3DH.
    pub(crate) x3dh: &'static [u8],
    /// `KDF_RK`.
    pub(crate) root: &'static [u8],
    /// Keys of one message.
    pub(crate) message: &'static [u8],
}

/// One version of OMEMO.
pub(crate) trait Profile: Sync {
    /// Info strings of HKDF.
    fn labels(&self) -> Labels;

    /// Bytes of the truncated MAC.
    fn mac_length(&self) -> usize;

    /// Most messages that one may skip.
    fn max_skip(&self) -> u32;

    /// `Encode(PK)`, on the wire and under the signature of a signed prekey.
    fn encode_public(&self, key: &PublicKey) -> Vec<u8>;

    /// Inverse of `encode_public`.
    fn parse_public(&self, bytes: &[u8]) -> Result<PublicKey, KeyError>;

    /// `Encode(IK)`. `None` if the key is not known in this version's form.
    fn encode_identity(&self, key: &IdentityKey) -> Option<Vec<u8>>;

    /// Inverse of `encode_identity`.
    fn parse_identity(&self, bytes: &[u8]) -> Result<IdentityKey, KeyError>;

    /// `AD`: what a MAC covers before the message. `ours` and `theirs` are encoded identity keys.
    fn associated_data(
        &self,
        role: Role,
        direction: Direction,
        ours: &[u8],
        theirs: &[u8],
    ) -> Vec<u8>;

    /// The bytes under the MAC, behind `AD`.
    fn encode_message(&self, header: &Header, ciphertext: &[u8]) -> Vec<u8>;

    /// A complete message of an existing session.
    fn seal_message(&self, authenticated: &[u8], mac: &[u8]) -> Vec<u8>;

    /// A complete message that makes a session, around a sealed one.
    fn seal_key_exchange(
        &self,
        exchange: &OutgoingKeyExchange<'_>,
        sealed_message: &[u8],
    ) -> Vec<u8>;

    /// Reads either. `hint` is what the element's attribute says about a key exchange; it decides only
    /// where the bytes do not.
    fn parse(&self, bytes: &[u8], hint: bool) -> Result<Incoming, Malformed>;

    /// Encrypts content once for all devices.
    fn seal_payload(&self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> SealedPayload;

    /// The key material of an empty message.
    fn empty_key_material(&self, rng: &mut dyn CryptoRng) -> EmptyMessage;

    /// Decrypts content, or finds that there is none (`Ok(None)`: an empty message).
    fn open_payload(
        &self,
        key_material: &[u8],
        iv: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError>;
}

/// An empty message before it is encrypted for a device.
pub(crate) struct EmptyMessage {
    pub(crate) key_material: Zeroizing<Vec<u8>>,
    pub(crate) iv: Option<Vec<u8>>,
}

/// What goes into a key exchange that we send.
pub(crate) struct OutgoingKeyExchange<'a> {
    pub(crate) pre_key_id: u32,
    pub(crate) signed_pre_key_id: u32,
    /// Ours, encoded.
    pub(crate) identity_key: &'a [u8],
    pub(crate) ephemeral_key: PublicKey,
    /// Ours; libsignal calls it registration id and always writes it.
    pub(crate) device: u32,
}

impl Version {
    pub(crate) fn profile(self) -> &'static dyn Profile {
        match self {
            Self::Legacy => &Legacy,
            Self::Omemo2 => &Omemo2,
        }
    }
}

/// For the parsers of both versions: a required field.
pub(crate) fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Malformed> {
    value.ok_or(Malformed::FieldMissing(field))
}

/// For the parsers of both versions: counters end at 2³¹−1, so that none can overflow.
pub(crate) fn counter(value: u32, field: &'static str) -> Result<u32, Malformed> {
    if value < 0x8000_0000 {
        Ok(value)
    } else {
        Err(Malformed::OutOfRange(field))
    }
}

/// For the parsers of both versions.
pub(crate) fn exchange(exchange: KeyExchange) -> Incoming {
    Incoming::KeyExchange(Box::new(exchange))
}
