//! `urn:xmpp:omemo:2`, XEP-0384 0.9.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Direction, EmptyMessage, Header, Labels, OutgoingKeyExchange, Profile, Role, counter, exchange,
    required,
};
use crate::limits::{MAX_KEY_BYTES, MAX_SKIP};
use crate::payload::{self, OpenError, SealedPayload};
use crate::wire::{Incoming, KeyExchange, RatchetMessage, Reader, Writer};
use crate::{IdentityKey, KeyError, Malformed, PublicKey, Version};

/// See the module.
pub(crate) struct Omemo2;

/// The first byte of an `OMEMOKeyExchange`: field 1, a number.
const KEY_EXCHANGE: u8 = 0x08;
/// The first byte of an `OMEMOAuthenticatedMessage`: field 1, bytes.
const AUTHENTICATED_MESSAGE: u8 = 0x0A;

impl Profile for Omemo2 {
    fn labels(&self) -> Labels {
        Labels {
            x3dh: b"OMEMO X3DH",
            root: b"OMEMO Root Chain",
            message: b"OMEMO Message Key Material",
        }
    }

    fn mac_length(&self) -> usize {
        16
    }

    fn max_skip(&self) -> u32 {
        MAX_SKIP
    }

    fn encode_public(&self, key: &PublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }

    fn parse_public(&self, bytes: &[u8]) -> Result<PublicKey, KeyError> {
        PublicKey::parse(bytes)
    }

    fn encode_identity(&self, key: &IdentityKey) -> Option<Vec<u8>> {
        key.ed25519().map(|ed25519| ed25519.to_vec())
    }

    fn parse_identity(&self, bytes: &[u8]) -> Result<IdentityKey, KeyError> {
        IdentityKey::from_ed25519(bytes)
    }

    /// `Encode(IK_A) || Encode(IK_B)`, A being the initiator, in both directions.
    fn associated_data(&self, role: Role, _: Direction, ours: &[u8], theirs: &[u8]) -> Vec<u8> {
        match role {
            Role::Initiator => [ours, theirs].concat(),
            Role::Responder => [theirs, ours].concat(),
        }
    }

    /// `OMEMOMessage`: 1 `n`, 2 `pn`, 3 `dh_pub`, 4 `ciphertext`.
    fn encode_message(&self, header: &Header, ciphertext: &[u8]) -> Vec<u8> {
        Writer::new()
            .uint32(1, header.n)
            .uint32(2, header.pn)
            .bytes(3, header.dh_pub.as_bytes())
            .bytes(4, ciphertext)
            .finish()
    }

    /// `OMEMOAuthenticatedMessage`: 1 `mac`, 2 `message`.
    fn seal_message(&self, authenticated: &[u8], mac: &[u8]) -> Vec<u8> {
        Writer::new().bytes(1, mac).bytes(2, authenticated).finish()
    }

    /// `OMEMOKeyExchange`: 1 `pk_id`, 2 `spk_id`, 3 `ik`, 4 `ek`, 5 `message`.
    fn seal_key_exchange(
        &self,
        exchange: &OutgoingKeyExchange<'_>,
        sealed_message: &[u8],
    ) -> Vec<u8> {
        Writer::new()
            .uint32(1, exchange.pre_key_id)
            .uint32(2, exchange.signed_pre_key_id)
            .bytes(3, exchange.identity_key)
            .bytes(4, exchange.ephemeral_key.as_bytes())
            .bytes(5, sealed_message)
            .finish()
    }

    fn parse(&self, bytes: &[u8], hint: bool) -> Result<Incoming, Malformed> {
        if bytes.len() > MAX_KEY_BYTES {
            return Err(NOT_A_MESSAGE);
        }
        // Some clients set `kex` on the first message of a session only, yet repeat the exchange.
        match bytes.first() {
            Some(&KEY_EXCHANGE) => parse_key_exchange(bytes).map(exchange),
            Some(&AUTHENTICATED_MESSAGE) => parse_authenticated(bytes).map(Incoming::Message),
            Some(_) if hint => parse_key_exchange(bytes).map(exchange),
            Some(_) => parse_authenticated(bytes).map(Incoming::Message),
            None => Err(NOT_A_MESSAGE),
        }
    }

    fn seal_payload(&self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> SealedPayload {
        payload::omemo2::seal(plaintext, rng)
    }

    /// 32 zero bytes (XEP-0384 §4.4).
    fn empty_key_material(&self, _: &mut dyn CryptoRng) -> EmptyMessage {
        EmptyMessage {
            key_material: Zeroizing::new(vec![0; 32]),
            iv: None,
        }
    }

    fn open_payload(
        &self,
        key_material: &[u8],
        _: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
        payload::omemo2::open(key_material, payload)
    }
}

const NOT_A_MESSAGE: Malformed = Malformed::NotAMessage {
    version: Version::Omemo2,
};

fn parse_key_exchange(bytes: &[u8]) -> Result<KeyExchange, Malformed> {
    let (mut pk_id, mut spk_id, mut ik, mut ek, mut message) = (None, None, None, None, None);
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => pk_id = Some(field.value.as_u32("pk_id")?),
            2 => spk_id = Some(field.value.as_u32("spk_id")?),
            3 => ik = Some(field.value.as_bytes("ik")?),
            4 => ek = Some(field.value.as_bytes("ek")?),
            5 => message = Some(field.value.as_bytes("message")?),
            _ => {}
        }
    }
    Ok(KeyExchange {
        pre_key_id: required(pk_id, "pk_id")?,
        signed_pre_key_id: required(spk_id, "spk_id")?,
        identity_key: IdentityKey::from_ed25519(required(ik, "ik")?)
            .map_err(|error| Malformed::Key { field: "ik", error })?,
        ephemeral_key: PublicKey::parse(required(ek, "ek")?)
            .map_err(|error| Malformed::Key { field: "ek", error })?,
        message: parse_authenticated(required(message, "message")?)?,
    })
}

fn parse_authenticated(bytes: &[u8]) -> Result<RatchetMessage, Malformed> {
    let (mut mac, mut message) = (None, None);
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => mac = Some(field.value.as_bytes("mac")?),
            2 => message = Some(field.value.as_bytes("message")?),
            _ => {}
        }
    }
    let mac = required(mac, "mac")?;
    if mac.len() != Omemo2.mac_length() {
        return Err(Malformed::OutOfRange("mac"));
    }
    parse_message(required(message, "message")?, mac)
}

fn parse_message(bytes: &[u8], mac: &[u8]) -> Result<RatchetMessage, Malformed> {
    let (mut n, mut pn, mut dh_pub, mut ciphertext) = (None, None, None, None);
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => n = Some(field.value.as_u32("n")?),
            2 => pn = Some(field.value.as_u32("pn")?),
            3 => dh_pub = Some(field.value.as_bytes("dh_pub")?),
            4 => ciphertext = Some(field.value.as_bytes("ciphertext")?),
            _ => {}
        }
    }
    Ok(RatchetMessage {
        n: counter(required(n, "n")?, "n")?,
        pn: counter(required(pn, "pn")?, "pn")?,
        dh_pub: PublicKey::parse(required(dh_pub, "dh_pub")?).map_err(|error| Malformed::Key {
            field: "dh_pub",
            error,
        })?,
        // Optional in the schema; without it there is nothing to decrypt.
        ciphertext: required(ciphertext, "ciphertext")?.to_vec(),
        authenticated: bytes.to_vec(),
        mac: mac.to_vec(),
    })
}
