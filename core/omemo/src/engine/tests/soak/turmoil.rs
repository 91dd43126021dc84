//! One step of the world: whatever may happen to nine devices.

use super::{DEVICES, MAILBOX, Node, World};
use crate::testing::{NOW, seeded};
use crate::{
    RecordKey, RecordKind, Version, finish_catch_up, renew_pre_keys, rotate_signed_pre_key,
};

impl World {
    pub(super) fn step(&mut self) {
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

    pub(super) fn toggle_catch_up(&mut self, node: usize) {
        let device = &mut self.nodes[node].device;
        device.catch_up = !device.catch_up;
        device.may_evict = !device.catch_up;
        if !device.catch_up {
            let effects = device.run(finish_catch_up).unwrap();
            device.take(effects);
        }
    }

    /// A device finds itself in the past. It notices, throws away its sessions and prekeys, which may have been used
    /// already, and makes new ones before it says anything.
    pub(super) fn roll_back(&mut self, node: usize) {
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

    pub(super) fn rotate(&mut self, node: usize, version: Version) {
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
    pub(super) fn abort(&mut self, node: usize) {
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
}
