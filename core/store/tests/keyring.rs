//! The keychain of a Linux desktop: a real bus and a real Secret Service (GNOME Keyring), both of this test alone.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use eft_store::{
    KeyringSecretStore, OpenError, SecretError, SecretName, SecretStore, Store, StoreOptions,
};
use eft_types::BareJid;

/// Tells the child, which is this test again, what to do.
const ROLE: &str = "EFT_STORE_KEYRING_TEST";
const FOLDER: &str = "EFT_STORE_KEYRING_TEST_FOLDER";

/// A bus that starts no service by itself, as one with services would: a keyring of somebody else's home.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A desktop: a bus, and perhaps a keyring on it.
struct Desktop {
    folder: tempfile::TempDir,
    address: String,
    _bus: Running,
    keyring: Option<Running>,
}

impl Desktop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, BUS).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-daemon, of the package dbus: {error}"));
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            folder,
            address: address.trim().to_owned(),
            _bus: Running(bus),
            keyring: None,
        }
    }

    /// What every program on this desktop sees.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Logs in: the keyring starts, unlocked.
    fn log_in(&mut self) {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("gnome-keyring-daemon, of that package: {error}"));
        keyring
            .stdin
            .take()
            .unwrap()
            .write_all(b"password of the login")
            .unwrap();
        self.keyring = Some(Running(keyring));
        for _ in 0..200 {
            let out = self
                .command("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                ])
                .args([
                    "org.freedesktop.DBus.NameHasOwner",
                    "string:org.freedesktop.secrets",
                ])
                .output()
                .unwrap();
            if String::from_utf8_lossy(&out.stdout).contains("boolean true") {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the keyring did not start");
    }

    fn log_out(&mut self) {
        self.keyring = None;
    }

    /// Locks every keyring, as a locked screen may.
    fn lock(&self) {
        let status = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
            ])
            .args([
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
            ])
            .arg("array:objpath:/org/freedesktop/secrets/collection/login")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Runs this test again, as a program of this desktop.
    fn run(&self, role: &str) {
        let out = self
            .command(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "a_desktops_keyring_keeps_keys"])
            .env(ROLE, role)
            .env(FOLDER, self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(
            out.status.success() && said.contains("1 passed"),
            "{role}: {said}{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn open(folder: &Path) -> Result<Store, OpenError> {
    let secrets = KeyringSecretStore::new("eft-test");
    let path = folder.join("romeo.db");
    Store::open_with_secret(&path, &secrets, &name("romeo"), &StoreOptions::app())
}

/// What a program does.
fn play(role: &str, folder: &Path) {
    let secrets = KeyringSecretStore::new("eft-test");
    let own = BareJid::new("romeo@montague.example").unwrap();
    match role {
        "first" => {
            assert_eq!(secrets.load(&name("a")), Err(SecretError::Lost));
            assert_eq!(secrets.delete(&name("a")), Ok(()));
            secrets.store(&name("a"), b"first").unwrap();
            secrets
                .store(&name("a"), b"second \0 with any bytes \xff")
                .unwrap();
            assert_eq!(
                secrets.load(&name("a")).unwrap().as_slice(),
                b"second \0 with any bytes \xff"
            );
            secrets.store(&name("b"), b"other").unwrap();
            secrets.delete(&name("a")).unwrap();
            assert_eq!(secrets.load(&name("a")), Err(SecretError::Lost));
            assert_eq!(secrets.load(&name("b")).unwrap().as_slice(), b"other");
            let elsewhere = KeyringSecretStore::new("another application");
            assert_eq!(elsewhere.load(&name("b")), Err(SecretError::Lost));
            let path = folder.join("romeo.db");
            let options = StoreOptions::app();
            Store::create_with_secret(&path, &secrets, &name("romeo"), &own, &options).unwrap();
        }
        "again" => drop(open(folder).unwrap()),
        "locked" => assert!(
            matches!(
                open(folder),
                Err(OpenError::KeyUnavailable(SecretError::Locked))
            ),
            "{:?}",
            open(folder)
        ),
        "lost" => {
            secrets.delete(&name("romeo")).unwrap();
            assert!(matches!(
                open(folder),
                Err(OpenError::KeyUnavailable(SecretError::Lost))
            ));
        }
        "without" => assert!(
            matches!(
                open(folder),
                Err(OpenError::KeyUnavailable(SecretError::Unavailable { .. }))
            ),
            "{:?}",
            open(folder)
        ),
        other => panic!("{other}"),
    }
}

#[test]
fn a_desktops_keyring_keeps_keys() {
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role, Path::new(&std::env::var_os(FOLDER).unwrap()));
    }
    let mut desktop = Desktop::new();
    desktop.log_in();
    desktop.run("first");
    // Another process, and another login.
    desktop.run("again");
    desktop.log_out();
    desktop.log_in();
    desktop.run("again");
    desktop.lock();
    desktop.run("locked");
    desktop.log_out();
    desktop.run("without");
    desktop.log_in();
    desktop.run("again");
    desktop.run("lost");
}
