//! The write-ahead log as a crash leaves it.

use std::fs;
use std::path::{Path, PathBuf};

use eft_store::{Batch, Durability, OpenError, Store, StoreKey};
use tempfile::TempDir;

use crate::support::*;

/// A home whose commits are still in the log, two messages each.
fn with_log(commits: u32) -> Home {
    let home = Home::new();
    for number in 0..commits {
        let mut batch = Batch::new();
        batch.insert_message(live(&format!("{number} a")));
        batch.insert_message(live(&format!("{number} b")));
        home.commit(&batch);
    }
    home
}

/// What the disk holds at this instant, without the shared memory, which a crash takes along.
fn crashed(home: &Home) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Home::path_in(folder.path());
    fs::copy(home.path(), &path).unwrap();
    let log_of = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    fs::copy(log_of(&home.path()), log_of(&path)).unwrap();
    let log = log_of(&path);
    (folder, path, log)
}

fn texts(path: &Path) -> Vec<String> {
    let store = Store::open(path, &key(), &options()).unwrap();
    let page = store.timeline(&juliet(), None, 1000).unwrap();
    page.iter().rev().map(text_of).collect()
}

#[test]
fn commits_that_are_only_in_the_log_are_there_after_a_crash() {
    let home = with_log(5);
    let (_folder, path, _) = crashed(&home);
    assert_eq!(texts(&path), home.texts(&juliet()));
    assert_eq!(texts(&path).len(), 10);
}

#[test]
fn a_torn_log_loses_whole_commits_from_its_end_and_nothing_else() {
    let home = with_log(8);
    let all = home.texts(&juliet());
    let (_folder, path, log) = crashed(&home);
    let (database, whole) = (fs::read(&path).unwrap(), fs::read(&log).unwrap());
    let mut lengths = Vec::new();
    let mut cut = whole.len();
    while cut > 0 {
        fs::write(&path, &database).unwrap();
        // Cut off, and then garbage where the rest would be.
        let mut torn = whole[..cut].to_vec();
        torn.extend(std::iter::repeat_n(0xee, (whole.len() - cut).min(500)));
        fs::write(&log, &torn).unwrap();
        let found = texts(&path);
        assert_eq!(found.len() % 2, 0, "half a commit");
        assert_eq!(found, all[..found.len()]);
        lengths.push(found.len());
        cut = cut.saturating_sub(1777);
    }
    assert_eq!(lengths[0], all.len());
    assert_eq!(lengths.last(), Some(&0));
    assert!(lengths.is_sorted_by(|longer, shorter| longer >= shorter));
    lengths.dedup();
    assert_eq!(lengths.len(), 9, "every number of commits was met");
}

#[test]
fn a_wrong_key_does_no_harm_to_a_log_that_was_not_written_back() {
    let home = with_log(3);
    let (_folder, path, _) = crashed(&home);
    let wrong = StoreKey::from_parts([1; 32], SALT);
    for _ in 0..2 {
        let error = Store::open(&path, &wrong, &options()).unwrap_err();
        assert!(matches!(error, OpenError::WrongKey), "{error:?}");
    }
    assert_eq!(texts(&path), home.texts(&juliet()));
}

#[test]
fn a_log_of_another_database_is_refused_and_not_written_back() {
    let mine = with_log(2);
    let expected = mine.texts(&juliet());
    let (_folder, path, log) = crashed(&mine);
    // Everything into the database, so that the log can be another one.
    Store::open(&path, &key(), &options())
        .unwrap()
        .close()
        .unwrap();
    let database = fs::read(&path).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let foreign_path = Home::path_in(folder.path());
    let foreign_key = StoreKey::from_parts([9; 32], [8; 16]);
    let foreign = Store::create(&foreign_path, &foreign_key, &own(), &options()).unwrap();
    // The root of the schema changes with the first page, so that the log holds that page.
    let mut batch = Batch::new();
    for number in 0..2000 {
        batch.insert_message(live(&format!("foreign {number}")));
    }
    foreign.commit(&batch, Durability::Full).unwrap();
    fs::copy(format!("{}-wal", foreign_path.display()), &log).unwrap();

    let error = Store::open(&path, &key(), &options()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert!(
        fs::read(&path).unwrap() == database,
        "the database was touched"
    );
    fs::remove_file(&log).unwrap();
    assert_eq!(texts(&path), expected);
}
