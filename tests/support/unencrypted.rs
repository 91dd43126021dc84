//! An unencrypted copy of a phone's database: what a search for plaintext has to be able to see.

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
    let folder = account_folder(phone)?;
    let id = std::fs::read_to_string(folder.join("store.id"))?;
    let secret = phone
        .secrets()
        .load(&SecretName::new(format!("eft-store-{}", id.trim()))?)?;
    // "EFTK", format, then 32 bytes of key and 16 of salt; see `StoreKey::to_secret`.
    let raw = secret.get(5..53).ok_or("the secret is too short")?;
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let connection = Connection::open(folder.join("store.db"))?;
    connection.pragma_update(None, "key", format!("x'{hex}'"))?;
    connection.pragma_update(None, "cipher_plaintext_header_size", 32)?;
    let target = target.to_str().ok_or("a path that is no text")?;
    connection.execute("ATTACH DATABASE ?1 AS plain KEY ''", [target])?;
    connection.query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(()))?;
    connection.execute("DETACH DATABASE plain", [])?;
    Ok(())
}

/// The one folder below the phone's data folder.
fn account_folder(phone: &Phone) -> Result<PathBuf, CopyError> {
    for entry in std::fs::read_dir(phone.folder())? {
        let path = entry?.path();
        if path.join("store.db").exists() {
            return Ok(path);
        }
    }
    Err("the phone has no database".into())
}
