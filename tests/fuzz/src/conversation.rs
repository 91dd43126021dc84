//! A whole conversation: three devices of two accounts, both versions, and a network that delays, reorders, repeats,
//! spoils and loses. The input says what happens; the engine has to make the best of it.
//!
//! What is not deliverable by design does not happen here: a prekey is handed out once, a signed prekey rotates once,
//! and there are fewer sessions and messages than any limit.

use eft_omemo::{Action, EncryptedMessage, Outcome, Received, Version, finish_catch_up};
use eft_types::DeviceAddress;

use crate::device::{Device, NOW};
use crate::input::Input;

const DEVICES: usize = 3;
/// Fewer than the skipped keys that are kept.
const MESSAGES: usize = 400;
/// Sessions that two devices make in one version. Fewer than are kept.
const SESSIONS: usize = 7;
/// Enough for a heartbeat.
const BURST: usize = 56;

/// A message on its way to one device.
#[derive(Clone)]
struct Flying {
    from: usize,
    to: usize,
    message: EncryptedMessage,
    /// `None` in an empty message.
    text: Option<Vec<u8>>,
}

/// Everything that exists between two devices over one version.
#[derive(Clone, Copy, Default)]
struct Pair {
    sessions: usize,
}

struct World {
    devices: Vec<Device>,
    flying: Vec<Flying>,
    delivered: Vec<Flying>,
    /// By lower device, higher device, version.
    pairs: [[[Pair; 2]; DEVICES]; DEVICES],
    /// Whether the device has a session with the other.
    connected: [[[bool; 2]; DEVICES]; DEVICES],
    taken: Vec<(usize, Version, u32)>,
    rotated: [[bool; 2]; DEVICES],
    /// Empty messages that a device was asked to send.
    owed: Vec<(usize, DeviceAddress, Version)>,
    sent: usize,
}

/// Nothing panics, a failed step changes nothing, and everything that arrives is read as it was written.
pub(crate) fn run(data: &[u8]) {
    let mut world = World::new();
    let input = &mut Input::new(data);
    while !input.is_empty() {
        world.step(input);
    }
    world.calm_down();
}

fn installed() -> Vec<Device> {
    static DEVICES: std::sync::OnceLock<Vec<Device>> = std::sync::OnceLock::new();
    let install = || {
        [
            ("alice@a.example", 11),
            ("bob@b.example", 12),
            ("bob@b.example", 13),
        ]
        .map(|(jid, seed)| Device::install(jid, seed))
        .to_vec()
    };
    DEVICES.get_or_init(install).clone()
}

const fn index(version: Version) -> usize {
    match version {
        Version::Legacy => 0,
        Version::Omemo2 => 1,
    }
}

impl World {
    fn new() -> Self {
        Self {
            devices: installed(),
            flying: Vec::new(),
            delivered: Vec::new(),
            pairs: Default::default(),
            connected: Default::default(),
            taken: Vec::new(),
            rotated: Default::default(),
            owed: Vec::new(),
            sent: 0,
        }
    }

    /// Two bytes: what happens, and to whom.
    fn step(&mut self, input: &mut Input<'_>) {
        let what = input.byte() % 16;
        let whom = usize::from(input.byte());
        let from = whom % DEVICES;
        let other = (from + 1 + whom / 3 % 2) % DEVICES;
        let version = Version::ALL[whom / 6 % 2];
        match what {
            0..=2 => self.send(from, &[other], version, 1),
            3 => self.send(
                from,
                &[(from + 1) % DEVICES, (from + 2) % DEVICES],
                version,
                1,
            ),
            4 => self.send(from, &[other], version, BURST),
            5 | 6 => self.deliver(0),
            7 => {
                if let Some(at) = input.place(self.flying.len()) {
                    self.deliver(at);
                }
            }
            8 => {
                if let Some(at) = input.place(self.delivered.len()) {
                    self.repeat(at);
                }
            }
            9 => {
                if let Some(at) = input.place(self.flying.len()) {
                    self.flying.remove(at);
                }
            }
            10 => {
                if let Some(at) = input.place(self.flying.len()) {
                    self.spoil(at, input);
                }
            }
            11 => self.devices[from].restart(),
            12 => self.initiate_anew(from, other, version),
            13 => self.rotate(from, version),
            14 => self.answer(whom),
            _ => self.catch_up(from, (whom / DEVICES).is_multiple_of(2)),
        }
    }

    fn address(&self, device: usize) -> DeviceAddress {
        self.devices[device].address.clone()
    }

    fn send(&mut self, from: usize, to: &[usize], version: Version, count: usize) {
        for to in to {
            if !self.connected[from][*to][index(version)] && !self.initiate(from, *to, version) {
                return;
            }
        }
        let addresses: Vec<_> = to.iter().map(|to| self.address(*to)).collect();
        for _ in 0..count {
            if self.sent == MESSAGES {
                return;
            }
            self.sent += 1;
            let text = format!("message {} of {from}", self.sent).into_bytes();
            let message = self.devices[from]
                .send(&addresses, version, Some(&text))
                .unwrap();
            self.flying.extend(to.iter().map(|to| Flying {
                from,
                to: *to,
                message: message.clone(),
                text: Some(text.clone()),
            }));
        }
    }

    /// Makes a session with a prekey that nobody was given. `false` if there were enough.
    fn initiate(&mut self, from: usize, to: usize, version: Version) -> bool {
        let pair = &mut self.pairs[from.min(to)][from.max(to)][index(version)];
        if pair.sessions == SESSIONS {
            return false;
        }
        pair.sessions += 1;
        let mut bundle = self.devices[to].bundle(version).unwrap();
        let taken = &mut self.taken;
        bundle
            .pre_keys
            .retain(|(id, _)| !taken.contains(&(to, version, *id)));
        bundle.pre_keys.truncate(1);
        taken.extend(bundle.pre_keys.iter().map(|(id, _)| (to, version, *id)));
        let bundle = bundle.into_unverified(self.address(to)).verify().unwrap();
        self.devices[from].initiate(&bundle).unwrap();
        self.connected[from][to][index(version)] = true;
        true
    }

    fn initiate_anew(&mut self, from: usize, to: usize, version: Version) {
        if self.initiate(from, to, version) {
            self.send(from, &[to], version, 1);
        }
    }

    fn deliver(&mut self, at: usize) {
        if at < self.flying.len() {
            let flying = self.flying.remove(at);
            let received = self.receive(&flying);
            self.accept(flying, received);
        }
    }

    /// Tries it twice, the first time as if the process died before the commit.
    fn receive(&mut self, flying: &Flying) -> Received {
        let device = &mut self.devices[flying.to];
        let rng = device.rng.clone();
        let lost = device.try_receive(&flying.message, true).unwrap();
        device.restart();
        device.rng = rng;
        let received = device.try_receive(&flying.message, true).unwrap();
        assert!(
            lost == received,
            "a step that was not committed has left a trace"
        );
        received
    }

    fn accept(&mut self, flying: Flying, received: Received) {
        match &received.outcome {
            Outcome::Decrypted {
                plaintext, device, ..
            } => {
                assert_eq!(Some(plaintext.as_bytes()), flying.text.as_deref());
                assert_eq!(*device, self.address(flying.from));
            }
            Outcome::Empty { .. } => assert_eq!(flying.text, None),
            other => panic!("a message that arrived is not read: {other:?}"),
        }
        let Flying { from, to, .. } = flying;
        self.devices[to].commit(received.changes);
        self.connected[to][from][index(flying.message.version)] = true;
        for action in received.actions {
            if let Action::SendEmpty {
                to: whom, version, ..
            } = action
            {
                self.owed.push((to, whom, version));
            }
        }
        self.delivered.push(flying);
    }

    fn repeat(&mut self, at: usize) {
        let flying = self.delivered[at].clone();
        let received = self.receive(&flying);
        assert_eq!(received.outcome, Outcome::Duplicate);
        assert!(received.actions.is_empty());
    }

    /// A copy that was changed on the way arrives before the message itself. It is refused, or read as what was
    /// written where the change is one that nobody authenticates or needs.
    fn spoil(&mut self, at: usize, input: &mut Input<'_>) {
        let mut copy = self.flying[at].clone();
        let own = self.address(copy.to);
        for key in &mut copy.message.keys {
            if key.rid == own.device {
                key.data = input.changed(&key.data);
            }
        }
        if let Some(payload) = &mut copy.message.payload {
            *payload = input.changed(payload);
        }
        let received = self.receive(&copy);
        if matches!(
            received.outcome,
            Outcome::Decrypted { .. } | Outcome::Empty { .. }
        ) {
            self.flying.remove(at);
            self.accept(copy, received);
        }
    }

    fn rotate(&mut self, device: usize, version: Version) {
        if std::mem::replace(&mut self.rotated[device][index(version)], true) {
            return;
        }
        let device = &mut self.devices[device];
        let effects = device
            .run(|records, rng| eft_omemo::rotate_signed_pre_key(records, version, NOW, rng))
            .unwrap();
        device.commit(effects.changes);
    }

    /// Carries one empty message out that the engine asked for.
    fn answer(&mut self, which: usize) {
        if self.owed.is_empty() || self.sent == MESSAGES {
            return;
        }
        let (from, to, version) = self.owed.remove(which % self.owed.len());
        self.sent += 1;
        let message = self.devices[from]
            .send(std::slice::from_ref(&to), version, None)
            .unwrap();
        let to = self
            .devices
            .iter()
            .position(|device| device.address == to)
            .unwrap();
        self.flying.push(Flying {
            from,
            to,
            message,
            text: None,
        });
    }

    fn catch_up(&mut self, device: usize, begins: bool) {
        let device = &mut self.devices[device];
        if !begins && device.catch_up {
            let effects = device.run(|records, _| finish_catch_up(records)).unwrap();
            device.commit(effects.changes);
        }
        device.catch_up = begins;
    }

    /// Everything that is still on its way arrives. Then all who have a session can talk.
    fn calm_down(&mut self) {
        while !self.flying.is_empty() {
            // The newest first: what is late is the hard case.
            self.deliver(self.flying.len() - 1);
        }
        for from in 0..DEVICES {
            for to in 0..DEVICES {
                for version in Version::ALL {
                    if self.connected[from][to][index(version)] {
                        self.sent = 0;
                        self.send(from, &[to], version, 1);
                        self.deliver(0);
                    }
                }
            }
        }
    }
}

/// Conversations that each show something else.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    // `whom`: device, plus 3 for the other of the two others, plus 6 for omemo:2.
    let talk: &[u8] = &[0, 0, 5, 0, 14, 0, 5, 0, 0, 1, 5, 0, 0, 0, 5, 0];
    let modern: &[u8] = &[0, 6, 5, 0, 14, 0, 5, 0, 1, 7, 5, 0, 2, 6, 5, 0];
    let everybody: &[u8] = &[
        3, 6, 5, 0, 5, 0, 3, 7, 3, 8, 5, 0, 5, 0, 5, 0, 5, 0, 3, 0, 3, 1,
    ];
    let reordered: &[u8] = &[0, 6, 0, 6, 0, 6, 7, 0, 0, 2, 7, 0, 0, 1, 0, 7, 5, 0, 5, 0];
    let both_at_once: &[u8] = &[
        0, 6, 0, 10, 0, 7, 5, 0, 5, 0, 0, 6, 0, 7, 12, 6, 12, 7, 5, 0, 5, 0, 5, 0,
    ];
    let burst: &[u8] = &[0, 0, 5, 0, 0, 1, 5, 0, 4, 0, 7, 0, 0, 55, 14, 0, 5, 0, 5, 0];
    // The second of two, with another payload, before the first.
    let spoilt: &[u8] = &[
        0, 6, 0, 6, 10, 0, 0, 1, 0, 1, 0, 0, 0, 1, 5, 0, 8, 0, 0, 0, 0, 7, 10, 0, 0, 0, 1, 0, 0, 3,
        8, 0, 5, 0,
    ];
    let lost: &[u8] = &[
        0, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 1, 9, 0, 0, 0, 0, 0, 5, 0, 11, 0, 11, 1,
    ];
    let rotation: &[u8] = &[
        0, 6, 13, 7, 5, 0, 15, 1, 0, 8, 12, 8, 5, 0, 5, 0, 15, 4, 14, 0, 14, 0, 5, 0,
    ];
    [
        talk,
        modern,
        everybody,
        reordered,
        both_at_once,
        burst,
        spoilt,
        lost,
        rotation,
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}
