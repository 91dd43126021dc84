//! What the standard library lacks for files that must last.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What follows the database's name in the name of its lease's file.
pub(crate) const LEASE_SUFFIX: &str = "-lease";

/// A file beside another.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes names in a folder durable. Only Unix has, and needs, this. The empty path, which is the
/// parent of a bare file name, is the current folder.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        std::fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
