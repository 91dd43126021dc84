//! What lies on the phones' disks: a search for plaintext that is first shown to find some.

use std::fs;
use std::path::{Path, PathBuf};

use eft_tests::{Phone, unencrypted_copy};

use crate::story::Failure;

/// Files below `folder` that hold these bytes.
pub(crate) fn files_containing(folder: &Path, needle: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if contains(&fs::read(&path)?, needle.as_bytes()) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Files below `folder`, and their bytes together.
pub(crate) fn size(folder: &Path) -> Result<(usize, u64), Failure> {
    let (mut count, mut bytes) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                count += 1;
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok((count, bytes))
}

/// Plants `marker` in a plain file and finds it there, and in an unencrypted copy of a phone's database. A search that finds nothing means something only after this.
pub(crate) fn prove_the_search(
    scratch: &Path,
    phone: &Phone,
    marker: &str,
) -> Result<(), Failure> {
    fs::create_dir_all(scratch)?;
    let file = scratch.join("marker.txt");
    fs::write(&file, format!("somewhere in here: {marker}."))?;
    let database = scratch.join("unencrypted.db");
    unencrypted_copy(phone, &database)?;
    let found = files_containing(scratch, marker)?;
    for planted in [file, database] {
        if !found.contains(&planted) {
            return Err(format!("the search does not see {}", planted.display()).into());
        }
    }
    fs::remove_dir_all(scratch)?;
    Ok(())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
