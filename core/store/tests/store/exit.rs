//! A process that exits while its threads still use databases ends as it was told to, not by a crash
//! in one of them: SQLCipher frees what they use when the process exits.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use eft_store::{Batch, Durability, Store, StoreError, StoreOptions};

use crate::support::*;

/// Names the folder to the child, which is this test again, and how long it lives, in microseconds.
const CHILD: &str = "EFT_STORE_EXIT_TEST_FOLDER";
const LIFE_MICROS: &str = "EFT_STORE_EXIT_TEST_MICROS";

/// Nothing a test harness or a crash would end with.
const CODE: i32 = 43;

/// What a thread may see of the end: nothing, or that the store is closed.
fn not_of_the_end<T>(result: Result<T, StoreError>) -> bool {
    match result {
        Ok(_) => true,
        Err(StoreError::Closed) => false,
        Err(other) => {
            // A panic would end this thread only.
            let _ = writeln!(std::io::stderr(), "{other}");
            std::process::abort()
        }
    }
}

/// Threads that write, read, open and close for ever, and an exit in the middle of it.
fn exit_while_threads_work(folder: &Path, life: Duration) -> ! {
    let path = Home::path_in(folder);
    let store = Arc::new(Store::open(&path, &key(), &StoreOptions::app()).unwrap());
    let writer = Arc::clone(&store);
    std::thread::spawn(move || {
        let mut number = 0;
        loop {
            number += 1;
            let mut batch = Batch::new();
            batch.insert_message(live(&number.to_string()));
            if !not_of_the_end(writer.commit(&batch, Durability::Deferred)) {
                break;
            }
        }
    });
    for _ in 0..2 {
        let reader = Arc::clone(&store);
        std::thread::spawn(move || while not_of_the_end(reader.timeline(&juliet(), None, 100)) {});
    }
    std::thread::spawn(move || {
        // Opening fails once it is too late; then there is nothing more to drop either.
        while let Ok(another) = Store::open(&path, &key(), &StoreOptions::app()) {
            drop(another);
        }
    });
    std::thread::sleep(life);
    std::process::exit(CODE);
}

#[test]
fn an_exit_under_working_threads_is_an_exit_and_no_crash() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let micros = std::env::var(LIFE_MICROS).unwrap().parse().unwrap();
        exit_while_threads_work(Path::new(&folder), Duration::from_micros(micros));
    }
    let home = Home::new();
    for life in 0..25_u64 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("exit::an_exit_under_working_threads_is_an_exit_and_no_crash")
            .env(CHILD, home.folder.path())
            .env(LIFE_MICROS, (20_000 + life * 1_713).to_string())
            .output()
            .unwrap();
        assert_eq!(
            child.status.code(),
            Some(CODE),
            "{life}: {:?} {}",
            child.status,
            String::from_utf8_lossy(&child.stderr)
        );
    }
}
