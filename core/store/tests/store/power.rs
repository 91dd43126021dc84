//! The power fails: what was not synced is there, gone, torn or in another order, and nothing that was
//! promised is lost.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use eft_store::{Durability, Store, StoreOptions};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use rusqlite::ffi::SQLITE_OK;

use crate::kill::{batch, whole_batches};
use crate::processes::{Process, count, role};
use crate::soak::Slice;
use crate::support::*;
use crate::vfs::{self, Call};

/// Disks write whole sectors.
const SECTOR_BYTES: usize = 512;

/// One file, as a disk has it.
#[derive(Default)]
struct Disk {
    synced: Vec<u8>,
    /// Since the last sync, in order.
    unsynced: Vec<Change>,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { bytes: usize },
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Truncate { bytes } => file.resize(*bytes, 0),
            Self::Write { offset, bytes } => {
                if file.len() < offset + bytes.len() {
                    file.resize(offset + bytes.len(), 0);
                }
                file[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// The parts that a disk may keep without the others.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write { offset, bytes } = self else {
            let Self::Truncate { bytes } = *self else {
                return Vec::new();
            };
            return vec![Self::Truncate { bytes }];
        };
        let mut sectors = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + SECTOR_BYTES - (offset + at) % SECTOR_BYTES).min(bytes.len());
            sectors.push(Self::Write {
                offset: offset + at,
                bytes: bytes[at..end].to_vec(),
            });
            at = end;
        }
        sectors
    }
}

impl Disk {
    /// What may be found when the power comes back.
    fn after_power_cut(&self, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let mut file = self.synced.clone();
        let mode = rng.next_u32() % 4;
        let parts: Vec<Change> = self.unsynced.iter().flat_map(Change::sectors).collect();
        let mut kept: Vec<&Change> = match mode {
            0 => Vec::new(),
            // In order, up to some point: the last write torn.
            1 => {
                let end = rng.next_u32() as usize % (parts.len() + 1);
                parts.iter().take(end).collect()
            }
            // Any of them.
            2 => parts
                .iter()
                .filter(|_| rng.next_u32().is_multiple_of(2))
                .collect(),
            // Nearly all.
            _ => parts
                .iter()
                .filter(|_| !rng.next_u32().is_multiple_of(16))
                .collect(),
        };
        // Later ones may reach the disk first, and then be overwritten by earlier ones.
        if mode == 2 {
            for index in (1..kept.len()).rev() {
                kept.swap(index, rng.next_u32() as usize % (index + 1));
            }
        }
        for change in kept {
            change.apply(&mut file);
        }
        file
    }
}

struct Machine {
    disks: BTreeMap<String, Disk>,
    rng: ChaCha20Rng,
    /// Calls until the next image.
    next: u32,
    images: u32,
    /// Batches that were promised to be durable, and the last that was begun.
    safe: u32,
    begun: u32,
}

static MACHINE: LazyLock<Mutex<Option<Machine>>> = LazyLock::new(|| Mutex::new(None));

/// Watches the database and its log; the shared memory is memory.
fn watch(path: &str, call: Call<'_>) -> c_int {
    let mut machine = MACHINE.lock().unwrap();
    let Some(machine) = machine.as_mut() else {
        return SQLITE_OK;
    };
    if !path.ends_with("romeo.db") && !path.ends_with("romeo.db-wal") {
        return SQLITE_OK;
    }
    if let Call::Delete = call {
        machine.disks.remove(path);
        return SQLITE_OK;
    }
    let disk = machine
        .disks
        .entry(path.to_owned())
        .or_insert_with(|| Disk {
            synced: std::fs::read(path).unwrap_or_default(),
            unsynced: Vec::new(),
        });
    match call {
        Call::Write { offset, bytes } => disk.unsynced.push(Change::Write {
            offset: offset as usize,
            bytes: bytes.to_vec(),
        }),
        Call::Truncate { bytes } => disk.unsynced.push(Change::Truncate {
            bytes: bytes as usize,
        }),
        Call::Sync => {
            for change in std::mem::take(&mut disk.unsynced) {
                change.apply(&mut disk.synced);
            }
        }
        Call::Open | Call::Read | Call::Size | Call::Map | Call::Delete => return SQLITE_OK,
    }
    machine.tick();
    SQLITE_OK
}

impl Machine {
    fn tick(&mut self) {
        self.next = self.next.saturating_sub(1);
        if self.next > 0 {
            return;
        }
        self.next = 1 + self.rng.next_u32() % 120;
        let Some(home) = self
            .disks
            .keys()
            .find_map(|path| path.strip_suffix("romeo.db").map(str::to_owned))
        else {
            return;
        };
        self.images += 1;
        let image = format!("{home}image-{}-{}-{}", self.images, self.safe, self.begun);
        std::fs::create_dir(&image).unwrap();
        for (path, disk) in &self.disks {
            let name = Path::new(path).file_name().unwrap();
            let found = disk.after_power_cut(&mut self.rng);
            std::fs::write(Path::new(&image).join(name), found).unwrap();
        }
    }
}

/// Commits batches, with checkpoints in between, and leaves images behind.
fn work_under_power_cuts(folder: &Path, seed: u32) {
    vfs::install(watch);
    let path = Home::path_in(folder);
    Store::create(&path, &key(), &own(), &options()).unwrap();
    *MACHINE.lock().unwrap() = Some(Machine {
        disks: BTreeMap::new(),
        rng: rng(u64::from(seed)),
        next: 20,
        images: 0,
        safe: 0,
        begun: 0,
    });
    let promise = |change: &dyn Fn(&mut Machine)| change(MACHINE.lock().unwrap().as_mut().unwrap());
    let store = Store::open(&path, &key(), &StoreOptions::app()).unwrap();
    for number in 1..=60 {
        promise(&|machine| machine.begun = number);
        let durability = match number % 4 {
            0 => Durability::Full,
            _ => Durability::Deferred,
        };
        store.commit(&batch(number), durability).unwrap();
        if number % 10 == 3 {
            store.sync().unwrap();
            promise(&|machine| machine.safe = number);
        }
        if durability == Durability::Full {
            promise(&|machine| machine.safe = number);
        }
        if number % 25 == 0 {
            // Writes the log back, and empties it.
            store.suspend().unwrap();
            promise(&|machine| machine.safe = number);
            store.resume().unwrap();
        }
        store.index_search(2).unwrap();
    }
}

#[test]
fn after_a_power_cut_all_that_was_promised_is_there_whole_and_in_order() {
    if let Some((folder, role)) = role() {
        work_under_power_cuts(&folder, role.parse().unwrap());
        println!("worked");
        return;
    }
    const TEST: &str = "power::after_a_power_cut_all_that_was_promised_is_there_whole_and_in_order";
    let seed = u64::from(count("EFT_STORE_SEED", 1)) * 1000 + 1;
    let wanted = u64::from(count("EFT_STORE_POWER_CUTS", 40));
    let mut newest_lost = 0;
    Slice::begin("s2", seed, wanted).run(|seed| {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(TEST, folder.path(), &seed.to_string());
        assert!(process.hear("worked").is_some(), "seed {seed}");
        let mut images = 0;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let image = entry.unwrap().path();
            let name = image.file_name().unwrap().to_str().unwrap().to_owned();
            if let Some(numbers) = name.strip_prefix("image-") {
                newest_lost += check_image(&image, numbers, seed);
                images += 1;
            }
        }
        println!(
            "S2 images={images} corrupt=0 lost_after_promise=0 deferred_lost_so_far={newest_lost}"
        );
        images
    });
    assert!(newest_lost > 0, "the cuts took something");
}

/// What is promised is there, and what was lost comes again, once. Answers how many batches were lost.
fn check_image(image: &Path, numbers: &str, seed: u64) -> u32 {
    let parsed: Vec<u32> = numbers.split('-').map(|n| n.parse().unwrap()).collect();
    let [_, safe, begun] = parsed[..] else {
        panic!("{numbers}")
    };
    let path = Home::path_in(image);
    let there = whole_batches(&path);
    assert!(
        (safe..=begun).contains(&there),
        "seed {seed} {numbers}: {safe} promised, {begun} begun, {there} there"
    );
    let store = Store::open(&path, &key(), &StoreOptions::app()).unwrap();
    for number in there + 1..=begun {
        store.commit(&batch(number), Durability::Full).unwrap();
    }
    store.close().unwrap();
    assert_eq!(whole_batches(&path), begun);
    begun - there
}
