//! What a server says to prove that it knows the password, or the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{PASSWORD, TOKEN};

/// More rounds than this take time and show nothing new; that they are bounded is tested elsewhere.
pub(super) const ROUNDS: u32 = 5000;

/// What a server needs to prove itself (RFC 5802 §3).
#[derive(Default)]
pub(super) struct Dialogue {
    /// The client tries its token, not its password.
    pub(super) by_token: bool,
    pub(super) nonce: String,
    pub(super) first_bare: String,
    pub(super) server_first: String,
    pub(super) without_proof: String,
    pub(super) proven: bool,
}

impl Dialogue {
    /// The server's signature for SCRAM-SHA-256, as one that knows the password makes it.
    pub(super) fn proof(&self) -> Option<String> {
        let (salt, rounds) = parameters(&self.server_first)?;
        let auth_message = [
            &self.first_bare[..],
            &self.server_first,
            &self.without_proof,
        ]
        .join(",");
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), &salt, rounds, &mut salted);
        let key = hmac(&salted, b"Server Key");
        Some(BASE64.encode(hmac(&key, auth_message.as_bytes())))
    }
}

/// The server's proof for that token, as one that knows it makes it.
pub(super) fn responder() -> [u8; 32] {
    hmac(TOKEN.as_bytes(), b"Responder")
}

/// Salt and rounds of a server's first message, if they are few.
fn parameters(server_first: &str) -> Option<(Vec<u8>, u32)> {
    let mut attributes = server_first.split(',').skip(1);
    let salt = BASE64.decode(attributes.next()?.strip_prefix("s=")?).ok()?;
    let rounds = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
    (1..=ROUNDS).contains(&rounds).then_some((salt, rounds))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}
