//! Secrets in files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SecretError, SecretName, SecretStore};
use crate::files::sync_folder;

/// Keeps each secret in a file of its own (mode 0600) in a folder (mode 0700).
///
/// For servers, terminals and tests, where no keychain exists. It protects against other users of
/// the machine, and against whoever gets the database alone: a backup, a synced folder, a bug
/// report. It does NOT protect against anyone who can read this user's files, the whole disk, or
/// a backup that holds both; full-disk encryption does that. Phones and desktops have a
/// keychain: use it.
///
/// A secret is written beside its place, synced, renamed over it, and the folder is synced: after
/// a crash the old or the new one is there, whole.
#[derive(Debug)]
pub struct FileSecretStore {
    folder: PathBuf,
}

/// Secrets are tens of bytes. A larger file was not written by us, and is not read into memory.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

impl FileSecretStore {
    /// Uses a folder, made if it does not exist. On Unix a folder that others may enter is closed
    /// to them.
    ///
    /// # Errors
    /// [`SecretError::Denied`] or [`SecretError::Unavailable`] if the folder cannot be made ours.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, SecretError> {
        let folder = folder.into();
        create_private_folder(&folder).map_err(|error| unusable(&error))?;
        Ok(Self { folder })
    }

    fn path(&self, name: &SecretName) -> PathBuf {
        self.folder.join(format!("{name}.secret"))
    }
}

impl SecretStore for FileSecretStore {
    fn load(&self, name: &SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SecretError::Lost),
            Err(error) => return Err(unusable(&error)),
        };
        let mut secret = Zeroizing::new(Vec::with_capacity(256));
        file.take(MAX_SECRET_BYTES)
            .read_to_end(&mut secret)
            .map_err(|error| unusable(&error))?;
        Ok(secret)
    }

    fn store(&self, name: &SecretName, secret: &[u8]) -> Result<(), SecretError> {
        let place = self.path(name);
        // A name cannot start with a dot, so this is nobody's place.
        let beside = self.folder.join(format!(".{name}.new"));
        write_synced(&beside, secret)
            .and_then(|()| fs::rename(&beside, &place))
            .and_then(|()| sync_folder(&self.folder))
            .map_err(|error| unusable(&error))
    }

    fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        match fs::remove_file(self.path(name)) {
            Ok(()) => sync_folder(&self.folder).map_err(|error| unusable(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unusable(&error)),
        }
    }
}

fn write_synced(path: &Path, secret: &[u8]) -> io::Result<()> {
    // Left over by a crash; its mode is not to be trusted.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mut permissions = fs::metadata(folder)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o700);
            fs::set_permissions(folder, permissions)?;
        }
    }
    Ok(())
}

fn unusable(error: &io::Error) -> SecretError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return SecretError::Denied;
    }
    SecretError::Unavailable {
        detail: error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::{behaves_like_a_secret_store, name};
    use crate::{OpenError, Store, StoreKey, StoreOptions};

    #[test]
    fn files_behave_like_a_secret_store() {
        let folder = tempfile::tempdir().unwrap();
        behaves_like_a_secret_store(&FileSecretStore::new(folder.path().join("keys")).unwrap());
    }

    #[test]
    fn a_secret_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let store = || FileSecretStore::new(folder.path()).unwrap();
        store().store(&name("db"), b"secret").unwrap();
        assert_eq!(store().load(&name("db")).unwrap().as_slice(), b"secret");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_file_or_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("keys");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let store = FileSecretStore::new(&folder).unwrap();
        store.store(&name("db"), b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("db.secret")), 0o600);
        let names: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing else is left behind");
    }

    #[test]
    fn what_a_crash_left_beside_a_secret_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileSecretStore::new(folder.path()).unwrap();
        store.store(&name("db"), b"old").unwrap();
        fs::write(folder.path().join(".db.new"), b"half").unwrap();
        assert_eq!(store.load(&name("db")).unwrap().as_slice(), b"old");
        store.store(&name("db"), b"new").unwrap();
        assert_eq!(store.load(&name("db")).unwrap().as_slice(), b"new");
    }

    #[test]
    fn a_damaged_key_file_is_told_from_a_lost_and_from_a_wrong_one() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecretStore::new(folder.path().join("keys")).unwrap();
        let path = folder.path().join("account.db");
        let own = eft_types::BareJid::new("romeo@montague.example").unwrap();
        let options = StoreOptions::app();
        Store::create_with_secret(&path, &secrets, &name("db"), &own, &options).unwrap();
        let open = || Store::open_with_secret(&path, &secrets, &name("db"), &options);
        open().unwrap();

        let file = folder.path().join("keys/db.secret");
        let secret = fs::read(&file).unwrap();
        let mut flipped = secret.clone();
        flipped[20] ^= 1;
        for damaged in [&flipped[..], &secret[..40], &[]] {
            fs::write(&file, damaged).unwrap();
            assert!(matches!(
                open(),
                Err(OpenError::KeyUnavailable(SecretError::Corrupt(_)))
            ));
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(
            open(),
            Err(OpenError::KeyUnavailable(SecretError::Lost))
        ));
        let other = StoreKey::generate().unwrap();
        secrets.store(&name("db"), &other.to_secret()).unwrap();
        assert!(matches!(open(), Err(OpenError::WrongKey)));
        fs::write(&file, &secret).unwrap();
        open().unwrap();
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, b"").unwrap();
        assert!(FileSecretStore::new(file).is_err());
    }
}
