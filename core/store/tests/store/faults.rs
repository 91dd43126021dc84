//! The disk or the memory fails at call k, for every k: a typed error, nothing half done, and no lasting harm.

use std::ffi::c_int;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use eft_omemo::Changes;
use eft_store::{Batch, Durability, OpenError, Store, StoreError};
use rusqlite::ffi::{SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_OK};

use crate::processes::{Process, count, role};
use crate::support::*;
use crate::vfs::{self, Call};

/// Calls that still succeed.
static LEFT: AtomicI64 = AtomicI64::new(i64::MAX);
/// Whether every later call fails too, or only the one.
static LASTS: AtomicBool = AtomicBool::new(false);

/// Whether it is this call's turn to fail.
fn is_due() -> bool {
    let left = LEFT.fetch_sub(1, Ordering::Relaxed);
    left == 1 || (left < 1 && LASTS.load(Ordering::Relaxed))
}

fn io_error(_: &str, call: Call<'_>) -> c_int {
    if !is_due() {
        return SQLITE_OK;
    }
    match call {
        Call::Open => SQLITE_CANTOPEN,
        _ => SQLITE_IOERR,
    }
}

fn full_disk(_: &str, call: Call<'_>) -> c_int {
    match call {
        Call::Write { .. } if is_due() => SQLITE_FULL,
        _ => SQLITE_OK,
    }
}

/// What a caller may be told: never that a good database is damaged, or its key wrong.
fn is_honest(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Io { .. } | StoreError::DiskFull | StoreError::Busy
    )
}

fn is_honest_opening(error: &OpenError) -> bool {
    matches!(
        error,
        OpenError::Io { .. } | OpenError::DiskFull | OpenError::Busy
    )
}

/// Made once: making keys is slow.
static INSTALLED: LazyLock<Changes> =
    LazyLock::new(|| eft_omemo::install(&own(), &[], at(1), &mut rng(1)).changes);

fn batch(number: u32) -> Batch {
    let mut batch = Batch::new();
    for part in ["first", "second"] {
        batch.insert_message(live(&format!("{part} {number}")));
    }
    batch.merge_changes(INSTALLED.clone());
    batch
}

/// Opens, writes, reads, closes. Answers how many batches were committed for sure, and what failed, in order.
fn work(path: &Path, number: u32) -> (u32, Vec<String>) {
    let store = match Store::open(path, &key(), &options()) {
        Ok(store) => store,
        Err(error) => {
            assert!(is_honest_opening(&error), "opening: {error:?}");
            return (0, vec![error.to_string()]);
        }
    };
    let mut failed = Vec::new();
    let mut tell = |what: &str, result: Result<(), StoreError>| {
        if let Err(error) = &result {
            assert!(is_honest(error), "{what}: {error:?}, after {failed:?}");
            failed.push(format!("{what}: {error}"));
        }
        result.is_ok()
    };
    let mut committed = 0;
    // Goes on after an error, as an app does.
    for (step, durability) in [(0, Durability::Full), (1, Durability::Deferred)] {
        let done = store.commit(&batch(number + step), durability).map(drop);
        committed += u32::from(tell("commit", done));
        tell("read", store.timeline(&juliet(), None, 100).map(drop));
    }
    tell("index", store.index_search(100).map(drop));
    tell("sync", store.sync());
    tell("close", store.close());
    (committed, failed)
}

/// Both messages of a batch or none, and at least as many batches as were reported.
fn assert_whole(path: &Path, number: u32, committed: u32, k: i64) {
    let store = Store::open(path, &key(), &options()).unwrap();
    let page = store.timeline(&juliet(), None, 1000).unwrap();
    let texts: Vec<_> = page.iter().map(text_of).collect();
    let mut there = 0;
    for step in 0..2 {
        let has = |part: &str| texts.contains(&format!("{part} {}", number + step));
        assert_eq!(has("first"), has("second"), "call {k}: half a batch");
        there += u32::from(has("first"));
    }
    assert!(
        there >= committed,
        "call {k}: {committed} reported, {there} there"
    );
    // It works again, as if nothing had been.
    let mut again = Batch::new();
    again.insert_message(live("again"));
    store.commit(&again, Durability::Full).unwrap();
    store.close().unwrap();
}

/// Lets call k fail, for k = 1, 1 + step, ... until a run gets through without reaching it.
fn sweep(folder: &Path, lasts: bool, step: i64) -> (i64, u32) {
    let path = Home::path_in(folder);
    let template = folder.join("template");
    let store = Store::create(&template, &key(), &own(), &options()).unwrap();
    store.commit(&batch(0), Durability::Full).unwrap();
    store.close().unwrap();
    let mut failures = 0;
    let mut k = 1;
    loop {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        std::fs::copy(&template, &path).unwrap();
        LASTS.store(lasts, Ordering::Relaxed);
        LEFT.store(k, Ordering::Relaxed);
        let (committed, failed) = work(&path, 1);
        let reached = LEFT.swap(i64::MAX, Ordering::Relaxed) < 1;
        failures += u32::from(!failed.is_empty());
        assert_whole(&path, 1, committed, k);
        if !reached {
            assert_eq!(failed, [""; 0]);
            return (k, failures);
        }
        k += step;
    }
}

#[test]
fn a_failure_at_any_call_is_told_by_its_cause_and_leaves_no_half_batch() {
    if let Some((folder, role)) = role() {
        let (kind, step) = role.split_once(' ').unwrap();
        match kind {
            "io" | "io-lasting" => vfs::install(io_error),
            "full" => vfs::install(full_disk),
            _ => vfs::install_memory(is_due),
        }
        let (calls, failures) = sweep(
            &folder,
            kind != "io" && kind != "memory",
            step.parse().unwrap(),
        );
        println!("swept calls={calls} told={failures}");
        return;
    }
    const TEST: &str =
        "faults::a_failure_at_any_call_is_told_by_its_cause_and_leaves_no_half_batch";
    // Every allocation takes minutes: an ordinary run tries some, evenly spread.
    let memory_step = count("EFT_STORE_MEMORY_STEP", 61);
    for (kind, step) in [
        ("io", 1),
        ("io-lasting", 1),
        ("full", 1),
        ("memory", memory_step),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(TEST, folder.path(), &format!("{kind} {step}"));
        let swept = process.hear("swept").unwrap_or_else(|| panic!("{kind}"));
        println!("S3 kind={kind} step={step} {swept} half_batches=0 wrong_causes=0");
        let told = swept.rsplit_once("told=").unwrap().1;
        assert!(told.parse::<u32>().unwrap() > 10, "{kind}: {swept}");
    }
}
