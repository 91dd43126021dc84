//! Tokens (XEP-0484) and their proof (SASL-HT). Written here and not taken from Eft, as SCRAM is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::channel::Channel;
use super::scram::Hash;

/// Takes a client's proof, `name NUL HMAC(token, "Initiator" || binding)`, and gives the server's.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(
    tokens: &[(String, String)],
    mechanism: &str,
    channel: &Channel,
    first: &[u8],
) -> Result<String, &'static str> {
    let kind = mechanism.rsplit('-').next().unwrap_or_default();
    let data = channel.data(kind).ok_or("no such channel binding")?;
    let end = first.iter().position(|byte| *byte == 0).ok_or("no name")?;
    let proof = first.get(end + 1..).unwrap_or_default();
    let prove =
        |token: &str, who: &[u8]| Hash::Sha256.hmac(token.as_bytes(), &[who, data].concat());
    let (_, token) = tokens
        .iter()
        .filter(|(of, _)| of == mechanism)
        .find(|(_, token)| prove(token, b"Initiator") == proof)
        .ok_or("no token gives this proof on this connection")?;
    Ok(BASE64.encode(prove(token, b"Responder")))
}

/// A new one.
pub(crate) fn issue() -> String {
    format!("{:032x}", rand::random::<u128>())
}
