//! One step of the world: whatever may happen to nine devices.

use std::collections::BTreeSet;

use super::{Backup, DEVICES, MAILBOX, Node, Pair, World};
use crate::testing::{NOW, seeded};
use crate::{
    Action, Effects, RecordKey, RecordKind, Version, finish_catch_up, renew_pre_keys,
    retire_sessions, rotate_signed_pre_key,
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
            952..961 => {
                let peer = (node + 1 + self.pick(DEVICES - 1)) % DEVICES;
                self.initiate((node, peer, version));
            }
            961 => {
                let account = self.pick(3);
                self.reset(node, account);
            }
            962..985 => self.toggle_catch_up(node),
            985..999 => self.back_up(node),
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

    /// Keeps what a backup would.
    pub(super) fn back_up(&mut self, node: usize) {
        let made = self.made.iter().filter(|((of, _, _), _)| *of == node);
        let backup = Backup {
            rows: self.nodes[node].device.snapshot(),
            actions: self.nodes[node].device.actions.clone(),
            mailbox: self.nodes[node].mailbox.clone(),
            next: self.sent,
            made: made.map(|(pair, count)| (*pair, *count)).collect(),
        };
        self.nodes[node].backup = Some(backup);
    }

    /// A device finds itself in the past, and notices. Its sessions and prekeys may have been used further by the state
    /// that is lost: it sends nothing over the ones and renews the others. What it had not read then, it reads now, but
    /// for what was sent to the state that is lost and for exchanges with the prekeys that it had.
    pub(super) fn roll_back(&mut self, node: usize) {
        let Node {
            device,
            mailbox,
            backup,
            epoch,
            read,
            used,
            ..
        } = &mut self.nodes[node];
        let backup = backup.as_ref().expect("kept from the beginning");
        device.roll_back(backup.rows.clone());
        device.actions.clone_from(&backup.actions);
        let since = mailbox.extract_if(.., |parcel| parcel.number >= backup.next);
        let mut since: Vec<_> = since.collect();
        for parcel in &mut since {
            parcel.may_be_lost = true;
        }
        mailbox.clone_from(&backup.mailbox);
        for parcel in mailbox.iter_mut() {
            parcel.may_be_lost |= parcel.message.keys[0].kex;
        }
        mailbox.extend(since);
        *epoch += 1;
        read.clear();
        used.clear();
        self.made.retain(|(of, _, _), _| *of != node);
        self.made.extend(backup.made.iter().copied());
        for version in Version::ALL {
            for peer in (0..DEVICES).filter(|peer| *peer != node) {
                self.tainted.insert((peer, node, version), true);
            }
            self.renew(node, version);
        }
        for pair in self.with_sessions(node, &[RecordKind::Session, RecordKind::ArchivedSessions]) {
            let (_, peer, version) = pair;
            let address = self.nodes[peer].device.address.clone();
            let device = &mut self.nodes[node].device;
            let effects = device.run(|records| retire_sessions(records, &address, version));
            device.take(effects.unwrap());
            self.ask_for_session(pair);
        }
        self.act(node);
    }

    fn renew(&mut self, node: usize, version: Version) {
        let device = &mut self.nodes[node].device;
        device.load(&[RecordKey::Account, RecordKey::PreKeys { version }]);
        let mut rng = device.rng.clone();
        let effects = renew_pre_keys(&device.records, version, NOW, &mut rng).unwrap();
        device.rng = rng;
        device.take(effects);
    }

    /// A user makes all sessions with an account anew.
    pub(super) fn reset(&mut self, node: usize, account: usize) {
        for pair in self.with_sessions(node, &[RecordKind::Session]) {
            if pair.1 / 3 == account {
                self.ask_for_session(pair);
            }
        }
    }

    /// Whom a device has rows of some kinds with.
    fn with_sessions(&self, node: usize, kinds: &[RecordKind]) -> BTreeSet<Pair> {
        let rows = self.nodes[node].device.snapshot().into_keys();
        rows.filter(|(kind, _)| kinds.contains(kind))
            .filter_map(|(kind, name)| match RecordKey::from_bytes(kind, &name) {
                Ok(
                    RecordKey::Session { address, version }
                    | RecordKey::ArchivedSessions { address, version },
                ) => Some((node, self.index_of(&address), version)),
                _ => None,
            })
            .collect()
    }

    fn ask_for_session(&mut self, (from, to, version): Pair) {
        let to = self.nodes[to].device.address.clone();
        let actions = vec![Action::BuildSession { to, version }];
        self.nodes[from].device.take(Effects {
            actions,
            ..Effects::default()
        });
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
