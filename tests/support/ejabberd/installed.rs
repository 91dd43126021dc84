//! Where this machine has its ejabberd.

use std::fs;
use std::path::{Path, PathBuf};

use super::EjabberdError;

/// 24.12 is the first with FAST (XEP-0484), which it has beside SASL2 and Bind 2.
const OLDEST: (u32, u32) = (24, 12);
const OLDEST_WORDS: &str = "24.12";
/// Debian's folders of Erlang libraries are `/usr/lib/<architecture>/<library>-<version>/ebin`, or stand in Erlang's own.
const LIBRARIES: &[&str] = &["/usr/lib", "/usr/lib/erlang/lib"];

/// The folder of compiled code.
pub(super) fn code_path() -> Result<PathBuf, EjabberdError> {
    let mut found: Vec<((u32, u32), PathBuf)> = LIBRARIES
        .iter()
        .flat_map(|folder| {
            let direct = entries(Path::new(folder));
            let nested = direct.clone().into_iter().flat_map(|entry| entries(&entry));
            direct.into_iter().chain(nested).collect::<Vec<_>>()
        })
        .filter_map(|folder| {
            let version = version_of(folder.file_name()?.to_str()?)?;
            let code = folder.join("ebin");
            code.join("ejabberd.app")
                .is_file()
                .then_some((version, code))
        })
        .collect();
    found.sort();
    let ((year, month), code) = found.pop().ok_or(EjabberdError::NotInstalled)?;
    if (year, month) < OLDEST {
        return Err(EjabberdError::TooOld {
            found: format!("{year}.{month:02}"),
            needed: OLDEST_WORDS,
        });
    }
    Ok(code)
}

/// The folder of all Erlang libraries beside it.
pub(super) fn libraries_of(code: &Path) -> PathBuf {
    let library = code.parent().and_then(Path::parent);
    library.unwrap_or(code).to_owned()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    // What cannot be read holds no ejabberd.
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// Year and month of `ejabberd-24.12` and `ejabberd-24.12-3~bpo12+1`.
fn version_of(folder: &str) -> Option<(u32, u32)> {
    let version = folder.strip_prefix("ejabberd-")?;
    let (year, rest) = version.split_once('.')?;
    let month: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((year.parse().ok()?, month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_folder_s_name() {
        assert_eq!(version_of("ejabberd-24.12"), Some((24, 12)));
        assert_eq!(version_of("ejabberd-24.12-3~bpo12+1"), Some((24, 12)));
        assert_eq!(version_of("ejabberd-contrib-1"), None);
        assert_eq!(version_of("xmpp-1.9.4"), None);
    }
}
