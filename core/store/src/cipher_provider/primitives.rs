//! What SQLCipher asks of its provider, as safe functions over slices.

use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{EagerHash, Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

/// AES-256.
pub(crate) const KEY_BYTES: usize = 32;
/// CBC's initialisation vector, and the block of AES.
pub(crate) const BLOCK_BYTES: usize = 16;
/// Longest output of a [`Hash`](enum@Hash).
pub(crate) const MAX_MAC_BYTES: usize = 64;

/// Hash of an HMAC or a PBKDF2, by SQLCipher's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// Direction of a cipher call, by SQLCipher's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Decrypt,
    Encrypt,
}

/// An argument has an impossible length or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadArgument;

impl Hash {
    /// `SQLCIPHER_HMAC_*` and `SQLCIPHER_PBKDF2_HMAC_*` share their numbers.
    pub(crate) const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Sha1),
            1 => Some(Self::Sha256),
            2 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(crate) const fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => MAX_MAC_BYTES,
        }
    }
}

impl Mode {
    /// `SQLCIPHER_DECRYPT` is 0, `SQLCIPHER_ENCRYPT` is 1.
    pub(crate) const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Decrypt),
            1 => Some(Self::Encrypt),
            _ => None,
        }
    }
}

/// HMAC (RFC 2104) of two parts. The result fills the first [`Hash::output_bytes`] of the array.
pub(crate) fn hmac(
    hash: Hash,
    key: &[u8],
    first: &[u8],
    second: &[u8],
) -> Result<[u8; MAX_MAC_BYTES], BadArgument> {
    fn run<D: EagerHash>(
        key: &[u8],
        first: &[u8],
        second: &[u8],
    ) -> Result<[u8; MAX_MAC_BYTES], BadArgument> {
        let mut mac = Hmac::<D>::new_from_slice(key).map_err(|_| BadArgument)?;
        mac.update(first);
        mac.update(second);
        let mut result = [0; MAX_MAC_BYTES];
        for (to, from) in result.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        Ok(result)
    }
    match hash {
        Hash::Sha1 => run::<Sha1>(key, first, second),
        Hash::Sha256 => run::<Sha256>(key, first, second),
        Hash::Sha512 => run::<Sha512>(key, first, second),
    }
}

/// PBKDF2 (RFC 8018 §5.2) with HMAC.
pub(crate) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    output_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, BadArgument> {
    if rounds == 0 || output_bytes == 0 {
        return Err(BadArgument);
    }
    let mut output = Zeroizing::new(vec![0; output_bytes]);
    match hash {
        Hash::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, salt, rounds, &mut output),
        Hash::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, rounds, &mut output),
        Hash::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, rounds, &mut output),
    }
    .map_err(|_| BadArgument)?;
    Ok(output)
}

/// AES-256-CBC (NIST SP 800-38A §6.2) without padding, in place.
pub(crate) fn aes_256_cbc(
    mode: Mode,
    key: &[u8],
    iv: &[u8; BLOCK_BYTES],
    data: &mut [u8],
) -> Result<(), BadArgument> {
    let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| BadArgument)?;
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(BadArgument);
    }
    match mode {
        Mode::Encrypt => {
            cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_blocks(blocks);
        }
        Mode::Decrypt => {
            cbc::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_blocks(blocks);
        }
    }
    Ok(())
}
