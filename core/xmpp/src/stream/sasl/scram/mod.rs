//! SCRAM (RFC 5802, RFC 7677), with and without channel binding; the downgrade protections of
//! XEP-0474 (`h=`, the offer) and XEP-0515 (`t=`, the version of TLS).
//!
//! ```text
//! SaltedPassword  := Hi(Normalize(password), salt, i)
//! ClientKey       := HMAC(SaltedPassword, "Client Key")
//! StoredKey       := H(ClientKey)
//! AuthMessage     := client-first-message-bare + "," + server-first-message + ","
//!                    + client-final-message-without-proof
//! ClientSignature := HMAC(StoredKey, AuthMessage)
//! ClientProof     := ClientKey XOR ClientSignature
//! ServerKey       := HMAC(SaltedPassword, "Server Key")
//! ServerSignature := HMAC(ServerKey, AuthMessage)
//! ```

mod server_first;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use self::server_first::{ServerFirst, bounded_text};
use super::offer::{Gs2, SaslOffer};
use super::{Mechanism, TlsVersion};
use crate::limits::{SCRAM_MAX_ITERATIONS, SCRAM_MIN_ITERATIONS};

/// 18 random bytes: 24 characters of base64, none of them a comma.
const NONCE_BYTES: usize = 18;

/// How a server failed to prove itself, or asked for what we do not give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// Not a message of RFC 5802 §7, or larger than any real one.
    #[error("malformed server message")]
    Malformed,
    /// An extension that we would have to understand (RFC 5802 §5.1, attribute `m`).
    #[error("unsupported mandatory extension")]
    MandatoryExtension,
    /// The server's nonce does not begin with ours, or adds nothing to it: a replay.
    #[error("the server did not extend the nonce")]
    Nonce,
    /// Below [`SCRAM_MIN_ITERATIONS`] or above [`SCRAM_MAX_ITERATIONS`].
    #[error("iteration count {got} is outside {SCRAM_MIN_ITERATIONS}..={SCRAM_MAX_ITERATIONS}")]
    Iterations {
        /// What the server asked for.
        got: u64,
    },
    /// The server does not know the password's verifier: it is not who it says.
    #[error("wrong server signature")]
    ServerSignature,
    /// The server said success without a signature.
    #[error("the server gave no signature")]
    NoServerSignature,
    /// The server reported an error of RFC 5802 §7 (`e=`).
    #[error("the server reports {0}")]
    ServerError(String),
    /// The offer of mechanisms and channel bindings that reached us is not the one that the server
    /// made (XEP-0474): somebody sits between.
    #[error("somebody changed the server's offer of mechanisms")]
    OfferAltered,
    /// The server offers channel binding only of kinds that we do not have, and has no XEP-0474 to
    /// show that this is its own offer: as it would look if somebody had changed it. Prosody 13 over
    /// TLS 1.2, where it has `tls-unique` only, is such a server.
    #[error("the server offers no channel binding that we have, and does not prove its offer")]
    OfferUnproven,
    /// The server speaks another version of TLS with its peer than we do with ours (XEP-0515):
    /// somebody sits between.
    #[error("the server speaks TLS {server} with its peer, which is not us")]
    TlsVersionAltered {
        /// What the server says, four hexadecimal digits.
        server: String,
    },
}

/// What the server's claims about the connection are checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    /// The offer that reached us.
    pub(crate) offer: &'a SaslOffer,
    /// Of our connection, if known.
    pub(crate) tls_version: Option<TlsVersion>,
    /// A server without a digest of its offer is not believed.
    pub(crate) needs_digest: bool,
}

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

type Secret = Zeroizing<Vec<u8>>;

impl Hash {
    fn of(mechanism: Mechanism) -> Option<Self> {
        match mechanism {
            Mechanism::Plain => None,
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus => Some(Self::Sha1),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => Some(Self::Sha256),
            Mechanism::ScramSha512 | Mechanism::ScramSha512Plus => Some(Self::Sha512),
        }
    }

    fn hi(self, password: &str, salt: &[u8], iterations: u32) -> Secret {
        let password = password.as_bytes();
        match self {
            Self::Sha1 => {
                let mut out = Zeroizing::new(vec![0; 20]);
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut out);
                out
            }
            Self::Sha256 => {
                let mut out = Zeroizing::new(vec![0; 32]);
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut out);
                out
            }
            Self::Sha512 => {
                let mut out = Zeroizing::new(vec![0; 64]);
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut out);
                out
            }
        }
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Secret {
        fn run<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Secret {
            // HMAC takes keys of any length; the error of the interface cannot occur.
            match <M as KeyInit>::new_from_slice(key) {
                Ok(mut mac) => {
                    mac.update(message);
                    Zeroizing::new(mac.finalize().into_bytes().to_vec())
                }
                Err(_) => Zeroizing::new(Vec::new()),
            }
        }
        match self {
            Self::Sha1 => run::<Hmac<Sha1>>(key, message),
            Self::Sha256 => run::<Hmac<Sha256>>(key, message),
            Self::Sha512 => run::<Hmac<Sha512>>(key, message),
        }
    }

    fn h(self, message: &[u8]) -> Secret {
        Zeroizing::new(match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        })
    }
}

/// The client's first message is out.
pub(crate) struct AwaitServerFirst {
    hash: Hash,
    nonce: String,
    first_bare: String,
    /// `gs2-header` and channel-binding data, as `c=` repeats them.
    binding: Secret,
    password: Secret,
}

/// The client's proof is out; the server has to prove itself.
pub(crate) struct AwaitServerFinal {
    server_signature: Secret,
}

/// Proof, made only by [`AwaitServerFinal::verify`], that the server's signature was right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerVerified(());

impl ServerVerified {
    /// For [`super::ht`], which proves the same by another hash.
    pub(super) const fn new() -> Self {
        Self(())
    }
}

/// A nonce for [`AwaitServerFirst::start`].
pub(crate) fn draw_nonce(rng: &mut impl CryptoRng) -> String {
    let mut random = [0; NONCE_BYTES];
    rng.fill_bytes(&mut random);
    BASE64.encode(random)
}

impl AwaitServerFirst {
    /// `username` and `password` are prepared ([`super::prepare`]). Returns the client's first
    /// message; `None` for a mechanism that is not SCRAM.
    pub(crate) fn start(
        mechanism: Mechanism,
        gs2: &Gs2,
        username: &str,
        password: &str,
        nonce: String,
    ) -> Option<(Self, String)> {
        let hash = Hash::of(mechanism)?;
        let username = username.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={username},r={nonce}");
        let (gs2_header, data): (_, &[u8]) = match gs2 {
            Gs2::CannotBind => ("n,,".to_owned(), &[]),
            Gs2::NotOffered => ("y,,".to_owned(), &[]),
            Gs2::Bound(kind, data) => (format!("p={kind},,"), data),
        };
        let message = format!("{gs2_header}{first_bare}");
        let mut binding = Zeroizing::new(gs2_header.into_bytes());
        binding.extend_from_slice(data);
        let state = Self {
            hash,
            nonce,
            first_bare,
            binding,
            password: Zeroizing::new(password.as_bytes().to_vec()),
        };
        Some((state, message))
    }

    /// Takes `r=,s=,i=` and gives the client's final message. Costs up to
    /// [`SCRAM_MAX_ITERATIONS`] rounds of HMAC. What the server says about the connection is
    /// compared first: to whoever changed it, no proof is sent.
    pub(crate) fn respond(
        self,
        server_first: &[u8],
        evidence: Evidence<'_>,
    ) -> Result<(AwaitServerFinal, String), ScramError> {
        let ServerFirst {
            nonce,
            salt,
            iterations,
            claims,
        } = ServerFirst::parse(server_first, &self.nonce)?;
        claims.check(self.hash, evidence)?;
        let server_first = core::str::from_utf8(server_first).map_err(|_| ScramError::Malformed)?;
        let password = core::str::from_utf8(&self.password).map_err(|_| ScramError::Malformed)?;

        let without_proof = format!("c={},r={nonce}", BASE64.encode(self.binding.as_slice()));
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);

        let salted_password = self.hash.hi(password, &salt, iterations);
        let client_key = self.hash.hmac(&salted_password, b"Client Key");
        let stored_key = self.hash.h(&client_key);
        let client_signature = self.hash.hmac(&stored_key, auth_message.as_bytes());
        let client_proof: Secret = Zeroizing::new(
            client_key
                .iter()
                .zip(client_signature.iter())
                .map(|(key, signature)| key ^ signature)
                .collect(),
        );
        let server_key = self.hash.hmac(&salted_password, b"Server Key");
        let server_signature = self.hash.hmac(&server_key, auth_message.as_bytes());

        let message = format!(
            "{without_proof},p={}",
            BASE64.encode(client_proof.as_slice())
        );
        Ok((AwaitServerFinal { server_signature }, message))
    }
}

impl AwaitServerFinal {
    /// Takes `v=` (or `e=`).
    pub(crate) fn verify(self, server_final: &[u8]) -> Result<ServerVerified, ScramError> {
        let text = bounded_text(server_final)?;
        let first = text.split(',').next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            return Err(ScramError::ServerError(error.chars().take(64).collect()));
        }
        let signature = first.strip_prefix("v=").ok_or(ScramError::Malformed)?;
        let signature = BASE64
            .decode(signature)
            .map_err(|_| ScramError::Malformed)?;
        if bool::from(self.server_signature.as_slice().ct_eq(&signature)) {
            Ok(ServerVerified(()))
        } else {
            Err(ScramError::ServerSignature)
        }
    }
}

#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod tests;
