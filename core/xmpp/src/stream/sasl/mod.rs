//! SASL (RFC 6120 §6): which mechanism, and its exchange. SCRAM is our own so that the server's
//! signature, the iteration count and the nonce are checked where one can see it.

mod mechanism;
mod plain;
mod scram;

pub use mechanism::Mechanism;
pub(crate) use mechanism::choose;
pub(crate) use plain::plain_message;
pub use scram::ScramError;
#[cfg(test)]
pub(crate) use scram::server::ScramServer;
pub(crate) use scram::{AwaitServerFinal, AwaitServerFirst, ServerVerified};

/// RFC 4013, as RFC 5802 §5.1 asks for names and passwords. `None` if it holds prohibited
/// characters or nothing.
pub(crate) fn prepare(text: &str) -> Option<zeroize::Zeroizing<String>> {
    let prepared = stringprep::saslprep(text).ok()?;
    (!prepared.is_empty()).then(|| zeroize::Zeroizing::new(prepared.into_owned()))
}
