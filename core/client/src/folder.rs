//! Layout of the data folder.
//!
//! ```text
//! DATA/                       0700
//!   alice%40example.org/      0700, one per account; the name is the address, percent-encoded
//!     store.id                names the account's key in the secret store
//!     store.db                the encrypted database (and its -wal, -shm)
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eft_store::{SecretName, Store};
use eft_types::BareJid;

use crate::error::Error;

const DATABASE: &str = "store.db";
const KEY_NAME: &str = "store.id";

/// The folder of one account.
#[derive(Clone, Debug)]
pub(crate) struct AccountFolder {
    path: PathBuf,
}

impl AccountFolder {
    pub(crate) fn of(data_dir: &Path, jid: &BareJid) -> Self {
        Self {
            path: data_dir.join(encode(jid)),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub(crate) fn exists(&self) -> bool {
        Store::exists(&self.database())
    }

    /// Makes the folder and a name for its key. The name is random: two data folders of one account
    /// (two devices on one desktop) must not share a key by accident.
    pub(crate) fn create(&self, random: [u8; 16]) -> Result<SecretName, Error> {
        make_private_dir(&self.path).map_err(|error| unusable(&self.path, &error))?;
        self.name_key(random)
    }

    /// The name of the key, or a new one where the file with it is lost or damaged: the key is lost with its name.
    pub(crate) fn key_name_or_new(&self, random: [u8; 16]) -> Result<SecretName, Error> {
        self.key_name().or_else(|_| self.name_key(random))
    }

    fn name_key(&self, random: [u8; 16]) -> Result<SecretName, Error> {
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.path.join(KEY_NAME);
        fs::write(&file, &hex).map_err(|error| unusable(&file, &error))?;
        secret_name(&hex)
    }

    /// The name of the key of an existing database.
    pub(crate) fn key_name(&self) -> Result<SecretName, Error> {
        let file = self.path.join(KEY_NAME);
        let hex = fs::read_to_string(&file).map_err(|error| unusable(&file, &error))?;
        secret_name(hex.trim())
    }
}

/// Makes a folder (and those above it) that only this user can enter.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
    }
    #[cfg(not(unix))]
    fs::create_dir_all(path)
}

/// The accounts that have a database here, in order of their addresses.
pub(crate) fn accounts(data_dir: &Path) -> Result<Vec<BareJid>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(|error| unusable(data_dir, &error))? {
        let entry = entry.map_err(|error| unusable(data_dir, &error))?;
        if let Some(jid) = entry.file_name().to_str().and_then(decode)
            && Store::exists(&entry.path().join(DATABASE))
        {
            found.push(jid);
        }
    }
    found.sort();
    Ok(found)
}

fn secret_name(hex: &str) -> Result<SecretName, Error> {
    SecretName::new(format!("eft-store-{hex}")).map_err(|error| Error::StoreDamaged {
        reason: format!("{KEY_NAME}: {error}"),
        cause: None,
    })
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::StoreDamaged {
        reason: format!("{}: {error}", path.display()),
        cause: None,
    }
}

/// An address as a file name: everything but letters, digits, `-`, `_` and inner dots is
/// percent-encoded.
fn encode(jid: &BareJid) -> String {
    let mut name = String::new();
    for byte in jid.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

fn decode(name: &str) -> Option<BareJid> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = core::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let jid = BareJid::new(core::str::from_utf8(&bytes).ok()?).ok()?;
    // Only names that we would have given ourselves.
    (encode(&jid) == name).then_some(jid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_being_file_names() {
        for address in [
            "alice@example.org",
            "ünï.cøde@exämple.org",
            "a%b@h",
            ".hidden@host",
            "example.org",
            "with space@host",
        ] {
            let Ok(jid) = BareJid::new(address) else {
                continue;
            };
            let name = encode(&jid);
            assert!(!name.starts_with('.') && !name.contains('/'), "{name}");
            assert_eq!(decode(&name), Some(jid));
        }
    }

    #[test]
    fn foreign_folders_are_no_accounts() {
        for name in [
            "..",
            "lost+found",
            "%",
            "%4",
            "%zz",
            "alice@example.org",
            "",
        ] {
            assert_eq!(decode(name), None, "{name:?}");
        }
    }
}
