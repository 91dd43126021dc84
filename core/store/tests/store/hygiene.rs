//! What the files show to somebody without the key.

use std::fs;
use std::path::{Path, PathBuf};

use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt as _, KeyIvInit as _};
use eft_store::{Batch, Credential, Durability, Store};

use crate::foreign::{our_settings, raw_connection};
use crate::processes::role;
use crate::support::*;

const MARKER: &str = "wherefore-marker-art-thou";

/// What must not stand in any file: content, addresses, names of tables.
const SECRETS: [&str; 5] = [
    MARKER,
    "juliet@capulet.example",
    "romeo@montague.example",
    "CREATE TABLE",
    "omemo_record",
];

/// A home with a marker in every kind of content.
fn marked() -> Home {
    let home = Home::new();
    let mut batch = Batch::new();
    for number in 0..50 {
        batch.insert_message(live(&format!("{MARKER} {number}")));
    }
    batch.set_credential(Some(Credential::new(MARKER.into())));
    home.commit(&batch);
    assert!(home.store.index_search(100).unwrap());
    home
}

/// Every file in the folder of a home.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn finds(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn the_search_finds_everything_in_an_unencrypted_copy() {
    let home = marked();
    let plain = home.folder.path().join("plain.db");
    let connection = raw_connection(&home.path(), &our_settings());
    connection
        .execute_batch(&format!(
            "ATTACH DATABASE '{}' AS plain KEY ''; SELECT sqlcipher_export('plain');",
            plain.display()
        ))
        .unwrap();
    for secret in SECRETS {
        assert!(finds(&plain, secret), "{secret}");
    }
}

#[test]
fn neither_database_nor_log_nor_shared_memory_shows_content_or_schema() {
    let home = marked();
    let names = |files: &[PathBuf]| {
        let mut names: Vec<_> = files
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let open = files(home.folder.path());
    assert_eq!(names(&open), ["romeo.db", "romeo.db-shm", "romeo.db-wal"]);
    let log = fs::metadata(home.folder.path().join("romeo.db-wal")).unwrap();
    assert!(log.len() > 4096, "the messages are in the log");
    for file in &open {
        for secret in SECRETS {
            assert!(!finds(file, secret), "{secret} in {}", file.display());
        }
    }
    let folder = home.folder;
    home.store.close().unwrap();
    let closed = files(folder.path());
    assert_eq!(names(&closed), ["romeo.db"], "nothing old is left in a log");
    for secret in SECRETS {
        assert!(!finds(&closed[0], secret), "{secret}");
    }
}

#[test]
fn exactly_the_first_32_bytes_are_plain_and_they_are_sqlites_header() {
    let home = marked();
    let path = home.path();
    home.store.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, rest) = bytes.split_at(32);
    // https://sqlite.org/fileformat.html#the_database_header
    assert_eq!(&header[..16], b"SQLite format 3\0");
    assert_eq!(header[16..18], [0x10, 0x00], "pages of 4096 bytes");
    assert_eq!(header[18..20], [2, 2], "write-ahead log");
    assert_eq!(
        header[20], 80,
        "initialisation vector and HMAC at the end of each page"
    );
    assert_eq!(header[21..24], [64, 32, 32], "fixed by the format");
    let pages = u32::from_be_bytes(header[28..32].try_into().unwrap()) as usize;
    assert_eq!(pages * 4096, bytes.len());

    // Of an unencrypted database the next 68 bytes are mostly zero, and the first page is text.
    let zeros = rest[..68].iter().filter(|byte| **byte == 0).count();
    assert!(zeros < 10, "{zeros} of 68");
    // Encrypted bytes look random: each page has nearly every value.
    for page in bytes.chunks(4096) {
        let mut seen = [false; 256];
        page.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        let seen = seen.iter().filter(|seen| **seen).count();
        assert!(seen > 250, "{seen} different bytes in a page");
    }
}

#[test]
fn two_databases_under_one_key_share_no_block() {
    let blocks = |home: Home| {
        let path = home.path();
        home.store.close().unwrap();
        let bytes = fs::read(path).unwrap();
        let blocks = bytes[32..].chunks_exact(16).map(<[u8]>::to_vec);
        blocks.collect::<std::collections::HashSet<_>>()
    };
    assert!(blocks(marked()).is_disjoint(&blocks(marked())));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = marked();
    for file in files(home.folder.path()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", file.display());
    }
}

/// A closed database of ours, decrypted page by page, free pages included.
pub(crate) fn decrypted(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    for (number, page) in bytes.chunks_mut(4096).enumerate() {
        let (content, reserved) = page.split_at_mut(4096 - 80);
        let content = match number {
            0 => &mut content[32..],
            _ => content,
        };
        let (blocks, rest) = Array::slice_as_chunks_mut(content);
        assert!(rest.is_empty());
        let iv: [u8; 16] = reserved[..16].try_into().unwrap();
        cbc::Decryptor::<Aes256>::new(&KEY.into(), &iv.into()).decrypt_blocks(blocks);
    }
    bytes
}

#[test]
fn what_was_deleted_is_not_left_in_a_free_page() {
    let installed = eft_omemo::install(&own(), &[], at(1), &mut rng(1)).changes;
    let secrets: Vec<Vec<u8>> = installed
        .iter()
        .filter_map(|(_, record)| record)
        .map(|record| record.encode().to_vec())
        // Small records, which are not split over pages, and long enough not to appear by chance.
        .filter(|secret| (32..200).contains(&secret.len()))
        .collect();
    assert!(secrets.len() > 200, "the prekeys are among them");
    let left_after = |steps: &[eft_omemo::Changes]| {
        let home = Home::new();
        for changes in steps {
            let mut batch = Batch::new();
            batch.merge_changes(changes.clone());
            home.commit(&batch);
        }
        let path = home.path();
        let folder = home.folder;
        home.store.close().unwrap();
        let bytes = decrypted(&path);
        drop(folder);
        let found = secrets.iter().filter(|secret| {
            let mut windows = bytes.windows(secret.len());
            windows.any(|window| window == secret.as_slice())
        });
        found.count()
    };
    let mut deletions = eft_omemo::Changes::new();
    for (key, _) in installed.iter() {
        deletions.delete(key.clone());
    }
    let kept = left_after(std::slice::from_ref(&installed));
    assert_eq!(kept, secrets.len(), "the search finds what is there");
    assert_eq!(left_after(&[installed, deletions]), 0);
}

/// Files of SQLite that hold what does not fit into memory, and are deleted as soon as they are open.
fn temporary_files() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    links
        .filter(|link| link.to_string_lossy().contains("etilqs_"))
        .collect()
}

#[test]
fn what_does_not_fit_into_the_page_cache_is_sorted_in_memory_and_not_in_a_file() {
    let home = marked();
    let path = home.folder.path().join("etilqs_like-those-of-sqlite");
    let file = fs::File::create(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(temporary_files().len(), 1, "the search finds one");
    drop(file);
    let connection = raw_connection(&home.path(), &our_settings());
    let options: Vec<String> = connection
        .prepare("PRAGMA compile_options")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    // 3: whatever a connection asks for.
    assert!(options.contains(&"TEMP_STORE=3".to_owned()), "{options:?}");
    connection
        .execute_batch(
            "PRAGMA cache_size = -16; PRAGMA temp_store = FILE;
             CREATE TEMP TABLE copy AS SELECT body FROM message;",
        )
        .unwrap();
    let mut sort = connection
        .prepare(
            "SELECT a.body || b.body || c.number FROM copy a, copy b,
                 (WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n LIMIT 20)
                  SELECT number FROM n) c
             ORDER BY 1 DESC",
        )
        .unwrap();
    let mut rows = sort.query([]).unwrap();
    assert!(rows.next().unwrap().is_some());
    assert_eq!(temporary_files(), [""; 0].map(PathBuf::from));
}

/// Everything that can be printed, and some failures.
fn print_everything(folder: &Path) {
    let path = Home::path_in(folder);
    let store = Store::create(&path, &key(), &own(), &options()).unwrap();
    let mut batch = Batch::new();
    let mut message = live(MARKER);
    message.origin_id = None;
    batch.insert_message(message);
    batch.set_credential(Some(Credential::new(MARKER.into())));
    println!("{batch:?}");
    println!("{:?}", store.commit(&batch, Durability::Full).unwrap());
    store.index_search(10).unwrap();
    println!("{:?}", store.search(MARKER, None, None, 10).unwrap());
    println!("{:?}", store.conversations().unwrap());
    println!("{:?} {store:?}", store.account().unwrap());
    store.close().unwrap();
    let wrong = eft_store::StoreKey::from_parts([1; 32], SALT);
    let error = Store::open(&path, &wrong, &options()).unwrap_err();
    println!("{error} {error:?}");
    // Damage in every page but the first: found by the reads that meet it.
    let mut bytes = fs::read(&path).unwrap();
    bytes
        .iter_mut()
        .skip(4096)
        .step_by(100)
        .for_each(|byte| *byte ^= 1);
    fs::write(&path, bytes).unwrap();
    match Store::open(&path, &key(), &options()) {
        Err(error) => println!("{error} {error:?}"),
        Ok(store) => {
            let error = store.timeline(&juliet(), None, 10).unwrap_err();
            println!("{error} {error:?}");
            let error = store.commit(&batch, Durability::Full).unwrap_err();
            println!("{error} {error:?}");
        }
    }
    println!("printed");
}

#[test]
fn nothing_that_is_printed_or_logged_shows_content_or_keys() {
    if let Some((folder, _)) = role() {
        return print_everything(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let out = crate::processes::output(
        "hygiene::nothing_that_is_printed_or_logged_shows_content_or_keys",
        folder.path(),
    );
    assert!(
        out.contains("printed") && out.contains("text_bytes"),
        "{out}"
    );
    for secret in [MARKER, "5a5a5a5a", "c3c3c3c3", "90, 90, 90"] {
        assert!(!out.contains(secret), "{secret} in {out}");
    }
}
