//! What the standard library lacks for files that must last.

use std::io;
use std::path::Path;

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
