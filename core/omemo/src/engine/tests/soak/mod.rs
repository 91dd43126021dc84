//! Three accounts with three devices each, both versions, and everything that can happen between them.
//!
//! A model beside the engine knows which messages must be read. A message may be lost only for a reason that the model
//! finds on its own, from what it saw happen: its prekey was used by another exchange, its signed prekey was rotated away,
//! its session fell out of the archive, or its receiver was rolled back and the sender did not know it.
//!
//! Around the engine the devices do what the client does: when the store turns out to be an older copy of itself, every
//! session is left for reading and asked for anew, prekeys are renewed, and the archive is read again from where that copy
//! stood; and a user who cannot read somebody makes the sessions anew (XEP-0384 §6).
//!
//! | Variable | Meaning |
//! |---|---|
//! | `EFT_SOAK` | `r1` for the long form |
//! | `EFT_SOAK_MINUTES` | how long that is |
//! | `EFT_SOAK_SEED` | where randomness begins |

mod checking;
mod judging;
mod sending;
mod turmoil;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::testing::{Device, seeded};
use crate::{Action, EncryptedMessage, RecordKind, UnverifiedBundle, Version};

const ACCOUNTS: [&str; 3] = ["a@a.example", "b@b.example", "c@c.example"];
const DEVICES: usize = 9;
/// Messages under way to one device; more are delivered at once. It keeps honest delays within the engine's limits.
const MAILBOX: usize = 80;

/// From, to, over.
type Pair = (usize, usize, Version);

/// A message under way to one device.
#[derive(Clone)]
struct Parcel {
    /// They grow.
    number: u64,
    message: EncryptedMessage,
    pair: Pair,
    /// `None` if it is empty.
    text: Option<String>,
    /// Sessions that the receiver had made with the sender when it was sent.
    sessions: u32,
    /// Rotations of the receiver's signed prekey that the sender knew of when it made its session.
    rotations: u32,
    /// How often the sender had been rolled back.
    epoch: u32,
    /// Whether it may be lost because its receiver was rolled back.
    may_be_lost: bool,
}

/// A copy of a device's store, and where the archive that it reads stood then.
struct Backup {
    rows: BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>,
    actions: Vec<Action>,
    mailbox: Vec<Parcel>,
    /// The number that the next parcel had.
    next: u64,
    /// Its own entries of [`World::made`].
    made: Vec<(Pair, u32)>,
}

struct Node {
    device: Device,
    mailbox: Vec<Parcel>,
    /// Some of those that were read.
    read: Vec<Parcel>,
    backup: Option<Backup>,
    epoch: u32,
    rotations: BTreeMap<Version, u32>,
    /// Which exchange, by its ephemeral key, used a prekey.
    used: HashMap<(Version, u32), [u8; 32]>,
}

struct World {
    rng: ChaCha20Rng,
    nodes: Vec<Node>,
    /// Bundles as they were published, with the rotations at that time.
    server: HashMap<(usize, Version), (UnverifiedBundle, u32)>,
    /// Sessions made at the first, with the second.
    made: HashMap<Pair, u32>,
    /// Rotations of the peer's signed prekey that the present session of ours was made with.
    known_rotations: HashMap<Pair, u32>,
    /// The second was rolled back, and the first does not know its new session yet.
    tainted: HashMap<Pair, bool>,
    /// Content that its receiver, the first, could not read.
    unread: BTreeSet<Pair>,
    /// Times that a user made sessions anew because nothing else helped.
    remedies: u64,
    sent: u64,
    delivered: u64,
    excused: u64,
    violations: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let nodes = (0..DEVICES)
            .map(|index| {
                let device = Device::install(ACCOUNTS[index / 3], 500 + index as u64);
                Node {
                    backup: None,
                    device,
                    mailbox: Vec::new(),
                    read: Vec::new(),
                    epoch: 0,
                    rotations: BTreeMap::new(),
                    used: HashMap::new(),
                }
            })
            .collect();
        let mut world = Self {
            rng: seeded(seed),
            nodes,
            server: HashMap::new(),
            made: HashMap::new(),
            known_rotations: HashMap::new(),
            tainted: HashMap::new(),
            unread: BTreeSet::new(),
            remedies: 0,
            sent: 0,
            delivered: 0,
            excused: 0,
            violations: Vec::new(),
        };
        for node in 0..DEVICES {
            world.act(node);
            world.back_up(node);
        }
        world
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap() % below
    }

    fn version(&mut self) -> Version {
        Version::ALL[self.pick(2)]
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One world from its seed to its end; the answer counts its violations.
fn live_through(seed: u64, steps: u64) -> usize {
    let mut world = World::new(seed);
    for done in 1..=steps {
        world.step();
        if done % 2_000 == 0 {
            world.check_bounds();
        }
        if !world.violations.is_empty() {
            break;
        }
    }
    if world.violations.is_empty() {
        world.finish();
    }
    println!(
        "seed {seed}: {} sent, {} delivered, {} excused, {} remedied by users, violations: {:?}",
        world.sent, world.delivered, world.excused, world.remedies, world.violations
    );
    // The excuses are the exception, else they would prove nothing.
    assert!(world.excused * 10 < world.delivered, "{}", world.excused);
    assert!(world.delivered > steps / 2 || !world.violations.is_empty());
    world.violations.len()
}

#[test]
fn nine_devices_lose_no_message_that_could_be_read() {
    let long = std::env::var("EFT_SOAK").is_ok_and(|what| what == "r1");
    let (first, steps, minutes) = if long {
        (
            number("EFT_SOAK_SEED").unwrap_or(1),
            20_000,
            number("EFT_SOAK_MINUTES").unwrap_or(25),
        )
    } else {
        (1, 6_000, 0)
    };
    let end = Instant::now() + Duration::from_secs(minutes * 60);
    let mut next = first;
    let mut violations = 0;
    loop {
        violations += live_through(next, steps);
        next += 1;
        if Instant::now() >= end {
            break;
        }
    }
    let count = (next - first) * steps;
    println!("soak r1 seeds={first}..{next} count={count} violations={violations}");
    assert_eq!(violations, 0);
}
