//! A step of the ratchet and a payload, by the primitives alone.

use aes::{Aes128, Aes256};
use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Key, Nonce};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use eft_bench::Failure;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand_core::Rng as _;
use sha2::Sha256;

use super::super::script;

/// Bytes before the ciphertext of a ratchet message: version, ratchet key, counters.
const HEADER_BYTES: usize = 42;
/// What the MAC covers beside the message: both identity keys.
const ASSOCIATED: [u8; 66] = [5; 66];

/// A message as the network brings it, and the chain key that belongs to it.
pub(crate) struct Sealed {
    chain_key: [u8; 32],
    message: Vec<u8>,
    mac: Vec<u8>,
    nonce: [u8; 12],
    payload: Vec<u8>,
}

/// Keys that came out of a step.
struct Step {
    cipher: [u8; 32],
    mac: [u8; 32],
    iv: [u8; 16],
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], Failure> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

fn derive(secret: &[u8], info: &[u8]) -> Result<Step, Failure> {
    let mut bytes = [0; 80];
    Hkdf::<Sha256>::new(Some(&[0; 32]), secret)
        .expand(info, &mut bytes)
        .map_err(|error| error.to_string())?;
    let (cipher, rest) = bytes.split_at(32);
    let (mac, iv) = rest.split_at(32);
    Ok(Step {
        cipher: cipher.try_into()?,
        mac: mac.try_into()?,
        iv: iv.try_into()?,
    })
}

/// The keys of a message, and the next chain key, which a session keeps.
fn step(chain_key: &[u8; 32]) -> Result<(Step, [u8; 32]), Failure> {
    let message_key = hmac(chain_key, &[&[1]])?;
    let next = hmac(chain_key, &[&[2]])?;
    Ok((derive(&message_key, b"WhisperMessageKeys")?, next))
}

impl Step {
    fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes256>::new(&self.cipher.into(), &self.iv.into())
            .encrypt_padded_vec::<Pkcs7>(plain)
    }

    fn decrypt(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        cbc::Decryptor::<Aes256>::new(&self.cipher.into(), &self.iv.into())
            .decrypt_padded_vec::<Pkcs7>(bytes)
            .map_err(|error| error.to_string().into())
    }
}

impl Sealed {
    pub(crate) fn new(is_legacy: bool, number: usize) -> Result<Self, Failure> {
        let mut rng = eft_bench::people::rng(u64::try_from(number)?);
        let (mut chain_key, mut nonce, mut key) = ([0; 32], [0; 12], [0; 32]);
        rng.fill_bytes(&mut chain_key);
        rng.fill_bytes(&mut nonce);
        rng.fill_bytes(&mut key);
        let text = script::text(number);
        let (payload, wrapped) = if is_legacy {
            let (key, _) = key.split_at(16);
            let mut sealed = gcm(key)?
                .encrypt(&Nonce::from(nonce), text.as_bytes())
                .map_err(|error| error.to_string())?;
            let tag = sealed.split_off(text.len());
            (sealed, [key, &tag].concat())
        } else {
            let keys = derive(&key, b"OMEMO Payload")?;
            let sealed = keys.encrypt(envelope(&text).as_bytes());
            let mac = hmac(&keys.mac, &[&sealed])?;
            (sealed, [&key[..], mac.split_at(16).0].concat())
        };
        let (keys, _) = step(&chain_key)?;
        let message = [&[7; HEADER_BYTES][..], &keys.encrypt(&wrapped)].concat();
        let mac = hmac(&keys.mac, &[&ASSOCIATED, &message])?;
        Ok(Self {
            chain_key,
            message,
            mac: mac.split_at(if is_legacy { 8 } else { 16 }).0.to_vec(),
            nonce,
            payload,
        })
    }

    /// The text.
    pub(crate) fn open(&self, is_legacy: bool) -> Result<String, Failure> {
        let (keys, next) = step(&self.chain_key)?;
        std::hint::black_box(next);
        verify(&keys.mac, &[&ASSOCIATED, &self.message], &self.mac)?;
        let ciphertext = self.message.get(HEADER_BYTES..).ok_or("too short")?;
        let wrapped = keys.decrypt(ciphertext)?;
        if is_legacy {
            let (key, tag) = wrapped.split_at(16);
            let sealed = [&self.payload[..], tag].concat();
            let text = gcm(key)?.decrypt(&Nonce::from(self.nonce), sealed.as_slice());
            return Ok(String::from_utf8(text.map_err(|error| error.to_string())?)?);
        }
        let (key, mac) = wrapped.split_at(32);
        let keys = derive(key, b"OMEMO Payload")?;
        verify(&keys.mac, &[&self.payload], mac)?;
        super::xml::body(&keys.decrypt(&self.payload)?)
    }
}

fn verify(key: &[u8], parts: &[&[u8]], expected: &[u8]) -> Result<(), Failure> {
    let mac = hmac(key, parts)?;
    // Nothing secret is compared here.
    match mac.starts_with(expected) {
        true => Ok(()),
        false => Err("a MAC that does not fit".into()),
    }
}

fn gcm(key: &[u8]) -> Result<Aes128Gcm, Failure> {
    Ok(Aes128Gcm::new(&Key::<Aes128>::try_from(key)?))
}

/// As long as the one that a client makes of such a text.
fn envelope(text: &str) -> String {
    let padding = "x".repeat(300);
    format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>{text}</body></content>\
         <time stamp='2026-01-01T00:00:00Z'/><from jid='contact-1@c.example'/><to jid='user@m.example'/>\
         <rpad>{padding}</rpad></envelope>"
    )
}
