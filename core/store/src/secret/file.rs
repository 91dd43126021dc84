//! Secrets in files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SecretError, SecretName, SecretStore};

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

/// Makes names in a folder durable. Only Unix has, and needs, this.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
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
