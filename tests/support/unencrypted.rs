//! Databases of phones, seen without Eft: opened with their key, or copied without encryption for a search for
//! plaintext.

use std::path::{Path, PathBuf};

use eft::{SecretName, SecretStore};
use rusqlite::Connection;

use crate::phone::Phone;

/// What stops the making of a copy.
pub type CopyError = Box<dyn std::error::Error + Send + Sync>;

/// Copies the database of `phone` to `target`, without encryption, by SQLCipher's own export. The phone may go on
/// meanwhile.
///
/// # Errors
///
/// When the key is not the database's, or the copy cannot be written.
pub fn unencrypted_copy(phone: &Phone, target: &Path) -> Result<(), CopyError> {
    let connection = open_database(phone.folder(), phone.secrets())?;
    let target = target.to_str().ok_or("a path that is no text")?;
    connection.execute("ATTACH DATABASE ?1 AS plain KEY ''", [target])?;
    connection.query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(()))?;
    connection.execute("DETACH DATABASE plain", [])?;
    Ok(())
}

/// Opens the database below a data folder with one account, beside whoever else has it open.
///
/// # Errors
///
/// When there is no database, or the key is not its.
pub fn open_database(data: &Path, secrets: &dyn SecretStore) -> Result<Connection, CopyError> {
    let folder = account_folder(data)?;
    let id = std::fs::read_to_string(folder.join("store.id"))?;
    let secret = secrets.load(&SecretName::new(format!("eft-store-{}", id.trim()))?)?;
    // "EFTK", format, then 32 bytes of key and 16 of salt; see `StoreKey::to_secret`.
    let raw = secret.get(5..53).ok_or("the secret is too short")?;
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let connection = Connection::open(folder.join("store.db"))?;
    connection.pragma_update(None, "key", format!("x'{hex}'"))?;
    connection.pragma_update(None, "cipher_plaintext_header_size", 32)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// The one account's folder.
fn account_folder(data: &Path) -> Result<PathBuf, CopyError> {
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.join("store.db").exists() {
            return Ok(path);
        }
    }
    Err("there is no database".into())
}
