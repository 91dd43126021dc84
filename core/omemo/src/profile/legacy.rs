//! `eu.siacs.conversations.axolotl`, XEP-0384 0.3.0: libsignal's session version 3.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Direction, EmptyMessage, Header, Labels, OutgoingKeyExchange, Profile, Role, counter, exchange,
    required,
};
use crate::bundle::strip_type_byte;
use crate::limits::{MAX_KEY_BYTES, MAX_SKIP_LEGACY};
use crate::payload::{self, OpenError, SealedPayload};
use crate::wire::{Incoming, KeyExchange, RatchetMessage, Reader, Writer};
use crate::{IdentityKey, KeyError, Malformed, PublicKey, Version};

/// See the module.
pub(crate) struct Legacy;

/// `(message version << 4) | newest version known`, both 3.
const VERSION_BYTE: u8 = 0x33;
/// Type byte of a Curve25519 key.
const KEY_TYPE: u8 = 0x05;
/// The first tag of a `PreKeySignalMessage`: field 1, a number.
const KEY_EXCHANGE: u8 = 0x08;
/// The first tag of a `SignalMessage`: field 1, bytes.
const MESSAGE: u8 = 0x0A;
/// Bytes of the MAC behind a `SignalMessage`.
const MAC_LENGTH: usize = 8;

impl Profile for Legacy {
    fn labels(&self) -> Labels {
        Labels {
            x3dh: b"WhisperText",
            root: b"WhisperRatchet",
            message: b"WhisperMessageKeys",
        }
    }

    fn mac_length(&self) -> usize {
        MAC_LENGTH
    }

    fn max_skip(&self) -> u32 {
        MAX_SKIP_LEGACY
    }

    fn encode_public(&self, key: &PublicKey) -> Vec<u8> {
        let mut bytes = vec![KEY_TYPE];
        bytes.extend_from_slice(key.as_bytes());
        bytes
    }

    fn parse_public(&self, bytes: &[u8]) -> Result<PublicKey, KeyError> {
        PublicKey::parse(strip_type_byte(bytes)?)
    }

    fn encode_identity(&self, key: &IdentityKey) -> Option<Vec<u8>> {
        Some(self.encode_public(key.curve25519()))
    }

    fn parse_identity(&self, bytes: &[u8]) -> Result<IdentityKey, KeyError> {
        IdentityKey::from_curve25519(strip_type_byte(bytes)?)
    }

    /// `ser(IK_sender) || ser(IK_receiver)` of this very message: it turns around with the direction.
    fn associated_data(
        &self,
        _: Role,
        direction: Direction,
        ours: &[u8],
        theirs: &[u8],
    ) -> Vec<u8> {
        match direction {
            Direction::Sent => [ours, theirs].concat(),
            Direction::Received => [theirs, ours].concat(),
        }
    }

    /// `0x33 || SignalMessage`: 1 `ratchetKey`, 2 `counter`, 3 `previousCounter`, 4 `ciphertext`.
    fn encode_message(&self, header: &Header, ciphertext: &[u8]) -> Vec<u8> {
        Writer::after(&[VERSION_BYTE])
            .bytes(1, &self.encode_public(&header.dh_pub))
            .uint32(2, header.n)
            .uint32(3, header.pn)
            .bytes(4, ciphertext)
            .finish()
    }

    fn seal_message(&self, authenticated: &[u8], mac: &[u8]) -> Vec<u8> {
        [authenticated, mac].concat()
    }

    /// `0x33 || PreKeySignalMessage`: 1 `preKeyId`, 2 `baseKey`, 3 `identityKey`, 4 `message`,
    /// 5 `registrationId`, 6 `signedPreKeyId`.
    fn seal_key_exchange(
        &self,
        exchange: &OutgoingKeyExchange<'_>,
        sealed_message: &[u8],
    ) -> Vec<u8> {
        Writer::after(&[VERSION_BYTE])
            .uint32(1, exchange.pre_key_id)
            .bytes(2, &self.encode_public(&exchange.ephemeral_key))
            .bytes(3, exchange.identity_key)
            .bytes(4, sealed_message)
            .uint32(5, exchange.device)
            .uint32(6, exchange.signed_pre_key_id)
            .finish()
    }

    fn parse(&self, bytes: &[u8], hint: bool) -> Result<Incoming, Malformed> {
        if bytes.len() > MAX_KEY_BYTES {
            return Err(NOT_A_MESSAGE);
        }
        let body = strip_version(bytes)?;
        match body.first() {
            Some(&KEY_EXCHANGE) => parse_key_exchange(body).map(exchange),
            Some(&MESSAGE) => parse_message(bytes).map(Incoming::Message),
            Some(_) if hint => parse_key_exchange(body).map(exchange),
            Some(_) => parse_message(bytes).map(Incoming::Message),
            None => Err(NOT_A_MESSAGE),
        }
    }

    fn seal_payload(&self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> SealedPayload {
        payload::legacy::seal(plaintext, rng)
    }

    fn empty_key_material(&self, rng: &mut dyn CryptoRng) -> EmptyMessage {
        payload::legacy::empty(rng)
    }

    fn open_payload(
        &self,
        key_material: &[u8],
        iv: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
        payload::legacy::open(key_material, iv, payload)
    }
}

const NOT_A_MESSAGE: Malformed = Malformed::NotAMessage {
    version: Version::Legacy,
};

/// The high half is the message's version, the low half the newest that the sender knows.
fn strip_version(bytes: &[u8]) -> Result<&[u8], Malformed> {
    match bytes.split_first() {
        Some((version, body)) if version >> 4 == VERSION_BYTE >> 4 => Ok(body),
        _ => Err(NOT_A_MESSAGE),
    }
}

fn parse_key_exchange(body: &[u8]) -> Result<KeyExchange, Malformed> {
    let (mut pre_key, mut signed_pre_key) = (None, None);
    let (mut base_key, mut identity_key, mut message) = (None, None, None);
    let mut reader = Reader::new(body);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => pre_key = Some(field.value.as_u32("preKeyId")?),
            2 => base_key = Some(field.value.as_bytes("baseKey")?),
            3 => identity_key = Some(field.value.as_bytes("identityKey")?),
            4 => message = Some(field.value.as_bytes("message")?),
            6 => signed_pre_key = Some(field.value.as_u32("signedPreKeyId")?),
            // 5 is the registration id, which says nothing that the header does not.
            _ => {}
        }
    }
    Ok(KeyExchange {
        // Optional for libsignal, mandatory for OMEMO.
        pre_key_id: required(pre_key, "preKeyId")?,
        signed_pre_key_id: required(signed_pre_key, "signedPreKeyId")?,
        identity_key: Legacy
            .parse_identity(required(identity_key, "identityKey")?)
            .map_err(|error| Malformed::Key {
                field: "identityKey",
                error,
            })?,
        ephemeral_key: Legacy
            .parse_public(required(base_key, "baseKey")?)
            .map_err(|error| Malformed::Key {
                field: "baseKey",
                error,
            })?,
        message: parse_message(required(message, "message")?)?,
    })
}

fn parse_message(bytes: &[u8]) -> Result<RatchetMessage, Malformed> {
    let (authenticated, mac) = bytes
        .split_last_chunk::<MAC_LENGTH>()
        .ok_or(NOT_A_MESSAGE)?;
    let (mut ratchet_key, mut n, mut pn, mut ciphertext) = (None, None, None, None);
    let mut reader = Reader::new(strip_version(authenticated)?);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => ratchet_key = Some(field.value.as_bytes("ratchetKey")?),
            2 => n = Some(field.value.as_u32("counter")?),
            3 => pn = Some(field.value.as_u32("previousCounter")?),
            4 => ciphertext = Some(field.value.as_bytes("ciphertext")?),
            _ => {}
        }
    }
    Ok(RatchetMessage {
        n: counter(required(n, "counter")?, "counter")?,
        // libsignal neither requires nor reads it.
        pn: counter(pn.unwrap_or(0), "previousCounter")?,
        dh_pub: Legacy
            .parse_public(required(ratchet_key, "ratchetKey")?)
            .map_err(|error| Malformed::Key {
                field: "ratchetKey",
                error,
            })?,
        ciphertext: required(ciphertext, "ciphertext")?.to_vec(),
        authenticated: authenticated.to_vec(),
        mac: mac.to_vec(),
    })
}
