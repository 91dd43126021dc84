//! Looking through the files that a server keeps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// All files below `folder`, sorted; none if there is no such folder.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The files below `folder` whose bytes contain `needle`.
pub(crate) fn files_containing(folder: &Path, needle: &str) -> io::Result<Vec<PathBuf>> {
    let mut hits = Vec::new();
    for file in files_below(folder)? {
        // A socket is no file.
        if file.is_file() && String::from_utf8_lossy(&fs::read(&file)?).contains(needle) {
            hits.push(file);
        }
    }
    Ok(hits)
}
