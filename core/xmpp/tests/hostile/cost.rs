//! What an attack costs, measured in a process of its own.

use std::process::Command;
use std::time::Duration;

pub(crate) const KIB: u64 = 1024;

/// What happened, as the process says it.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Until it was over.
    pub(crate) time: Duration,
    /// Peak above what was there before.
    pub(crate) memory: u64,
    /// That went in.
    pub(crate) bytes: u64,
    /// How it ended.
    pub(crate) outcome: String,
}

const LINE: &str = "cost of the attack:";
const ATTACK: &str = "EFT_ATTACK";

/// Runs an ignored test of this program in a process of its own, and reads what it says.
pub(crate) fn in_own_process(test: &str, attack: &str) -> Cost {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            test,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ATTACK, attack)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{attack}: {said}{errors}");
    // The harness may have written something before it on the same line.
    let cost = said.lines().find_map(|line| line.split(LINE).nth(1));
    let cost = cost.unwrap_or_else(|| panic!("{attack}: {said}{errors}"));
    let mut words = cost.trim().splitn(4, ' ');
    let mut number = || words.next().unwrap().parse::<u64>().unwrap();
    Cost {
        time: Duration::from_micros(number()),
        memory: number(),
        bytes: number(),
        outcome: words.next().unwrap().to_owned(),
    }
}

/// The attack that this process is for.
pub(crate) fn attack() -> String {
    std::env::var(ATTACK).expect("run by another test, with the attack's name")
}

/// For the other process.
pub(crate) fn tell(cost: &Cost) {
    let Cost {
        time,
        memory,
        bytes,
        outcome,
    } = cost;
    println!("{LINE} {} {memory} {bytes} {outcome}", time.as_micros());
}

impl Cost {
    /// For the reader.
    pub(crate) fn print(&self, what: &str, name: &str) {
        println!(
            "{what}: {name}: {:?} for {} KiB, {} KiB of memory, {}",
            self.time,
            self.bytes / KIB,
            self.memory / KIB,
            self.outcome
        );
    }
}

/// The peak of this process from now on.
pub(crate) struct Peak {
    before: u64,
}

impl Peak {
    pub(crate) fn begin() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self {
            before: status("VmRSS"),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        status("VmHWM").saturating_sub(self.before)
    }
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * KIB
}
