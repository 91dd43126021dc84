//! AES-256-CBC with PKCS#7 padding (RFC 5652 §6.3).

use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use subtle::{Choice, ConstantTimeEq as _, ConstantTimeLess as _};
use zeroize::Zeroizing;

/// Bytes of a block, and the longest padding.
const BLOCK: u8 = 16;

/// Encrypts; the result is 1 to 16 bytes longer.
pub(crate) fn encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// Decrypts; `None` if the length or the padding is wrong. Only call it on authenticated bytes: the
/// answer tells about the padding.
pub(crate) fn decrypt(
    key: &[u8; 32],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut plaintext = cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<NoPadding>(ciphertext)
        .map(Zeroizing::new)
        .ok()?;
    let length = unpadded_length(&plaintext)?;
    plaintext.truncate(length);
    Some(plaintext)
}

/// How much of the blocks is content; `None` if the padding is wrong. The time it takes does not tell where.
///
/// The padding is behind a MAC, so that nobody can ask questions about it; this is the second lock on that door.
pub(super) fn unpadded_length(blocks: &[u8]) -> Option<usize> {
    let last = blocks.last_chunk::<{ BLOCK as usize }>()?;
    let count = last[15];
    let mut good = !count.ct_eq(&0) & count.ct_lt(&(BLOCK + 1));
    for (from_end, byte) in (0..BLOCK).zip(last.iter().rev()) {
        let is_padding: Choice = from_end.ct_lt(&count);
        good &= !is_padding | byte.ct_eq(&count);
    }
    bool::from(good)
        .then(|| blocks.len().checked_sub(usize::from(count)))
        .flatten()
}
