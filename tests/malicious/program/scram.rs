//! The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), honest or not. Written here and not taken from Eft, so that
//! a fault cannot be on both sides.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Asks for so many rounds.
    Iterations(u64),
    /// Does not take up the client's nonce.
    ForeignNonce,
    /// Adds nothing to the client's nonce.
    ReusedNonce,
    /// Proves nothing: another signature.
    WrongSignature,
    /// Proves nothing: no signature.
    NoSignature,
}

const SALT: &[u8] = b"sixteen octets!!";
const ITERATIONS: u64 = 4096;

/// One exchange.
#[derive(Debug)]
pub(crate) struct Exchange {
    fault: Fault,
    password: String,
    gs2: String,
    client_first: String,
    server_first: String,
    nonce: String,
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // A key of any length is a key.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

impl Exchange {
    /// Takes the client's first message and gives the challenge.
    pub(crate) fn begin(fault: Fault, password: &str, first: &str) -> Option<(Self, String)> {
        let second_comma = first.match_indices(',').nth(1)?.0;
        let (gs2, bare) = first.split_at_checked(second_comma + 1)?;
        let client_nonce = attribute(bare, "r")?;
        let nonce = match fault {
            Fault::ForeignNonce => "0123456789abcdefghijklmnopqrstuvwxyz".to_owned(),
            Fault::ReusedNonce => client_nonce.to_owned(),
            _ => format!("{client_nonce}{:016x}", rand::random::<u64>()),
        };
        let iterations = match fault {
            Fault::Iterations(count) => count,
            _ => ITERATIONS,
        };
        let server_first = format!("r={nonce},s={},i={iterations}", BASE64.encode(SALT));
        let exchange = Self {
            fault,
            password: password.to_owned(),
            gs2: gs2.to_owned(),
            client_first: bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Some((exchange, server_first))
    }

    /// Takes the client's last message and gives the outcome; `None` if the password is wrong.
    pub(crate) fn end(&self, last: &str) -> Option<String> {
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        let proof = BASE64.decode(proof).ok()?;
        if attribute(without_proof, "r")? != self.nonce
            || attribute(without_proof, "c")? != BASE64.encode(&self.gs2)
        {
            return None;
        }
        let mut salted = [0; 32];
        let iterations = u32::try_from(ITERATIONS).ok()?;
        pbkdf2::pbkdf2_hmac::<Sha256>(self.password.as_bytes(), SALT, iterations, &mut salted);
        let signed = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let stored = Sha256::digest(hmac(&salted, b"Client Key"));
        let signature = hmac(&stored, signed.as_bytes());
        let key: Vec<u8> = proof
            .iter()
            .zip(signature)
            .map(|(proof, byte)| proof ^ byte)
            .collect();
        if Sha256::digest(key) != stored {
            return None;
        }
        let mut verifier = hmac(&hmac(&salted, b"Server Key"), signed.as_bytes());
        match self.fault {
            Fault::WrongSignature => verifier[0] ^= 1,
            Fault::NoSignature => return Some(String::new()),
            _ => {}
        }
        Some(format!("v={}", BASE64.encode(verifier)))
    }
}
