//! What lies on the phones' disks: a search for plaintext that is first shown to find some.

use std::fs;
use std::path::{Path, PathBuf};

use eft_tests::{Phone, unencrypted_copy};

use crate::cast::Cast;
use crate::story::{Failure, MARKER, check};
use crate::telling::Telling;

/// The table.
pub(crate) fn what_lies_there(
    telling: &Telling,
    cast: &Cast,
    folder: &Path,
) -> Result<(), Failure> {
    telling.chapter("What lies on the devices' disks");
    prove_the_search(&folder.join("scratch"), &cast.phone)?;
    telling.checked(
        "A search finds the words of this story in a clear file and in an unencrypted copy of a database.",
    );
    telling.row("device         files      KiB   plaintext found");
    for device in cast.devices() {
        let files = files_below(device.folder())?;
        check(!files.is_empty(), "there are no files to search")?;
        let mut bytes = 0;
        for file in &files {
            bytes += fs::metadata(file)?.len();
        }
        let found = containing(&files)?;
        check(
            found.is_empty(),
            &format!("{} has plaintext in {found:?}", device.name),
        )?;
        telling.row(&format!(
            "{:<12} {:>7}   {:>6}   no",
            device.name,
            files.len(),
            bytes / 1024
        ));
    }
    telling.checked("The same search finds nothing in the databases of the four devices.");
    Ok(())
}

/// Plants the marker in a plain file and finds it there, and in an unencrypted copy of a phone's database. A
/// search that finds nothing means something only after this.
fn prove_the_search(scratch: &Path, phone: &Phone) -> Result<(), Failure> {
    fs::create_dir_all(scratch)?;
    let file = scratch.join("marker.txt");
    fs::write(&file, format!("somewhere in here: {MARKER}."))?;
    let database = scratch.join("unencrypted.db");
    unencrypted_copy(phone, &database)?;
    let found = containing(&files_below(scratch)?)?;
    for planted in [file, database] {
        check(
            found.contains(&planted),
            &format!("the search does not see {}", planted.display()),
        )?;
    }
    fs::remove_dir_all(scratch)?;
    Ok(())
}

/// Those of the files that hold the marker.
fn containing(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for file in files {
        let bytes = fs::read(file)?;
        if bytes
            .windows(MARKER.len())
            .any(|window| window == MARKER.as_bytes())
        {
            found.push(file.clone());
        }
    }
    Ok(found)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}
