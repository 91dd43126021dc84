//! Databases of other builds of SQLCipher; see `../fixtures/README.md`.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A plain connection, keyed as any user of SQLCipher would.
pub(crate) fn raw_connection(path: &Path, settings: &str) -> Connection {
    // The provider comes with the crate: something of it must be linked.
    let _ = eft_store::StoreOptions::app();
    assert!(path.exists(), "it would be created");
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(settings).unwrap();
    connection
}

/// What opens a database of ours.
pub(crate) fn our_settings() -> String {
    format!(
        "PRAGMA key = \"x'{}{}'\"; PRAGMA cipher_plaintext_header_size = 32;",
        hex(&KEY),
        hex(&SALT)
    )
}

/// A copy to work on: opening may write, and the fixture must stay as it is.
fn copy_of(fixture: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(fixture);
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    std::fs::copy(Path::new(fixtures).join(fixture), &copy).unwrap();
    (folder, copy)
}

fn lines(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare("SELECT line, text FROM fixture ORDER BY line")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

#[test]
fn databases_made_with_openssl_are_read_and_written() {
    let expected: Vec<_> = (0..100)
        .map(|line| (line, format!("line {line} of a database made with OpenSSL")))
        .collect();
    let passphrase = "PRAGMA key = 'wherefore art thou';";
    let settings = [
        ("openssl-raw-key.db", our_settings()),
        ("openssl-passphrase.db", passphrase.to_owned()),
        (
            "sqlcipher3-sha1.db",
            format!("{passphrase} PRAGMA cipher_compatibility = 3;"),
        ),
    ];
    for (fixture, settings) in settings {
        let (_folder, copy) = copy_of(fixture);
        let connection = raw_connection(&copy, &settings);
        assert_eq!(lines(&connection).unwrap(), expected, "{fixture}");
        let check: Vec<String> = connection
            .prepare("PRAGMA cipher_integrity_check")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(check.is_empty(), "{fixture}: {check:?}");
        connection
            .execute("UPDATE fixture SET text = 'changed' WHERE line = 50", [])
            .unwrap();
        drop(connection);
        let connection = raw_connection(&copy, &settings);
        assert_eq!(lines(&connection).unwrap()[50].1, "changed", "{fixture}");
    }
}

#[test]
fn a_foreign_database_does_not_open_under_another_key() {
    let (_folder, copy) = copy_of("openssl-raw-key.db");
    let settings = our_settings().replace("5a5a", "5a5b");
    let connection = raw_connection(&copy, &settings);
    assert!(lines(&connection).is_err());
}

#[test]
fn a_database_of_ours_opens_for_any_user_of_sqlcipher_with_the_key() {
    let home = Home::new();
    home.insert(&live("hello"));
    let connection = raw_connection(&home.path(), &our_settings());
    let text: String = connection
        .query_row("SELECT body FROM message", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "hello");
    let foreign_keys: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(foreign_keys, 0);
}
