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

    /// The name of the key, or a new one where the file with it is lost or holds none: the key is lost with its name. A file that
    /// cannot be read just now keeps its name.
    pub(crate) fn key_name_or_new(&self, random: [u8; 16]) -> Result<SecretName, Error> {
        let file = self.path.join(KEY_NAME);
        let is_lost = match fs::read_to_string(&file) {
            Ok(hex) => secret_name(hex.trim()).is_err(),
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData
            ),
        };
        match is_lost {
            true => self.name_key(random),
            false => self.key_name(),
        }
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

/// The name of a key by the 32 digits that are kept of it.
fn secret_name(hex: &str) -> Result<SecretName, Error> {
    if hex.len() != 32 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Error::StoreDamaged {
            reason: format!("{KEY_NAME}: holds no name"),
            cause: None,
        });
    }
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
    fn a_new_name_is_made_only_where_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let jid = BareJid::new("alice@example.org").unwrap();
        let folder = AccountFolder::of(dir.path(), &jid);
        let file = folder.path.join(KEY_NAME);
        let kept = folder.create([1; 16]).unwrap();
        assert_eq!(folder.key_name_or_new([2; 16]).unwrap(), kept);
        for damage in [&b"  "[..], b"\xff\xfe", b"0123"] {
            fs::write(&file, damage).unwrap();
            assert!(folder.key_name().is_err());
            let new = folder.key_name_or_new([3; 16]).unwrap();
            assert_eq!(folder.key_name().unwrap(), new);
            assert_ne!(new, kept);
        }
        fs::remove_file(&file).unwrap();
        assert_ne!(folder.key_name_or_new([4; 16]).unwrap(), kept);
        // It is there, and cannot be read: what stays so, and what passes, look alike from here.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(
            folder.key_name_or_new([5; 16]),
            Err(Error::StoreDamaged { .. })
        ));
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
