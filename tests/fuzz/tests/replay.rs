//! Every file of the corpus and of the regressions goes through its target again, and so do cheap mutations of it:
//! this finds something on any toolchain, without a fuzzer.
//!
//! The short form runs with every `make test`. Longer: `EFT_FUZZ_ROUNDS=100000 cargo test -p eft-fuzz`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use eft_fuzz::{TARGETS, Target};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Mutations of each target together, in the short form.
const ROUNDS: u32 = 2000;
/// Those whose runs take a millisecond or more.
const SLOW: &[(&str, u32)] = &[
    ("conversation", 60),
    ("store", 60),
    ("login", 300),
    ("message", 600),
    ("bundle", 600),
];

fn folder(name: &str, target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(name)
        .join(target.name)
}

/// Files with their names, in the order of the names.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn try_input(target: &Target, name: &str, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{} fails with {name}: {hex}", target.name);
    }
}

#[test]
fn every_target_has_a_small_corpus_and_stands_it() {
    let (mut count, mut bytes) = (0, 0);
    for target in TARGETS {
        let corpus = files(&folder("corpus", target));
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        count += corpus.len();
        bytes += corpus.iter().map(|(_, input)| input.len()).sum::<usize>();
        for (name, input) in &corpus {
            try_input(target, name, input);
        }
    }
    assert!(
        count < 250 && bytes < 300_000,
        "{count} files, {bytes} bytes"
    );
}

#[test]
fn what_was_found_once_stays_mended() {
    for target in TARGETS {
        for (name, input) in files(&folder("regressions", target)) {
            try_input(target, &name, &input);
        }
    }
}

#[test]
fn seeds_made_by_this_release_pass() {
    for target in TARGETS {
        for (at, seed) in (target.seeds)().iter().enumerate() {
            try_input(target, &format!("seed {at}"), seed);
        }
    }
}

#[test]
fn no_mutation_of_the_corpus_breaks_a_property() {
    let rounds = std::env::var("EFT_FUZZ_ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok());
    std::thread::scope(|scope| {
        for (seed, target) in (1..).zip(TARGETS) {
            let slow = SLOW.iter().find(|(name, _)| *name == target.name);
            let usual = slow.map_or(ROUNDS, |(_, rounds)| *rounds);
            scope.spawn(move || mutate(target, rounds.unwrap_or(usual), seed));
        }
    });
}

fn mutate(target: &Target, rounds: u32, seed: u64) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let corpus = files(&folder("corpus", target));
    for round in 0..rounds {
        let (name, input) = &corpus[below(&mut rng, corpus.len())];
        let (_, other) = &corpus[below(&mut rng, corpus.len())];
        let mut input = input.clone();
        for _ in 0..=below(&mut rng, 3) {
            change(&mut input, other, &mut rng);
        }
        try_input(target, &format!("mutation {round} of {name}"), &input);
    }
}

/// One change: a bit, a byte that is often special, a number, a cut, a repetition, or a piece of another input.
fn change(input: &mut Vec<u8>, other: &[u8], rng: &mut ChaCha20Rng) {
    const SPECIAL: [u8; 8] = [0, 1, 5, 0x7F, 0x80, 0xFE, 0xFF, b'<'];
    if input.is_empty() {
        input.extend_from_slice(other);
        return;
    }
    let at = below(rng, input.len());
    let length = 1 + below(rng, (input.len() - at).min(16));
    match below(rng, 7) {
        0 => input[at] ^= 1 << below(rng, 8),
        1 => input[at] = SPECIAL[below(rng, SPECIAL.len())],
        2 => input[at..at + length].fill(SPECIAL[below(rng, SPECIAL.len())]),
        3 => input.truncate(at),
        4 => drop(input.drain(at..at + length)),
        5 => {
            let piece = input[at..at + length].to_vec();
            input.splice(at..at, piece);
        }
        _ => {
            let from = below(rng, other.len().max(1)).min(other.len());
            let to = (from + 1 + below(rng, 64)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
    }
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % bound
}
