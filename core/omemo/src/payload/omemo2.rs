//! The payload of omemo:2 (XEP-0384 §4.4).
//!
//! ```text
//! key = 32 random bytes
//! HKDF(0 * 32, key, "OMEMO Payload", 80) = encryption key (32) || authentication key (32) || IV (16)
//! ciphertext = AES-256-CBC-PKCS7(encryption key, IV, content)
//! hmac = HMAC(authentication key, ciphertext)[0..16]
//! key material = key || hmac
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{OpenError, SealedPayload};
use crate::Malformed;
use crate::crypto::kdf::{ZERO_SALT, hkdf};
use crate::crypto::{cbc, mac};

const INFO: &[u8] = b"OMEMO Payload";
const KEY_LENGTH: usize = 32;
const MAC_LENGTH: usize = 16;

/// The three keys of one payload.
struct PayloadKeys(Zeroizing<[u8; 80]>);

impl PayloadKeys {
    fn derive(key: &[u8; KEY_LENGTH]) -> Self {
        Self(hkdf(&ZERO_SALT, key, INFO))
    }

    fn split(&self) -> (&[u8; 32], &[u8; 32], &[u8; 16]) {
        crate::session::split_80(&self.0)
    }
}

/// Encrypts content under a fresh key.
pub(crate) fn seal(plaintext: &[u8], rng: &mut dyn CryptoRng) -> SealedPayload {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    rng.fill_bytes(key.as_mut_slice());
    seal_with(&key, plaintext)
}

pub(super) fn seal_with(key: &[u8; KEY_LENGTH], plaintext: &[u8]) -> SealedPayload {
    let keys = PayloadKeys::derive(key);
    let (encryption, authentication, iv) = keys.split();
    let ciphertext = cbc::encrypt(encryption, iv, plaintext);
    let hmac = mac::hmac(authentication, &[&ciphertext]);
    let mut key_material = Zeroizing::new(key.to_vec());
    key_material.extend(hmac.iter().take(MAC_LENGTH));
    SealedPayload {
        key_material,
        ciphertext,
        iv: None,
    }
}

/// Decrypts content; `Ok(None)` for an empty message: 32 bytes and no payload.
pub(crate) fn open(
    key_material: &[u8],
    payload: Option<&[u8]>,
) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    let Some(payload) = payload else {
        return if key_material.len() == KEY_LENGTH {
            Ok(None)
        } else {
            Err(OpenError::Malformed(Malformed::KeyMaterial))
        };
    };
    let (key, hmac) = match key_material.split_first_chunk::<KEY_LENGTH>() {
        Some((key, hmac)) if hmac.len() == MAC_LENGTH => (key, hmac),
        _ => return Err(OpenError::Malformed(Malformed::KeyMaterial)),
    };
    let keys = PayloadKeys::derive(key);
    let (encryption, authentication, iv) = keys.split();
    if !mac::verify_truncated(authentication, &[payload], hmac) {
        return Err(OpenError::NotAuthentic);
    }
    cbc::decrypt(encryption, iv, payload)
        .map(Some)
        .ok_or(OpenError::Malformed(Malformed::Payload))
}
