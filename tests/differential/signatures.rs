//! XEdDSA against libxeddsa: what one side signs the other accepts, and both say the same of what is spoiled.

use eft_omemo::{IdentityKey, IdentityKeyPair};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::python::{Python, bytes, hex};

/// Signatures that travel in one line.
const BATCH: u64 = 250;

/// One case of each kind below counts as one.
pub(crate) fn compare(python: &mut Python, seed: u64, count: u64) -> u64 {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut done = 0;
    while done < count {
        theirs_by_us(python, &mut rng);
        ours_by_them(python, &mut rng);
        done += 2 * BATCH;
    }
    done
}

struct Case {
    private: [u8; 32],
    message: Vec<u8>,
    /// What libsignal's older scheme does, or XEdDSA with either sign.
    force_sign: Option<bool>,
}

fn case(rng: &mut ChaCha20Rng) -> Case {
    let mut private = [0; 32];
    rng.fill_bytes(&mut private);
    // Clamped (RFC 7748 §5), as every Curve25519 private key is when it is used; libxeddsa leaves that to its caller.
    private[0] &= 248;
    private[31] = (private[31] & 127) | 64;
    let mut message = vec![0; usize::try_from(rng.next_u32() % 80).unwrap()];
    rng.fill_bytes(&mut message);
    Case {
        private,
        message,
        force_sign: [None, Some(false), Some(true)][usize::try_from(rng.next_u32() % 3).unwrap()],
    }
}

/// They sign, under either sign convention; we verify by the Ed25519 form and, as legacy OMEMO does, by the
/// Curve25519 form with the sign in the signature's last bit.
fn theirs_by_us(python: &mut Python, rng: &mut ChaCha20Rng) {
    let cases: Vec<Case> = (0..BATCH).map(|_| case(rng)).collect();
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut nonce = [0; 64];
            rng.fill_bytes(&mut nonce);
            json!({
                "private": hex(&case.private), "message": hex(&case.message),
                "nonce": hex(&nonce), "force_sign": case.force_sign,
            })
        })
        .collect();
    let answer = python.ask(&json!({"do": "sign", "cases": asked}));
    for (case, triple) in cases.iter().zip(answer["signatures"].as_array().unwrap()) {
        let mut signature = bytes(&triple[0]);
        let (ed25519, curve25519) = (bytes(&triple[1]), bytes(&triple[2]));
        let key = IdentityKey::from_ed25519(&ed25519).unwrap();
        assert_eq!(key.curve25519().as_bytes().as_slice(), curve25519);
        assert!(key.verify(&case.message, &signature));
        let ours = IdentityKeyPair::from_private(&case.private).public();
        assert_eq!(ours.curve25519(), key.curve25519());
        if case.force_sign == Some(false) {
            assert_eq!(ours.ed25519().unwrap().as_slice(), ed25519);
        }
        let montgomery = IdentityKey::from_curve25519(&curve25519).unwrap();
        signature[63] |= ed25519[31] & 0x80;
        assert!(montgomery.verify(&case.message, &signature));
        signature[63] ^= 0x80;
        assert!(
            !montgomery.verify(&case.message, &signature),
            "the sign matters"
        );
        signature[63] ^= 0x80;
        let bit = usize::try_from(rng.next_u32() % 511).unwrap();
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(
            !montgomery.verify(&case.message, &signature),
            "bit {bit} matters"
        );
    }
}

/// We sign, they verify; half of the signatures are spoiled first, and both have to say the same of them.
fn ours_by_them(python: &mut Python, rng: &mut ChaCha20Rng) {
    let cases: Vec<(IdentityKey, Vec<u8>, Vec<u8>)> = (0..BATCH)
        .map(|number| {
            let Case {
                private, message, ..
            } = case(rng);
            let pair = IdentityKeyPair::from_private(&private);
            let mut signature = pair.sign(&message, rng).to_vec();
            if number % 2 == 1 {
                let bit = usize::try_from(rng.next_u32() % 512).unwrap();
                signature[bit / 8] ^= 1 << (bit % 8);
            }
            (pair.public(), message, signature)
        })
        .collect();
    let asked: Vec<Value> = cases
        .iter()
        .map(|(key, message, signature)| {
            json!({
                "public": hex(key.ed25519().unwrap()), "message": hex(message), "signature": hex(signature),
            })
        })
        .collect();
    let answer = python.ask(&json!({"do": "verify", "cases": asked}));
    let verdicts = answer["verdicts"].as_array().unwrap();
    for (number, ((key, message, signature), pair)) in cases.iter().zip(verdicts).enumerate() {
        assert_eq!(pair[0].as_bool().unwrap(), number % 2 == 0);
        assert_eq!(key.verify(message, signature), number % 2 == 0);
        assert_eq!(bytes(&pair[1]), key.curve25519().as_bytes());
    }
}
