//! Three accounts with three devices each, both versions, and everything that can happen between them.
//!
//! A model beside the engine knows which messages must be read. A message may be lost only for a reason that the model
//! finds on its own, from what it saw happen: its prekey was used by another exchange, its signed prekey was rotated away,
//! its session fell out of the archive, or one of the two devices was rolled back.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `EFT_SOAK` | `r1` for the long form |
//! | `EFT_SOAK_MINUTES` | how long that is |
//! | `EFT_SOAK_SEED` | where randomness begins |

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use eft_types::DeviceAddress;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::limits::{ARCHIVED_SESSIONS, MAX_SKIPPED_KEYS, MIN_PRE_KEYS, TARGET_PRE_KEYS};
use crate::testing::{Device, NOW, seeded};
use crate::wire::Incoming;
use crate::{
    Action, EncryptedMessage, Event, Outcome, RecordKey, RecordKind, UnverifiedBundle, Version,
    encrypt, finish_catch_up, has_session, renew_pre_keys, rotate_signed_pre_key,
};

const ACCOUNTS: [&str; 3] = ["a@a.example", "b@b.example", "c@c.example"];
const DEVICES: usize = 9;
/// Messages under way to one device; more are delivered at once. It keeps honest delays within the engine's limits.
const MAILBOX: usize = 80;

type Snapshot = BTreeMap<(RecordKind, Vec<u8>), Vec<u8>>;
/// From, to, over.
type Pair = (usize, usize, Version);

/// A message under way to one device.
#[derive(Clone)]
struct Parcel {
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
    /// Whether it may be lost because someone was rolled back.
    may_be_lost: bool,
}

struct Node {
    device: Device,
    mailbox: Vec<Parcel>,
    /// Some of those that were read.
    read: Vec<Parcel>,
    snapshot: Snapshot,
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
                    snapshot: device.snapshot(),
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
            sent: 0,
            delivered: 0,
            excused: 0,
            violations: Vec::new(),
        };
        for node in 0..DEVICES {
            world.act(node);
        }
        world
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap() % below
    }

    fn version(&mut self) -> Version {
        Version::ALL[self.pick(2)]
    }

    fn index_of(&self, address: &DeviceAddress) -> usize {
        let found = |node: &Node| node.device.address == *address;
        self.nodes.iter().position(found).unwrap()
    }

    /// Counts the sessions that the events tell of.
    fn note_events(&mut self, node: usize) {
        for event in core::mem::take(&mut self.nodes[node].device.events) {
            if let Event::SessionAccepted { address, version }
            | Event::SessionInitiated { address, version } = event
            {
                let peer = self.index_of(&address);
                *self.made.entry((node, peer, version)).or_default() += 1;
            }
        }
    }

    fn has_session(&mut self, (from, to, version): Pair) -> bool {
        let address = self.nodes[to].device.address.clone();
        let device = &mut self.nodes[from].device;
        device
            .run(|records| has_session(records, &address, version))
            .unwrap()
    }

    /// Makes a session from the bundle that is published.
    fn initiate(&mut self, pair: Pair) {
        let (from, to, version) = pair;
        let (bundle, rotations) = self.server[&(to, version)].clone();
        let bundle = bundle.verify().unwrap();
        self.nodes[from].device.initiate(&bundle).unwrap();
        self.known_rotations.insert(pair, rotations);
        self.note_events(from);
    }

    fn post(&mut self, message: &EncryptedMessage, pair: Pair, text: Option<String>) {
        let (from, to, version) = pair;
        let address = &self.nodes[to].device.address;
        let mut message = message.clone();
        message
            .keys
            .retain(|key| key.rid == address.device && key.jid.as_ref() == Some(&address.jid));
        assert_eq!(message.keys.len(), 1);
        let parcel = Parcel {
            message,
            pair,
            text,
            sessions: self.made.get(&(to, from, version)).copied().unwrap_or(0),
            rotations: self.known_rotations.get(&pair).copied().unwrap_or(0),
            epoch: self.nodes[from].epoch,
            may_be_lost: self.tainted.get(&pair).copied().unwrap_or(false),
        };
        self.nodes[to].mailbox.push(parcel);
        self.sent += 1;
    }

    /// One message for all devices of an account and our own others.
    fn send(&mut self, from: usize, account: usize, version: Version) {
        let targets: Vec<_> = (0..DEVICES)
            .filter(|to| *to != from && (to / 3 == account || to / 3 == from / 3))
            .collect();
        for to in &targets {
            if !self.has_session((from, *to, version)) {
                self.initiate((from, *to, version));
            }
        }
        let addresses: Vec<_> = targets
            .iter()
            .map(|to| self.nodes[*to].device.address.clone())
            .collect();
        let text = format!("{} of {from}", self.sent);
        let device = &mut self.nodes[from].device;
        let trusted: Vec<_> = addresses.iter().map(|to| device.trusted(to)).collect();
        device.load(&crate::encrypt_needs(version, &addresses));
        let mut rng = device.rng.clone();
        let sent = encrypt(
            &device.records,
            version,
            text.as_bytes(),
            &trusted,
            &mut rng,
        )
        .unwrap();
        device.rng = rng;
        device.commit(sent.changes);
        for to in targets {
            self.post(&sent.message, (from, to, version), Some(text.clone()));
        }
    }

    fn send_empty(&mut self, pair: Pair) {
        let (from, to, version) = pair;
        let address = self.nodes[to].device.address.clone();
        let message = self.nodes[from].device.send_empty(&address, version);
        self.post(&message, pair, None);
    }

    /// Carries out what the engine asked for.
    fn act(&mut self, node: usize) {
        for action in core::mem::take(&mut self.nodes[node].device.actions) {
            match action {
                Action::PublishBundle { version } => self.publish(node, version),
                Action::SendEmpty { to, version, .. } => {
                    let pair = (node, self.index_of(&to), version);
                    if self.has_session(pair) {
                        self.send_empty(pair);
                    }
                }
                Action::BuildSession { to, version } => {
                    let pair = (node, self.index_of(&to), version);
                    if !self.has_session(pair) {
                        self.initiate(pair);
                    }
                    self.send_empty(pair);
                }
                Action::PublishDeviceList { .. }
                | Action::RefreshDeviceList { .. }
                | Action::FetchBundle { .. } => {}
            }
        }
    }

    fn publish(&mut self, node: usize, version: Version) {
        let Node {
            device, rotations, ..
        } = &mut self.nodes[node];
        let address = device.address.clone();
        let bundle = device
            .run(|records| crate::bundle(records, version))
            .unwrap();
        assert!(bundle.pre_keys.len() >= MIN_PRE_KEYS);
        let count = rotations.get(&version).copied().unwrap_or(0);
        self.server
            .insert((node, version), (bundle.into_unverified(address), count));
    }

    /// Hands a message to its device and judges what becomes of it.
    fn deliver(&mut self, node: usize, index: usize) {
        let parcel = self.nodes[node].mailbox.remove(index);
        let waited = self.key_waits(&parcel);
        let outcome = self.nodes[node].device.receive(&parcel.message);
        let (from, to, version) = parcel.pair;
        let accepted = |event: &Event| matches!(event, Event::SessionAccepted { .. });
        if self.nodes[node].device.events.iter().any(accepted)
            && let Some((pre_key, ephemeral)) = exchange_of(&parcel)
        {
            self.nodes[node].used.insert((version, pre_key), ephemeral);
        }
        self.note_events(node);
        let read = match (&outcome, &parcel.text) {
            (
                Outcome::Decrypted {
                    plaintext, device, ..
                },
                Some(text),
            ) => {
                plaintext.as_bytes() == text.as_bytes()
                    && *device == self.nodes[from].device.address
            }
            (Outcome::Empty { device }, None) => *device == self.nodes[from].device.address,
            _ => false,
        };
        if read {
            self.delivered += 1;
            // Only a message that was sent after the sender was rolled back is of a session that the sender still has;
            // one from before revives one that it has not. A message whose key waited revives none.
            if parcel.epoch != self.nodes[from].epoch {
                self.tainted.insert((to, from, version), true);
            } else if !waited {
                self.tainted.insert((to, from, version), false);
            }
            let place = self.pick(32);
            let read = &mut self.nodes[node].read;
            if read.len() < 32 {
                read.push(parcel);
            } else {
                read[place] = parcel;
            }
        } else if self.is_excused(&parcel, &outcome) {
            self.excused += 1;
        } else {
            let what = parcel.text.as_deref().unwrap_or("empty");
            self.violations
                .push(format!("{version} {what:?} {from} -> {to}: {outcome:?}"));
        }
    }

    /// Whether the message's key was stored when a later one arrived.
    fn key_waits(&self, parcel: &Parcel) -> bool {
        let (from, to, version) = parcel.pair;
        let device = &self.nodes[to].device;
        let position = parcel
            .message
            .chain_position(&device.address)
            .unwrap()
            .unwrap();
        let key = RecordKey::SkippedKey {
            address: self.nodes[from].device.address.clone(),
            version,
            dh_pub: position.dh_pub,
            n: position.n,
        };
        device.row_size(&key).is_some()
    }

    /// Whether the model knows a reason why this message cannot be read.
    fn is_excused(&self, parcel: &Parcel, outcome: &Outcome) -> bool {
        let (from, to, version) = parcel.pair;
        let receiver = &self.nodes[to];
        let sessions = self.made.get(&(to, from, version)).copied().unwrap_or(0);
        let fell_out = (sessions - parcel.sessions) as usize >= ARCHIVED_SESSIONS;
        match outcome {
            Outcome::Decrypted { .. } | Outcome::Empty { .. } => false,
            Outcome::UnknownPreKey { id } => {
                let other = exchange_of(parcel).is_some_and(|(_, ephemeral)| {
                    let user = receiver.used.get(&(version, *id));
                    user.is_some_and(|user| *user != ephemeral)
                });
                other || fell_out || parcel.may_be_lost
            }
            Outcome::UnknownSignedPreKey { .. } => {
                let rotations = receiver.rotations.get(&version).copied().unwrap_or(0);
                rotations >= parcel.rotations + 2 || parcel.may_be_lost
            }
            Outcome::BadMac => fell_out || parcel.may_be_lost,
            Outcome::NoSession | Outcome::KeyUsed | Outcome::Duplicate => parcel.may_be_lost,
            _ => false,
        }
    }

    /// What was read comes once more.
    fn repeat(&mut self, node: usize) {
        if self.nodes[node].read.is_empty() {
            return;
        }
        let index = self.pick(self.nodes[node].read.len());
        let parcel = self.nodes[node].read[index].clone();
        let before = self.nodes[node].device.snapshot();
        let outcome = self.nodes[node].device.receive(&parcel.message);
        let (from, to, version) = parcel.pair;
        let sessions = self.made.get(&(to, from, version)).copied().unwrap_or(0);
        let fell_out = (sessions - parcel.sessions) as usize >= ARCHIVED_SESSIONS;
        let is_silent = outcome == Outcome::Duplicate
            || (fell_out
                && matches!(
                    outcome,
                    Outcome::BadMac
                        | Outcome::UnknownPreKey { .. }
                        | Outcome::UnknownSignedPreKey { .. }
                ));
        if !is_silent || !self.nodes[node].device.is_as(&before) {
            self.violations
                .push(format!("again {version} {from} -> {to}: {outcome:?}"));
        }
    }

    /// A device finds itself in the past. It notices, throws away its sessions and prekeys, which may have been used
    /// already, and makes new ones before it says anything.
    fn roll_back(&mut self, node: usize) {
        let Node {
            device,
            snapshot,
            epoch,
            read,
            ..
        } = &mut self.nodes[node];
        device.roll_back(snapshot.clone());
        device.actions.clear();
        *epoch += 1;
        read.clear();
        for (index, other) in self.nodes.iter_mut().enumerate() {
            for parcel in &mut other.mailbox {
                if parcel.pair.0 == node || index == node {
                    parcel.may_be_lost = true;
                }
            }
            // What they read of it before is no measure any more.
            other.read.retain(|parcel| parcel.pair.0 != node);
        }
        let mut peers = Vec::new();
        for version in Version::ALL {
            for peer in (0..DEVICES).filter(|peer| *peer != node) {
                self.tainted.insert((peer, node, version), true);
                if self.has_session((node, peer, version)) {
                    peers.push((node, peer, version));
                }
            }
        }
        self.nodes[node].device.delete_all(&[
            RecordKind::Session,
            RecordKind::OldChains,
            RecordKind::ArchivedSessions,
            RecordKind::SkippedKeys,
            RecordKind::SkippedKey,
            RecordKind::SeenMessages,
        ]);
        for version in Version::ALL {
            let device = &mut self.nodes[node].device;
            device.load(&[RecordKey::Account, RecordKey::PreKeys { version }]);
            let mut rng = device.rng.clone();
            let effects = renew_pre_keys(&device.records, version, NOW, &mut rng).unwrap();
            device.rng = rng;
            device.take(effects);
        }
        self.act(node);
        for pair in peers {
            self.initiate(pair);
            self.send_empty(pair);
        }
    }

    fn rotate(&mut self, node: usize, version: Version) {
        let Node {
            device, rotations, ..
        } = &mut self.nodes[node];
        let mut rng = device.rng.clone();
        device.load(&[RecordKey::Account, RecordKey::PreKeys { version }]);
        let effects = rotate_signed_pre_key(&device.records, version, NOW, &mut rng).unwrap();
        device.rng = rng;
        device.take(effects);
        *rotations.entry(version).or_default() += 1;
    }

    /// A step, computed and not committed: the process ends in between.
    fn abort(&mut self, node: usize) {
        let Node {
            device, mailbox, ..
        } = &mut self.nodes[node];
        let Some(parcel) = mailbox.first() else {
            return;
        };
        let before = device.snapshot();
        let _ = device.try_receive(&parcel.message, &mut seeded(1));
        device.restart();
        assert!(device.is_as(&before));
    }

    fn step(&mut self) {
        let node = self.pick(DEVICES);
        let version = self.version();
        match self.pick(1000) {
            0..240 => {
                let account = self.pick(3);
                self.send(node, account, version);
            }
            240..700 => {
                for _ in 0..=self.pick(5) {
                    let waiting = self.nodes[node].mailbox.len();
                    // Mostly in order.
                    let reach = if self.pick(4) == 0 { waiting } else { 1 };
                    if waiting > 0 {
                        let index = self.pick(reach);
                        self.deliver(node, index);
                    }
                }
            }
            700..730 => {
                let waiting = self.nodes[node].mailbox.len();
                if waiting > 0 {
                    let index = self.pick(waiting);
                    self.nodes[node].mailbox.remove(index);
                }
            }
            730..780 => self.repeat(node),
            780..830 => self.nodes[node].device.restart(),
            830..850 => self.abort(node),
            850..950 => self.act(node),
            950..952 => self.rotate(node, version),
            952..962 => {
                let peer = (node + 1 + self.pick(DEVICES - 1)) % DEVICES;
                self.initiate((node, peer, version));
            }
            962..985 => self.toggle_catch_up(node),
            985..999 => self.nodes[node].snapshot = self.nodes[node].device.snapshot(),
            _ => self.roll_back(node),
        }
        for node in 0..DEVICES {
            while self.nodes[node].mailbox.len() > MAILBOX {
                self.deliver(node, 0);
            }
        }
    }

    fn toggle_catch_up(&mut self, node: usize) {
        let device = &mut self.nodes[node].device;
        device.catch_up = !device.catch_up;
        device.may_evict = !device.catch_up;
        if !device.catch_up {
            let effects = device.run(finish_catch_up).unwrap();
            device.take(effects);
        }
    }

    /// What must hold at any time.
    fn check_bounds(&mut self) {
        for node in 0..DEVICES {
            let device = &mut self.nodes[node].device;
            for version in Version::ALL {
                let bundle = device
                    .run(|records| crate::bundle(records, version))
                    .unwrap();
                assert_eq!(bundle.pre_keys.len(), TARGET_PRE_KEYS);
            }
            let peers = DEVICES * Version::ALL.len();
            assert!(device.count(RecordKind::SkippedKey) <= MAX_SKIPPED_KEYS * peers);
            assert!(device.count(RecordKind::Session) <= peers);
            // Every row is what its own decoder writes.
            for ((kind, _), bytes) in device.snapshot() {
                let record = crate::Record::decode(kind, &bytes).unwrap();
                assert_eq!(record.encode().as_slice(), bytes);
            }
        }
    }

    /// All that is under way arrives, until nobody has anything to say.
    fn settle(&mut self) {
        for _ in 0..50 {
            for node in 0..DEVICES {
                while !self.nodes[node].mailbox.is_empty() {
                    self.deliver(node, 0);
                }
                self.act(node);
            }
            if self.nodes.iter().all(|node| node.mailbox.is_empty()) {
                return;
            }
        }
        self.violations
            .push("the devices never come to rest".to_owned());
    }

    /// In the end everyone can write to everyone again, whatever has happened.
    fn finish(&mut self) {
        for node in 0..DEVICES {
            if self.nodes[node].device.catch_up {
                self.toggle_catch_up(node);
            }
        }
        self.settle();
        for round in 0..4 {
            let excused = self.excused;
            for version in Version::ALL {
                for from in 0..DEVICES {
                    for account in 0..3 {
                        self.send(from, account, version);
                    }
                    self.settle();
                }
            }
            if round == 3 && self.excused != excused {
                let lost = self.excused - excused;
                self.violations.push(format!("{lost} lost in the end"));
            }
        }
        self.check_bounds();
    }
}

/// Prekey and ephemeral key of a parcel that makes a session.
fn exchange_of(parcel: &Parcel) -> Option<(u32, [u8; 32])> {
    let key = parcel.message.keys.first()?;
    let profile = parcel.pair.2.profile();
    match profile.parse(&key.data, key.kex).ok()? {
        Incoming::KeyExchange(exchange) => {
            Some((exchange.pre_key_id, *exchange.ephemeral_key.as_bytes()))
        }
        Incoming::Message(_) => None,
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
        "seed {seed}: {} sent, {} delivered, {} excused, violations: {:?}",
        world.sent, world.delivered, world.excused, world.violations
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
