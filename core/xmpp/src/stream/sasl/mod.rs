//! SASL (RFC 6120 §6): which mechanism, and its exchange. SCRAM is our own so that the server's
//! signature, the iteration count and the nonce are checked where one can see it.

mod channel;
mod end_point;
mod ht;
mod mechanism;
mod offer;
mod plain;
mod scram;

pub use channel::{ChannelBinding, TlsFacts, TlsVersion};
pub(crate) use end_point::public_key_info;
pub use end_point::server_end_point;
pub(crate) use ht::AwaitResponder;
#[cfg(test)]
pub(crate) use ht::respond as ht_respond;
pub use ht::{FastHash, FastMechanism};
pub use mechanism::Mechanism;
pub use offer::SaslOffer;
pub(crate) use offer::{Choice, Gs2, Refusal};
pub(crate) use plain::plain_message;
pub use scram::ScramError;
#[cfg(test)]
pub(crate) use scram::server::ScramServer;
pub(crate) use scram::{AwaitServerFinal, AwaitServerFirst, Evidence, ServerVerified, draw_nonce};

/// RFC 4013, as RFC 5802 §5.1 asks for names and passwords. `None` if it holds prohibited
/// characters or nothing.
pub(crate) fn prepare(text: &str) -> Option<zeroize::Zeroizing<String>> {
    let prepared = stringprep::saslprep(text).ok()?;
    (!prepared.is_empty()).then(|| zeroize::Zeroizing::new(prepared.into_owned()))
}
