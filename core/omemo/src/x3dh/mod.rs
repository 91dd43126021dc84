//! X3DH, the key exchange that makes a session (Signal's specification of that name; XEP-0384 §4.2).
//!
//! Alice initiates with Bob's bundle, Bob accepts with his private keys:
//!
//! ```text
//! DH1 = DH(IK_A, SPK_B)   DH2 = DH(EK_A, IK_B)   DH3 = DH(EK_A, SPK_B)   DH4 = DH(EK_A, OPK_B)
//! SK  = HKDF(salt = 0 * 32, ikm = 0xFF * 32 || DH1 || DH2 || DH3 || DH4, info, 32)
//! ```
//!
//! DH4 is mandatory in OMEMO. Legacy derives 64 bytes and uses the first 32 as SK; the first 32 bytes of
//! HKDF are the same whatever the length.

mod accept;
mod initiate;

pub(crate) use accept::{OurKeys, TheirExchange};
pub(crate) use initiate::{OurExchange, TheirKeys};
use zeroize::Zeroizing;

use crate::crypto::kdf::{ZERO_SALT, hkdf};
use crate::profile::Labels;
use crate::session::RootKey;

/// `SK` from DH1 to DH4.
fn shared_secret(labels: &Labels, agreements: &[Zeroizing<[u8; 32]>; 4]) -> RootKey {
    let mut ikm = Zeroizing::new([0xFF_u8; 32 * 5]);
    for (to, from) in ikm.chunks_exact_mut(32).skip(1).zip(agreements) {
        to.copy_from_slice(from.as_slice());
    }
    RootKey::new(&hkdf(&ZERO_SALT, ikm.as_slice(), labels.x3dh))
}

#[cfg(test)]
mod tests;
