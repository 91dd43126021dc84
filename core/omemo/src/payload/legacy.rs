//! The payload of legacy OMEMO (XEP-0384 0.3.0 §4.5): AES-128-GCM, whose tag travels with the key.
//!
//! ```text
//! key = 16 random bytes, IV = 12 random bytes
//! ciphertext || tag (16) = AES-128-GCM(key, IV, content)
//! key material = key || tag
//! ```
//!
//! Received are also IVs of 16 bytes, which old clients send.

use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut as _, AesGcm, KeyInit as _, Nonce, Tag};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{OpenError, SealedPayload};
use crate::Malformed;
use crate::profile::EmptyMessage;

const KEY_LENGTH: usize = 16;
const TAG_LENGTH: usize = 16;
const IV_LENGTH: usize = 12;

/// Encrypts content under a fresh key.
pub(crate) fn seal(plaintext: &[u8], rng: &mut dyn CryptoRng) -> SealedPayload {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    rng.fill_bytes(key.as_mut_slice());
    let mut iv = [0; IV_LENGTH];
    rng.fill_bytes(&mut iv);
    seal_with(&key, &iv, plaintext)
}

pub(crate) fn seal_with(
    key: &[u8; KEY_LENGTH],
    iv: &[u8; IV_LENGTH],
    plaintext: &[u8],
) -> SealedPayload {
    let cipher = AesGcm::<aes::Aes128, U12>::new(key.into());
    let mut ciphertext = plaintext.to_vec();
    let tag = cipher.encrypt_inout_detached(
        &Nonce::from(*iv),
        &[],
        InOutBuf::from(ciphertext.as_mut_slice()),
    );
    // Fails only past 64 GiB, which no stanza holds.
    debug_assert!(tag.is_ok());
    let mut key_material = Zeroizing::new(key.to_vec());
    key_material.extend_from_slice(&tag.unwrap_or_default());
    SealedPayload {
        key_material,
        ciphertext,
        iv: Some(iv.to_vec()),
    }
}

/// A `KeyTransportElement`: a key that nobody uses.
pub(crate) fn empty(rng: &mut dyn CryptoRng) -> EmptyMessage {
    let mut key_material = Zeroizing::new(vec![0; KEY_LENGTH]);
    rng.fill_bytes(&mut key_material);
    let mut iv = vec![0; IV_LENGTH];
    rng.fill_bytes(&mut iv);
    EmptyMessage {
        key_material,
        iv: Some(iv),
    }
}

/// Decrypts content; `Ok(None)` for a `KeyTransportElement`: no payload, whatever the key material.
pub(crate) fn open(
    key_material: &[u8],
    iv: Option<&[u8]>,
    payload: Option<&[u8]>,
) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    let Some(payload) = payload else {
        return Ok(None);
    };
    let (key, tag) = key_material
        .split_first_chunk::<KEY_LENGTH>()
        .ok_or(OpenError::Malformed(Malformed::KeyMaterial))?;
    let (ciphertext, tag) = if tag.is_empty() {
        // The style of before 2017: the tag stands at the end of the payload.
        payload
            .split_last_chunk::<TAG_LENGTH>()
            .map(|(ciphertext, tag)| (ciphertext, tag.as_slice()))
            .ok_or(OpenError::Malformed(Malformed::Payload))?
    } else {
        (payload, tag)
    };
    let tag = <[u8; TAG_LENGTH]>::try_from(tag)
        .map_err(|_| OpenError::Malformed(Malformed::KeyMaterial))?;
    let iv = iv.unwrap_or_default();
    let plaintext = match iv.len() {
        12 => decrypt::<U12>(key, iv, ciphertext, tag),
        16 => decrypt::<U16>(key, iv, ciphertext, tag),
        _ => return Err(OpenError::Malformed(Malformed::Payload)),
    };
    plaintext.map(Some).ok_or(OpenError::NotAuthentic)
}

fn decrypt<N: ArraySize>(
    key: &[u8; KEY_LENGTH],
    iv: &[u8],
    ciphertext: &[u8],
    tag: [u8; TAG_LENGTH],
) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = AesGcm::<aes::Aes128, N>::new(key.into());
    let nonce = Nonce::<N>::try_from(iv).ok()?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    cipher
        .decrypt_inout_detached(
            &nonce,
            &[],
            InOutBuf::from(plaintext.as_mut_slice()),
            &Tag::from(tag),
        )
        .ok()?;
    Some(plaintext)
}
