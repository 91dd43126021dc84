//! What lies on the server's disk: the operator's view of its users.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{files_below, files_containing};

use super::Prosody;

impl Prosody {
    /// The folder the server keeps everything in.
    pub fn data_path(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The files of `user`'s message archive (XEP-0313). Empty when nothing was archived.
    ///
    /// # Errors
    ///
    /// What the system says when the folder cannot be read.
    pub fn archive_files(&self, user: &str) -> io::Result<Vec<PathBuf>> {
        let host_folder = self.data_path().join(encode(self.host()));
        let of_user = format!("{}.", encode(user));
        let mut files = files_below(&host_folder)?;
        files.retain(|file| {
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let store = file
                .parent()
                .and_then(Path::file_name)
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            store.starts_with("archive") && name.starts_with(&of_user)
        });
        Ok(files)
    }

    /// `user`'s message archive as it lies on disk: Lua tables with the stanzas in them.
    ///
    /// # Errors
    ///
    /// As for [`Self::archive_files`].
    pub fn archive_text(&self, user: &str) -> io::Result<String> {
        let mut text = String::new();
        for file in self.archive_files(user)? {
            text.push_str(&String::from_utf8_lossy(&fs::read(file)?));
        }
        Ok(text)
    }

    /// Everything that lies on disk in `user`'s PEP nodes (XEP-0163): device lists, bundles.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn pep_text(&self, user: &str) -> io::Result<String> {
        let mut text = String::new();
        for file in files_below(&self.data_path())? {
            let path = file.to_string_lossy();
            if file.is_file() && path.contains("pep") && path.contains(user) {
                text.push_str(&String::from_utf8_lossy(&fs::read(&file)?));
            }
        }
        Ok(text)
    }

    /// Every file of the server's data in which `needle` stands: archives, offline messages, PEP nodes.
    ///
    /// Prosody writes Lua string literals, so a `needle` with quotes or line breaks would be missed: use plain
    /// words.
    ///
    /// # Errors
    ///
    /// As for [`Self::archive_files`].
    pub fn files_containing(&self, needle: &str) -> io::Result<Vec<PathBuf>> {
        files_containing(&self.data_path(), needle)
    }
}

/// Prosody's file names: everything but ASCII letters and digits as `%xx`.
fn encode(name: &str) -> String {
    name.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02x}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_prosody_does() {
        assert_eq!(encode("eft.test"), "eft%2etest");
        assert_eq!(encode("a-b"), "a%2db");
    }
}
