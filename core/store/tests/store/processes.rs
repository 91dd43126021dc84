//! Processes that share a database: this test again, with a role in its environment.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use eft_store::{FileSecretStore, SecretName, Store, StoreOptions};

use crate::support::*;

/// Names the folder to a child.
const FOLDER: &str = "EFT_STORE_TEST_FOLDER";
/// What a child is to do.
const ROLE: &str = "EFT_STORE_TEST_ROLE";

pub(crate) fn name() -> SecretName {
    SecretName::new("romeo").unwrap()
}

/// Key and generation where every process finds them.
pub(crate) fn secrets(folder: &Path) -> FileSecretStore {
    FileSecretStore::new(folder.join("keys")).unwrap()
}

/// A database with its key in files, for several processes.
pub(crate) fn create(folder: &Path) -> Store {
    let path = Home::path_in(folder);
    Store::create_with_secret(&path, &secrets(folder), &name(), &own(), &options()).unwrap()
}

pub(crate) fn open(folder: &Path) -> Store {
    let path = Home::path_in(folder);
    Store::open_with_secret(&path, &secrets(folder), &name(), &StoreOptions::app()).unwrap()
}

/// The folder and role of a child; `None` in the test itself.
pub(crate) fn role() -> Option<(PathBuf, String)> {
    let role = std::env::var(ROLE).ok()?;
    Some((PathBuf::from(std::env::var_os(FOLDER)?), role))
}

/// All that `test` prints and logs in the role of a child, once it has ended well.
pub(crate) fn output(test: &str, folder: &Path) -> String {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1", test])
        .env(FOLDER, folder)
        .env(ROLE, "child")
        .output()
        .unwrap();
    let printed = [out.stdout, out.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    // A name that no test has would end well, too.
    assert!(
        out.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    printed
}

/// How often a campaign repeats: `few` times, or as often as an environment variable says.
pub(crate) fn count(variable: &str, few: u32) -> u32 {
    std::env::var(variable).map_or(few, |count| count.parse().unwrap())
}

/// A child, killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs `test` again, in a role.
    pub(crate) fn start(test: &str, folder: &Path, role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1", test])
            .env(FOLDER, folder)
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What follows `word` on the next line that has it; `None` if the child ends before.
    pub(crate) fn hear(&mut self, word: &str) -> Option<String> {
        self.lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.split_once(word)
                .map(|(_, rest)| rest.trim().to_owned())
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stop(&self) {
        self.signal("STOP");
        // Delivery is not waited for by `kill`.
        while !self.state().starts_with('T') {
            std::thread::yield_now();
        }
    }

    pub(crate) fn cont(&self) {
        self.signal("CONT");
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill")
            .args([format!("-{signal}"), self.pid().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// State letter of `/proc/<pid>/stat`.
    fn state(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(") ").unwrap().1.to_owned()
    }

    /// Whether it has the advisory lock of the lease's file, as holders do.
    pub(crate) fn is_holder(&self) -> bool {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        let pid = self.pid().to_string();
        locks.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.contains(&"FLOCK") && fields.contains(&pid.as_str())
        })
    }

    /// Whether it holds the write lock of the log (byte 120 of the shared memory).
    pub(crate) fn is_writing(&self) -> bool {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        let pid = self.pid().to_string();
        locks.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.contains(&pid.as_str())
                && fields.contains(&"WRITE")
                && fields.ends_with(&["120", "120"])
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
