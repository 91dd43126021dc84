//! `HKDF(salt, ikm, info, L)`: RFC 5869 with SHA-256.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The salt "32 zero bytes" that X3DH and the message keys use.
pub(crate) const ZERO_SALT: [u8; 32] = [0; 32];

/// Derives `N` bytes.
pub(crate) fn hkdf<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    // The longest output of RFC 5869 §2.3; checked at compile time, so `expand` cannot fail.
    const { assert!(N <= 255 * 32) };
    let mut okm = Zeroizing::new([0; N]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, okm.as_mut_slice());
    debug_assert!(expanded.is_ok());
    okm
}
