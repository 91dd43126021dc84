//! `HMAC(k, m)`: RFC 2104 with SHA-256.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The MAC of several pieces as if they were one.
pub(crate) fn hmac(key: &[u8; 32], pieces: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // 32 bytes are shorter than the block of SHA-256: the key is used as it is.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for piece in pieces {
        mac.update(piece);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Whether `received` is the truncated MAC of the pieces; takes the same time wherever they differ.
/// Not if `received` is empty.
pub(crate) fn verify_truncated(key: &[u8; 32], pieces: &[&[u8]], received: &[u8]) -> bool {
    let computed = hmac(key, pieces);
    match computed.get(..received.len()) {
        Some(expected) if !received.is_empty() => expected.ct_eq(received).into(),
        _ => false,
    }
}
