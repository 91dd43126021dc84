//! XEdDSA: Ed25519 signatures by a Curve25519 key (Signal's "XEdDSA and VXEdDSA", §2).
//!
//! With `k` the clamped Curve25519 scalar and `B` the base point:
//!
//! ```text
//! E = kB;  A = y(E) with sign bit 0;  a = -k mod L if sign(E) = 1, else k mod L
//! r = SHA-512(0xFE || 0xFF * 31 || a || M || Z) mod L      Z: 64 random bytes
//! R = rB
//! h = SHA-512(R || A || M) mod L
//! s = r + ha mod L
//! signature = R || s
//! ```
//!
//! The result is a plain Ed25519 signature under `A`.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, Zeroizing};

use super::field::is_field_element;

/// A signature: `R || s`.
pub(crate) type SignatureBytes = [u8; 64];

/// `a` and `A` of the formulas above.
fn edwards_key_pair(private: &[u8; 32]) -> (Zeroizing<Scalar>, [u8; 32]) {
    let clamped = Zeroizing::new(clamp_integer(*private));
    let mut k = Scalar::from_bytes_mod_order(*clamped);
    let point = EdwardsPoint::mul_base(&k).compress().to_bytes();
    let sign = subtle::Choice::from(point[31] >> 7);
    let negated = Zeroizing::new(-k);
    let a = Zeroizing::new(subtle::ConditionallySelectable::conditional_select(
        &k, &negated, sign,
    ));
    k.zeroize();
    let mut public = point;
    public[31] &= 0x7F;
    (a, public)
}

/// The Ed25519 form `A` of a Curve25519 private key; its sign bit is 0.
pub(crate) fn ed25519_public(private: &[u8; 32]) -> [u8; 32] {
    edwards_key_pair(private).1
}

/// Signs, with `z` = 64 fresh random bytes.
pub(crate) fn sign(private: &[u8; 32], message: &[u8], z: &[u8; 64]) -> SignatureBytes {
    let (a, public) = edwards_key_pair(private);
    let mut prefix = [0xFF; 32];
    prefix[0] = 0xFE;
    let mut r = Zeroizing::new(scalar(&[&prefix, a.as_bytes(), message, z]));
    let big_r = EdwardsPoint::mul_base(&r).compress().to_bytes();
    let h = scalar(&[&big_r, &public, message]);
    let s = (*r + h * *a).to_bytes();
    r.zeroize();
    let mut signature = [0; 64];
    for (to, from) in signature.iter_mut().zip(big_r.iter().chain(&s)) {
        *to = *from;
    }
    signature
}

fn scalar(pieces: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new();
    for piece in pieces {
        hash.update(piece);
    }
    let mut digest: [u8; 64] = hash.finalize().into();
    let scalar = Scalar::from_bytes_mod_order_wide(&digest);
    digest.zeroize();
    scalar
}

/// Whether `signature` is an Ed25519 signature by `public`. Refuses non-canonical `s` and keys of small
/// order, as libsodium does.
pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_bytes(public),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    !key.is_weak() && ed25519_dalek::Verifier::verify(&key, message, &signature).is_ok()
}

/// Verifies a signature by a key known in Montgomery form only, as legacy OMEMO does.
///
/// XEdDSA signs with sign bit 0. libsignal's older scheme leaves the sign free and carries it in the top
/// bit of the last byte, which is always 0 in a canonical `s`. Reading that bit as the sign accepts both.
pub(crate) fn verify_montgomery(u: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(mut signature) = SignatureBytes::try_from(signature) else {
        return false;
    };
    let sign = signature[63] >> 7;
    signature[63] &= 0x7F;
    MontgomeryPoint(*u)
        .to_edwards(sign)
        .is_some_and(|point| verify(&point.compress().to_bytes(), message, &signature))
}

/// Whether an Ed25519 public key is the only form of its point: `y` reduced.
pub(crate) fn is_canonical(ed25519: &[u8; 32]) -> bool {
    let mut y = *ed25519;
    y[31] &= 0x7F;
    is_field_element(&y)
}

/// `u = (1 + y) / (1 - y)`: the Montgomery form of an Ed25519 public key, the sign dropped (RFC 7748
/// §4.1). `None` if the bytes are no point.
pub(crate) fn montgomery(ed25519: &[u8; 32]) -> Option<[u8; 32]> {
    let point = CompressedEdwardsY(*ed25519).decompress()?;
    Some(point.to_montgomery().to_bytes())
}
