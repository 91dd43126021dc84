//! What holds at any time, and what in the end.

use std::collections::HashMap;

use super::{DEVICES, Pair, World};
use crate::limits::{MAX_SKIPPED_KEYS, TARGET_PRE_KEYS};
use crate::{RecordKind, Version};

impl World {
    /// What must hold at any time.
    pub(super) fn check_bounds(&mut self) {
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
    pub(super) fn settle(&mut self) {
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

    /// In the end everyone can write to everyone again, whatever has happened. Two devices of which one was rolled back may
    /// need a user for it: its new exchange comes for a signed prekey that is gone meanwhile, or each holds a session that
    /// the other has not. Nothing says so that could be believed, so neither does anything by itself (XEP-0384 §8).
    pub(super) fn finish(&mut self) {
        for node in 0..DEVICES {
            if self.nodes[node].device.catch_up {
                self.toggle_catch_up(node);
            }
        }
        self.settle();
        for round in 0..4 {
            let excused = self.excused;
            self.unread.clear();
            for version in Version::ALL {
                for from in 0..DEVICES {
                    for account in 0..3 {
                        self.send(from, account, version);
                    }
                    self.settle();
                }
            }
            match round {
                2 => self.remedy(),
                3 if self.excused != excused => {
                    let lost = self.excused - excused;
                    self.violations.push(format!("{lost} lost in the end"));
                }
                _ => {}
            }
        }
        self.check_bounds();
    }

    /// Users who still cannot read somebody, though all have written to all again and again, make the sessions anew.
    fn remedy(&mut self) {
        let of = |pair: &Pair, tainted: &HashMap<Pair, bool>| tainted.get(pair) == Some(&true);
        for (node, from, version) in core::mem::take(&mut self.unread) {
            let pairs = [(node, from, version), (from, node, version)];
            if !pairs.iter().any(|pair| of(pair, &self.tainted)) {
                self.violations
                    .push(format!("{version} {from} -> {node}: unread for no reason"));
            }
            self.remedies += 1;
            self.reset(node, from / 3);
        }
        self.settle();
    }
}
