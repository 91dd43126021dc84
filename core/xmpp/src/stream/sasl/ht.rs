//! SASL-HT: a token proven by one hash in each direction (draft-schmaus-kitten-sasl-ht), for
//! XEP-0484.
//!
//! ```text
//! initiator := authcid NUL HMAC(token, "Initiator" || cb-data)
//! responder := HMAC(token, "Responder" || cb-data)
//! ```

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::ServerVerified;
use super::channel::{ChannelBinding, TlsFacts};

/// A mechanism of the family. The order is that of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FastMechanism {
    /// What the proof is bound to; `None` can be repeated by whoever sees it.
    pub binding: Option<ChannelBinding>,
    /// The hash.
    pub hash: FastHash,
}

/// Hash of a [`FastMechanism`], weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FastHash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl FastMechanism {
    /// Reads a name such as `HT-SHA-256-EXPR`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (hash, binding) = name.strip_prefix("HT-")?.rsplit_once('-')?;
        Some(Self {
            hash: match hash {
                "SHA-256" => FastHash::Sha256,
                "SHA-512" => FastHash::Sha512,
                _ => return None,
            },
            binding: match binding {
                "NONE" => None,
                "ENDP" => Some(ChannelBinding::TlsServerEndPoint),
                "EXPR" => Some(ChannelBinding::TlsExporter),
                _ => return None,
            },
        })
    }

    /// Data to bind to; `None` if this connection has none of that kind.
    pub(crate) fn binding_data(self, tls: &TlsFacts) -> Option<&[u8]> {
        match self.binding {
            Some(kind) => tls.binding(kind),
            None => Some(&[]),
        }
    }
}

impl fmt::Display for FastMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = match self.hash {
            FastHash::Sha256 => "SHA-256",
            FastHash::Sha512 => "SHA-512",
        };
        let binding = match self.binding {
            None => "NONE",
            Some(ChannelBinding::TlsServerEndPoint) => "ENDP",
            Some(ChannelBinding::TlsExporter) => "EXPR",
        };
        write!(f, "HT-{hash}-{binding}")
    }
}

/// The initiator's message is out.
pub(crate) struct AwaitResponder {
    expected: Zeroizing<Vec<u8>>,
}

impl AwaitResponder {
    /// `username` is the local part as prepared for SASL. `None` if the connection cannot give what
    /// the mechanism binds to.
    pub(crate) fn start(
        mechanism: FastMechanism,
        username: &str,
        token: &str,
        tls: &TlsFacts,
    ) -> Option<(Self, Zeroizing<Vec<u8>>)> {
        let data = mechanism.binding_data(tls)?;
        let mut message = Zeroizing::new(Vec::with_capacity(username.len() + 65));
        message.extend_from_slice(username.as_bytes());
        message.push(0);
        message.extend_from_slice(&mechanism.hmac(token, b"Initiator", data));
        let expected = mechanism.hmac(token, b"Responder", data);
        Some((Self { expected }, message))
    }

    /// Takes the additional data of `<success/>`: only who knows the token can make it.
    pub(crate) fn verify(&self, responder: &[u8]) -> Option<ServerVerified> {
        bool::from(self.expected.as_slice().ct_eq(responder)).then_some(ServerVerified::new())
    }
}

impl FastMechanism {
    fn hmac(self, token: &str, who: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        fn run<M: Mac + KeyInit>(key: &str, parts: [&[u8]; 2]) -> Zeroizing<Vec<u8>> {
            // HMAC takes keys of any length; the error of the interface cannot occur.
            match <M as KeyInit>::new_from_slice(key.as_bytes()) {
                Ok(mut mac) => {
                    parts.into_iter().for_each(|part| mac.update(part));
                    Zeroizing::new(mac.finalize().into_bytes().to_vec())
                }
                Err(_) => Zeroizing::new(Vec::new()),
            }
        }
        match self.hash {
            FastHash::Sha256 => run::<Hmac<Sha256>>(token, [who, data]),
            FastHash::Sha512 => run::<Hmac<Sha512>>(token, [who, data]),
        }
    }
}

/// The other side, for tests: the responder's message if the initiator's is right.
#[cfg(test)]
pub(crate) fn respond(
    mechanism: FastMechanism,
    token: &str,
    tls: &TlsFacts,
    initiator: &[u8],
) -> Option<Vec<u8>> {
    let data = mechanism.binding_data(tls)?;
    let at = initiator.iter().position(|byte| *byte == 0)?;
    let is_right = initiator[at + 1..] == mechanism.hmac(token, b"Initiator", data)[..];
    is_right.then(|| mechanism.hmac(token, b"Responder", data).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(byte: u8) -> TlsFacts {
        TlsFacts {
            exporter: Some(Zeroizing::new([byte; 32])),
            ..TlsFacts::default()
        }
    }

    fn mechanism(name: &str) -> FastMechanism {
        FastMechanism::from_name(name).unwrap()
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["HT-SHA-256-NONE", "HT-SHA-256-ENDP", "HT-SHA-512-EXPR"] {
            assert_eq!(mechanism(name).to_string(), name);
        }
        for name in [
            "HT-SHA-256-UNIQ",
            "HT-SHA3-512-EXPR",
            "HT-",
            "SCRAM-SHA-1",
            "HT-SHA-256",
        ] {
            assert_eq!(FastMechanism::from_name(name), None);
        }
        assert!(mechanism("HT-SHA-256-EXPR") > mechanism("HT-SHA-512-ENDP"));
        assert!(mechanism("HT-SHA-256-ENDP") > mechanism("HT-SHA-512-NONE"));
    }

    #[test]
    fn the_proof_holds_for_one_connection_and_in_both_directions() {
        let expr = mechanism("HT-SHA-256-EXPR");
        let (state, message) = AwaitResponder::start(expr, "user", "secret", &facts(1)).unwrap();
        assert!(message.starts_with(b"user\0") && message.len() == 5 + 32);
        assert_eq!(
            respond(expr, "secret", &facts(2), &message),
            None,
            "another connection"
        );
        assert_eq!(
            respond(expr, "other", &facts(1), &message),
            None,
            "another token"
        );
        let answer = respond(expr, "secret", &facts(1), &message).unwrap();
        assert!(state.verify(&answer).is_some());
        // The client's own proof, sent back, proves nothing.
        assert!(state.verify(&message[5..]).is_none());
        assert!(state.verify(b"").is_none());
    }

    #[test]
    fn without_the_data_to_bind_to_there_is_no_message() {
        let endp = mechanism("HT-SHA-256-ENDP");
        assert!(AwaitResponder::start(endp, "user", "secret", &facts(1)).is_none());
        let none = mechanism("HT-SHA-256-NONE");
        assert!(AwaitResponder::start(none, "user", "secret", &TlsFacts::default()).is_some());
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic_and_never_pass(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            let (state, _) = AwaitResponder::start(mechanism("HT-SHA-512-NONE"), "u", "t", &TlsFacts::default()).unwrap();
            prop_assert!(state.verify(&bytes).is_none());
            let _ = FastMechanism::from_name(&String::from_utf8_lossy(&bytes));
        }
    }
}
