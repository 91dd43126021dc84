//! The stored form of a credential: the store keeps it as bytes.

use eft_store::Credential;
use zeroize::Zeroizing;

use crate::config::Credentials;
use crate::error::Error;

/// First byte: what kind of credential follows.
const PASSWORD: u8 = 1;

/// A password, to be kept in the encrypted database.
pub(crate) fn encode(credentials: &Credentials) -> Credential {
    let mut bytes = Vec::with_capacity(1 + credentials.password.len());
    bytes.push(PASSWORD);
    bytes.extend_from_slice(credentials.password.as_bytes());
    Credential::new(bytes)
}

/// The password out of the database.
pub(crate) fn password(credential: Option<&Credential>) -> Result<Zeroizing<String>, Error> {
    let Some(credential) = credential else {
        return Err(Error::AuthRejected {
            reason: "no password is stored for this account".to_owned(),
        });
    };
    match credential.as_bytes().split_first() {
        Some((&PASSWORD, password)) => String::from_utf8(password.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| Error::bug("a stored password is not UTF-8")),
        _ => Err(Error::bug("a stored credential of an unknown kind")),
    }
}
