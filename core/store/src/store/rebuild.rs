//! Starting anew beside a database that cannot be used, with what can be read of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eft_types::BareJid;
use rusqlite::Connection;

use super::Store;
use super::create::{build, create_private_file, remove_database};
use super::open::load_key;
use crate::cipher_provider::enter;
use crate::connection::{Role, connect};
use crate::error::{OpenError, StoreError};
use crate::files::{LEASE_SUFFIX, sync_folder, with_suffix};
use crate::key::StoreKey;
use crate::lease::{LeaseError, LeaseFile};
use crate::options::StoreOptions;
use crate::read;
use crate::salvage::{Salvaged, salvage};
use crate::secret::{SecretError, SecretName, SecretStore, generation};

/// A rebuild that stands complete beside the database, or in its place.
const REBUILT_SUFFIX: &str = ".rebuilt";

/// What a rebuild made.
#[derive(Debug)]
pub struct Rebuilt {
    /// The new database, open. It is a new device: it has no engine records but the user's
    /// decisions about keys.
    pub store: Store,
    /// Messages that were saved.
    pub messages: u64,
    /// Places where something could not be read. 0 if nothing is known to be missing.
    pub gaps: u64,
    /// Where the old database stands now. Nothing was deleted; who wants to, may.
    pub set_aside: PathBuf,
}

impl Store {
    /// Whether there is a database in this place, be it one whose rebuild was interrupted: [`Store::open`] completes it.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.exists() || is_rebuilt(path)
    }

    /// Puts a new database in the place of one that is damaged, or whose key is lost, and saves what
    /// can be read: messages, conversations with their encryption, archives, what waits to be
    /// sent, decisions about keys. To be called because the user said so: the account becomes a new
    /// device, since its sessions cannot be trusted any more. The old files are set aside, not deleted.
    ///
    /// If the key is lost or damaged, nothing can be read, and a new key is kept in its place. Interrupted,
    /// it has no effect, or [`Store::open`] completes it.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] if there is no file; [`OpenError::NewerSchema`], because a newer version of
    /// this software reads it all; [`OpenError::Busy`] if somebody uses it;
    /// [`OpenError::KeyUnavailable`] if the key may come back (locked, denied). Else by cause.
    pub fn rebuild(
        path: &Path,
        secrets: &dyn SecretStore,
        name: &SecretName,
        own: &BareJid,
        options: &StoreOptions,
    ) -> Result<Rebuilt, OpenError> {
        let _inside = enter()?;
        finish_rebuild(path)?;
        path.metadata().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::NotFound {
                path: path.to_owned(),
            },
            _ => error.into(),
        })?;
        let lease_file = LeaseFile::new(with_suffix(path, LEASE_SUFFIX));
        lease_file.pass_by().map_err(in_use)?;
        let key = usable_key(path, secrets, name, options)?;
        let first = generation::load(secrets, name).or_else(|error| match error {
            SecretError::Corrupt(_) => Ok(None),
            error => Err(OpenError::KeyUnavailable(error)),
        })?;
        let building = with_suffix(path, ".rebuilding");
        remove_database(&building)?;
        create_private_file(&building)?;
        let saved = build(
            &building,
            &key,
            own,
            options,
            first.unwrap_or(0),
            |new| match connect(path, &key, options, Role::Reader) {
                Ok(old) => save(&old, new, own),
                Err(OpenError::Corrupt { .. } | OpenError::WrongKey | OpenError::Bug { .. }) => {
                    Ok(Salvaged {
                        messages: 0,
                        gaps: 1,
                    })
                }
                Err(error) => Err(error),
            },
        )?;
        let set_aside = vacant(path)?;
        fs::rename(&building, with_suffix(path, REBUILT_SUFFIX))?;
        sync(path)?;
        move_database(path, &set_aside)?;
        finish_rebuild(path)?;
        Ok(Rebuilt {
            store: Self::open(path, &key, options)?,
            messages: saved.messages,
            gaps: saved.gaps,
            set_aside,
        })
    }
}

/// Completes a rebuild that was interrupted when the old database was gone from its place.
pub(super) fn finish_rebuild(path: &Path) -> Result<(), OpenError> {
    let rebuilt = with_suffix(path, REBUILT_SUFFIX);
    if path.exists() {
        return Ok(());
    }
    match rebuilt.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    // A log of the old database would be taken for the new one's.
    let orphan = vacant(path)?;
    move_beside(path, &orphan)?;
    fs::rename(&rebuilt, path)?;
    sync(path)?;
    Ok(())
}

/// Whether a rebuilt database is about to be put in its place.
pub(super) fn is_rebuilt(path: &Path) -> bool {
    with_suffix(path, REBUILT_SUFFIX).exists()
}

/// The key of the old database, which is the new one's too: what is set aside stays readable. A new one
/// if there is none that can be used.
fn usable_key(
    path: &Path,
    secrets: &dyn SecretStore,
    name: &SecretName,
    options: &StoreOptions,
) -> Result<StoreKey, OpenError> {
    // Finishes a change of the key, and writes the log back if it can.
    match Store::open_with_secret(path, secrets, name, options) {
        Ok(store) => drop(store),
        Err(error @ (OpenError::NewerSchema { .. } | OpenError::Busy | OpenError::DiskFull)) => {
            return Err(error);
        }
        Err(_) => {}
    }
    match load_key(secrets, name) {
        Err(OpenError::KeyUnavailable(SecretError::Lost | SecretError::Corrupt(_))) => {
            let key = StoreKey::generate().map_err(|error| OpenError::Io {
                detail: error.to_string(),
            })?;
            secrets
                .store(name, &key.to_secret())
                .map_err(OpenError::KeyUnavailable)?;
            Ok(key)
        }
        loaded => loaded,
    }
}

fn save(old: &Connection, new: &Connection, own: &BareJid) -> Result<Salvaged, OpenError> {
    if let Ok(found) = read::own_jid(old)
        && found != *own
    {
        return Err(OpenError::Corrupt {
            detail: "it belongs to another account",
        });
    }
    salvage(old, new).map_err(|error| match error {
        StoreError::Busy => OpenError::Busy,
        StoreError::DiskFull => OpenError::DiskFull,
        StoreError::Io { detail } => OpenError::Io { detail },
        other => OpenError::Bug {
            detail: other.to_string(),
        },
    })
}

/// A name beside the database that nothing has.
fn vacant(path: &Path) -> Result<PathBuf, OpenError> {
    for number in 1..10_000_u32 {
        let aside = with_suffix(path, &format!(".damaged-{number}"));
        if !aside.exists() && !with_suffix(&aside, "-wal").exists() {
            return Ok(aside);
        }
    }
    Err(OpenError::Io {
        detail: "too many databases were set aside".into(),
    })
}

fn move_database(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::rename(from, to)?;
    move_beside(from, to)
}

/// Moves what belongs to the contents of a database, and removes what does not.
fn move_beside(from: &Path, to: &Path) -> Result<(), OpenError> {
    for suffix in ["-wal", "-journal"] {
        not_found_is_fine(fs::rename(
            with_suffix(from, suffix),
            with_suffix(to, suffix),
        ))?;
    }
    not_found_is_fine(fs::remove_file(with_suffix(from, "-shm")))?;
    sync(from)
}

fn not_found_is_fine(result: io::Result<()>) -> Result<(), OpenError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) => Ok(sync_folder(folder)?),
        None => Ok(()),
    }
}

fn in_use(error: LeaseError) -> OpenError {
    match error {
        LeaseError::Io { detail } => OpenError::Io { detail },
        _ => OpenError::Busy,
    }
}
