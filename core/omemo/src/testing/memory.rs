//! Looking for secrets in the memory of a process that has dropped them.
//!
//! A test starts itself as a child. The child makes secrets, tells which bytes to look for, waits, drops them, and waits
//! again; the parent reads the child's memory in between. Two processes, because who looks for bytes holds them.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rand_core::{TryCryptoRng, TryRng};

use super::{hex, unhex};

/// Set in the child.
const CHILD: &str = "EFT_MEMORY_CHILD";

/// How many of the wanted bytes were found, before and after they were dropped.
#[derive(Debug)]
pub(crate) struct Findings {
    /// One number per wanted piece.
    pub(crate) held: Vec<usize>,
    /// One number per wanted piece.
    pub(crate) dropped: Vec<usize>,
}

/// Whether this process is the child; then its part has been played.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// What the child does: `wanted` names the secret bytes of what it holds.
pub(crate) fn play<T>(make: impl FnOnce() -> T, wanted: impl FnOnce(&T) -> Vec<String>) {
    let value = make();
    println!("wanted {}", wanted(&value).join(" "));
    wait();
    drop(value);
    println!("dropped");
    wait();
}

/// The middle of a secret in the form that [`play`] tells it in. Clamping changes its ends, and an allocator writes its
/// own to the first sixteen bytes of what was freed: looked for there, a secret would seem gone that is not.
pub(crate) fn middle(secret: &[u8]) -> String {
    hex(&secret[16..28])
}

fn wait() {
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// Runs the test of this name once more as a child, and searches it.
pub(crate) fn search_child(test: &str) -> Findings {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let wanted: Vec<_> = line(&mut output, "wanted")
        .split_whitespace()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(unhex)
        .collect();
    assert!(!wanted.is_empty());
    let held = search(&child, &wanted);
    go_on(&mut input);
    line(&mut output, "dropped");
    let dropped = search(&child, &wanted);
    go_on(&mut input);
    assert!(child.wait().unwrap().success());
    Findings { held, dropped }
}

fn go_on(input: &mut ChildStdin) {
    input.write_all(b"\n").unwrap();
    input.flush().unwrap();
}

/// What follows the word, in the first line that holds it: the test harness writes before it.
fn line(output: &mut BufReader<ChildStdout>, word: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(
            output.read_line(&mut line).unwrap(),
            0,
            "the child said no {word:?}"
        );
        if let Some((_, rest)) = line.split_once(word) {
            return rest.to_owned();
        }
    }
}

/// How often each piece is in the writable memory of a process.
fn search(child: &Child, wanted: &[Vec<u8>]) -> Vec<usize> {
    let proc = format!("/proc/{}", child.id());
    let maps = std::fs::read_to_string(format!("{proc}/maps")).unwrap();
    let mut memory = File::open(format!("{proc}/mem")).unwrap();
    // By their first bytes, so that one pass finds all.
    let heads: HashMap<&[u8], usize> = wanted
        .iter()
        .enumerate()
        .map(|(index, piece)| (&piece[..HEAD], index))
        .collect();
    let mut found = vec![0; wanted.len()];
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (range, _) = map.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        memory.seek(SeekFrom::Start(start)).unwrap();
        if memory.read_exact(&mut bytes).is_err() {
            // Reserved, and not there.
            continue;
        }
        for window in bytes.windows(HEAD).filter(|window| **window != [0; HEAD]) {
            if let Some(index) = heads.get(window) {
                found[*index] += 1;
            }
        }
    }
    found
}

/// Bytes that are enough to know a piece by.
const HEAD: usize = 8;

/// The system's randomness, straight to where it is wanted: no generator that keeps what it gave out.
pub(crate) struct SystemRng(File);

impl SystemRng {
    pub(crate) fn new() -> Self {
        Self(File::open("/dev/urandom").unwrap())
    }
}

impl TryRng for SystemRng {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read_exact(to).unwrap();
        Ok(())
    }
}

impl TryCryptoRng for SystemRng {}
