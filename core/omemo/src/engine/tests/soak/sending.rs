//! Sessions, messages, and what the engine asked for.

use eft_types::DeviceAddress;

use super::{DEVICES, Node, Pair, Parcel, World};
use crate::limits::MIN_PRE_KEYS;
use crate::{Action, EncryptedMessage, Event, Version, encrypt, has_session};

impl World {
    pub(super) fn index_of(&self, address: &DeviceAddress) -> usize {
        let found = |node: &Node| node.device.address == *address;
        self.nodes.iter().position(found).unwrap()
    }

    /// Counts the sessions that the events tell of.
    pub(super) fn note_events(&mut self, node: usize) {
        for event in core::mem::take(&mut self.nodes[node].device.events) {
            if let Event::SessionAccepted { address, version }
            | Event::SessionInitiated { address, version } = event
            {
                let peer = self.index_of(&address);
                *self.made.entry((node, peer, version)).or_default() += 1;
            }
        }
    }

    pub(super) fn has_session(&mut self, (from, to, version): Pair) -> bool {
        let address = self.nodes[to].device.address.clone();
        let device = &mut self.nodes[from].device;
        device
            .run(|records| has_session(records, &address, version))
            .unwrap()
    }

    /// Makes a session from the bundle that is published.
    pub(super) fn initiate(&mut self, pair: Pair) {
        let (from, to, version) = pair;
        let (bundle, rotations) = self.server[&(to, version)].clone();
        let bundle = bundle.verify().unwrap();
        self.nodes[from].device.initiate(&bundle).unwrap();
        self.known_rotations.insert(pair, rotations);
        self.note_events(from);
    }

    pub(super) fn post(&mut self, message: &EncryptedMessage, pair: Pair, text: Option<String>) {
        let (from, to, version) = pair;
        let address = &self.nodes[to].device.address;
        let mut message = message.clone();
        message
            .keys
            .retain(|key| key.rid == address.device && key.jid.as_ref() == Some(&address.jid));
        assert_eq!(message.keys.len(), 1);
        let parcel = Parcel {
            number: self.sent,
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
    pub(super) fn send(&mut self, from: usize, account: usize, version: Version) {
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

    pub(super) fn send_empty(&mut self, pair: Pair) {
        let (from, to, version) = pair;
        let address = self.nodes[to].device.address.clone();
        let message = self.nodes[from].device.send_empty(&address, version);
        self.post(&message, pair, None);
    }

    /// Carries out what the engine asked for. Nothing is answered in the middle of a catch-up (XEP-0384 §6).
    pub(super) fn act(&mut self, node: usize) {
        for action in core::mem::take(&mut self.nodes[node].device.actions) {
            match action {
                Action::SendEmpty { .. } | Action::BuildSession { .. }
                    if self.nodes[node].device.catch_up =>
                {
                    self.nodes[node].device.actions.push(action);
                }
                Action::PublishBundle { version } => self.publish(node, version),
                Action::SendEmpty { to, version, .. } => {
                    let pair = (node, self.index_of(&to), version);
                    if self.has_session(pair) {
                        self.send_empty(pair);
                    }
                }
                Action::BuildSession { to, version } => {
                    let pair = (node, self.index_of(&to), version);
                    self.initiate(pair);
                    self.send_empty(pair);
                }
                Action::PublishDeviceList { .. }
                | Action::RefreshDeviceList { .. }
                | Action::FetchBundle { .. } => {}
            }
        }
    }

    pub(super) fn publish(&mut self, node: usize, version: Version) {
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
}
