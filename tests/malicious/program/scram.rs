//! The server's half of SCRAM (RFC 5802, RFC 7677), honest or not. Written here and not taken from Eft, so that a fault
//! cannot be on both sides.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::channel::Channel;
use super::offer::Offer;

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
    /// The hash is that of another offer (XEP-0474).
    OtherOffer,
    /// The hash is there twice, and only the second is right.
    TwoOffers,
    /// The version of TLS is another (XEP-0515).
    OtherTls,
}

const SALT: &[u8] = b"sixteen octets!!";
const ITERATIONS: u32 = 4096;

/// The hash in the name of a mechanism.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn of(mechanism: &str) -> Option<Self> {
        match mechanism.trim_end_matches("-PLUS") {
            "SCRAM-SHA-1" => Some(Self::Sha1),
            "SCRAM-SHA-256" => Some(Self::Sha256),
            _ => None,
        }
    }

    pub(crate) fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn of<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            // A key of any length is a key.
            M::new_from_slice(key).map_or(Vec::new(), |mac| {
                mac.chain_update(data).finalize().into_bytes().to_vec()
            })
        }
        match self {
            Self::Sha1 => of::<Hmac<Sha1>>(key, data),
            Self::Sha256 => of::<Hmac<Sha256>>(key, data),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn salted(self, password: &str) -> Vec<u8> {
        let password = password.as_bytes();
        match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, SALT, ITERATIONS).to_vec()
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, SALT, ITERATIONS).to_vec()
            }
        }
    }
}

/// What an exchange is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) fault: Fault,
    pub(crate) password: &'a str,
    pub(crate) mechanism: &'a str,
    /// As it was made, whatever the client saw.
    pub(crate) offer: Offer,
    pub(crate) is_sasl2: bool,
    pub(crate) channel: &'a Channel,
}

/// One exchange.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    terms: Terms<'a>,
    hash: Hash,
    /// What `c=` has to hold.
    bound: Vec<u8>,
    /// The client believes that there is no channel binding to be had.
    is_misled: bool,
    client_first: String,
    server_first: String,
    nonce: String,
}

fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

impl<'a> Exchange<'a> {
    /// Takes the client's first message and gives the challenge.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub(crate) fn begin(terms: Terms<'a>, first: &str) -> Result<(Self, String), &'static str> {
        let hash = Hash::of(terms.mechanism).ok_or("no SCRAM")?;
        let second_comma = first.match_indices(',').nth(1).ok_or("no GS2 header")?.0;
        let (gs2, bare) = first.split_at(second_comma + 1);
        let flag = gs2.split(',').next().unwrap_or_default();
        let kind = flag.strip_prefix("p=");
        if kind.is_some() != terms.mechanism.ends_with("-PLUS") {
            return Err("channel binding and mechanism do not fit");
        }
        let data = match kind {
            Some(kind) if !terms.offer.bindings.contains(&kind) => return Err("no such offer"),
            Some(kind) => terms.channel.data(kind).ok_or("no such channel binding")?,
            None => &[],
        };
        let names = terms.offer.names(terms.is_sasl2);
        let is_misled = flag == "y" && names.iter().any(|name| name.ends_with("-PLUS"));
        // RFC 5802 §6: it has to fail. Who hashes its offer lets the client see that first.
        if is_misled && !terms.offer.is_hashed {
            return Err("the client saw no channel binding");
        }
        let client_nonce = attribute(bare, "r").ok_or("no nonce")?;
        let nonce = match terms.fault {
            Fault::ForeignNonce => "0123456789abcdefghijklmnopqrstuvwxyz".to_owned(),
            Fault::ReusedNonce => client_nonce.to_owned(),
            _ => format!("{client_nonce}{:016x}", rand::random::<u64>()),
        };
        let iterations = match terms.fault {
            Fault::Iterations(count) => count,
            _ => ITERATIONS.into(),
        };
        let salt = BASE64.encode(SALT);
        let claims = terms.claims(hash);
        let server_first = format!("r={nonce},s={salt},i={iterations}{claims}");
        let exchange = Self {
            terms,
            hash,
            bound: [gs2.as_bytes(), data].concat(),
            is_misled,
            client_first: bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Ok((exchange, server_first))
    }

    /// Takes the client's last message and gives the outcome.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub(crate) fn end(&self, last: &str) -> Result<String, &'static str> {
        let (without_proof, proof) = last.rsplit_once(",p=").ok_or("no proof")?;
        let proof = BASE64.decode(proof).map_err(|_| "no proof")?;
        if attribute(without_proof, "r") != Some(&self.nonce) {
            return Err("another nonce");
        }
        if attribute(without_proof, "c") != Some(&BASE64.encode(&self.bound)) {
            return Err("another channel binding");
        }
        if self.is_misled {
            return Err("the client saw no channel binding");
        }
        let salted = self.hash.salted(self.terms.password);
        let signed = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let hmac = |key: &[u8], data: &str| self.hash.hmac(key, data.as_bytes());
        let stored = self.hash.digest(&hmac(&salted, "Client Key"));
        let signature = hmac(&stored, &signed);
        let key: Vec<u8> = proof
            .iter()
            .zip(signature)
            .map(|(proof, byte)| proof ^ byte)
            .collect();
        if self.hash.digest(&key) != stored {
            return Err("another password");
        }
        let mut verifier = hmac(&hmac(&salted, "Server Key"), &signed);
        match (self.terms.fault, verifier.first_mut()) {
            (Fault::WrongSignature, Some(byte)) => *byte ^= 1,
            (Fault::NoSignature, _) => return Ok(String::new()),
            _ => {}
        }
        Ok(format!("v={}", BASE64.encode(verifier)))
    }
}

impl Terms<'_> {
    /// What the challenge says about the connection.
    fn claims(&self, hash: Hash) -> String {
        if !self.offer.is_hashed {
            return String::new();
        }
        let offered =
            |offer: Offer| BASE64.encode(hash.digest(offer.hashed(self.is_sasl2).as_bytes()));
        let other = self.offer.with_names(&["SCRAM-SHA-512-PLUS"]);
        let offer = match self.fault {
            Fault::OtherOffer => offered(other),
            Fault::TwoOffers => format!("{},h={}", offered(other), offered(self.offer)),
            _ => offered(self.offer),
        };
        let version = match self.fault {
            Fault::OtherTls if self.channel.version == "0304" => "0303",
            Fault::OtherTls => "0304",
            _ => self.channel.version,
        };
        format!(",h={offer},t={version}")
    }
}
