//! The account that a database belongs to.

use core::fmt;

use eft_types::BareJid;
use zeroize::Zeroizing;

/// What authenticates the account to its server: a password, a SCRAM key, a FAST token. Encoded by
/// the caller; the store never looks inside. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(Zeroizing<Vec<u8>>);

impl Credential {
    /// Takes the encoded credential.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The encoded credential.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// The one account of a database. The address is fixed when the database is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Own address.
    pub jid: BareJid,
    /// How to log in; `None` until it is set, and after the server refused it.
    pub credential: Option<Credential>,
    /// Whether a direct conversation starts out encrypted.
    pub encrypt_direct: bool,
    /// Whether a room that can be encrypted (members only, not anonymous) starts out encrypted.
    pub encrypt_rooms: bool,
}
