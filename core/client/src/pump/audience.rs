//! For whom a message is encrypted: which devices, and each in which version.

use eft_omemo::{
    NotTrusted, Reach, TrustLevel, TrustPolicy, TrustedDevice, Version, has_session, permit, reach,
};
use eft_store::SendFailure;
use eft_types::{BareJid, DeviceAddress};

use super::{Pump, decisions};
use crate::devices;
use crate::error::Error;
use crate::unit::Unit;

/// Whom a message can be encrypted for.
pub(super) enum Audience {
    /// These devices.
    Devices(Devices),
    /// Lists or bundles are on their way; ask again when they are here.
    Waiting,
    /// Nobody, until the user does something (law 5: an answer to the caller, no silent fallback).
    Nobody(SendFailure, Option<String>),
}

/// Devices by the best version that each can be reached over.
#[derive(Default)]
pub(super) struct Devices {
    pub(super) omemo2: Vec<TrustedDevice>,
    pub(super) legacy: Vec<TrustedDevice>,
}

impl Devices {
    fn is_empty(&self) -> bool {
        self.omemo2.is_empty() && self.legacy.is_empty()
    }

    /// The versions in use, the better one first, with their devices.
    pub(super) fn by_version(&self) -> impl Iterator<Item = (Version, &[TrustedDevice])> {
        [
            (Version::Omemo2, self.omemo2.as_slice()),
            (Version::Legacy, self.legacy.as_slice()),
        ]
        .into_iter()
        .filter(|(_, devices)| !devices.is_empty())
    }

    fn push(&mut self, version: Version, device: TrustedDevice) {
        match version {
            Version::Omemo2 => self.omemo2.push(device),
            Version::Legacy => self.legacy.push(device),
        }
    }
}

/// What stands in the way of some devices.
#[derive(Default)]
struct Obstacles {
    undecided: Vec<String>,
    downgraded: Vec<String>,
    without_bundle_count: usize,
    is_waiting: bool,
}

impl Pump {
    /// Every device of the peer and every other device of ours that policy lets us write to.
    pub(super) fn audience(
        &mut self,
        unit: &mut Unit<'_>,
        peer: &BareJid,
    ) -> Result<Audience, Error> {
        let own = self.own.clone();
        // Both are asked for at once, even if one is fresh.
        let peer_is_fresh = self.ensure_lists(peer);
        let own_is_fresh = self.ensure_lists(&own.jid);
        if !peer_is_fresh || !own_is_fresh {
            return Ok(Audience::Waiting);
        }
        let mut found = Devices::default();
        let mut obstacles = Obstacles::default();
        let mut peer_device_count = 0_usize;
        let jids: Vec<BareJid> = if *peer == own.jid {
            vec![own.jid.clone()]
        } else {
            vec![peer.clone(), own.jid.clone()]
        };
        for address in listed_devices(unit, &jids)? {
            if address == own {
                continue;
            }
            if let Some((version, device)) = self.admit(unit, &address, &mut obstacles)? {
                peer_device_count += usize::from(address.jid == *peer);
                found.push(version, device);
            }
        }
        Ok(obstacles.judge(found, peer_device_count, *peer == own.jid))
    }

    /// One device: the version to use and the proof that it may be written to, or an obstacle.
    fn admit(
        &mut self,
        unit: &mut Unit<'_>,
        address: &DeviceAddress,
        obstacles: &mut Obstacles,
    ) -> Result<Option<(Version, TrustedDevice)>, Error> {
        let version = match unit.sure_step(|records| reach(records, address))? {
            Reach::Omemo2 => Version::Omemo2,
            Reach::Legacy => Version::Legacy,
            Reach::Downgraded if decisions::is_legacy_accepted(unit, address)? => Version::Legacy,
            Reach::Downgraded => {
                obstacles.downgraded.push(address.device.to_string());
                return Ok(None);
            }
            Reach::Unlisted => return Ok(None),
        };
        if !unit.sure_step(|records| has_session(records, address, version))? {
            if self
                .link
                .as_ref()
                .is_some_and(|link| link.bundle_is_unavailable(address, version))
            {
                obstacles.without_bundle_count += 1;
            } else {
                self.request_bundle(address, version);
                obstacles.is_waiting = true;
            }
            return Ok(None);
        }
        match unit.step(|records| permit(TrustPolicy::default(), records, address))? {
            Ok(device) => Ok(Some((version, device))),
            Err(NotTrusted::Refused { level, .. }) => {
                // The user's own "no" needs no question; "not yet decided" does.
                if level == TrustLevel::Undecided {
                    obstacles.undecided.push(address.device.to_string());
                }
                Ok(None)
            }
            Err(NotTrusted::UnknownDevice { .. }) => {
                obstacles.without_bundle_count += 1;
                Ok(None)
            }
            Err(NotTrusted::Step(error)) => Err(Error::bug(error.to_string())),
        }
    }
}

impl Obstacles {
    fn judge(self, found: Devices, peer_device_count: usize, is_to_self: bool) -> Audience {
        if self.is_waiting {
            return Audience::Waiting;
        }
        if !self.undecided.is_empty() {
            let detail = format!("undecided devices: {}", self.undecided.join(", "));
            return Audience::Nobody(SendFailure::NotTrusted, Some(detail));
        }
        if peer_device_count > 0 && !found.is_empty() {
            return Audience::Devices(found);
        }
        if !self.downgraded.is_empty() {
            let detail = format!(
                "devices without omemo:2 now: {}",
                self.downgraded.join(", ")
            );
            return Audience::Nobody(SendFailure::NotTrusted, Some(detail));
        }
        if self.without_bundle_count > 0 {
            let detail = format!(
                "{} device(s) without a usable bundle",
                self.without_bundle_count
            );
            return Audience::Nobody(SendFailure::MissingBundle, Some(detail));
        }
        if is_to_self {
            // A note to oneself on the only device: there is nobody to encrypt for, and nothing to
            // send. It stays in the timeline.
            return Audience::Nobody(
                SendFailure::NoRecipients,
                Some("no other device".to_owned()),
            );
        }
        Audience::Nobody(SendFailure::NoRecipients, None)
    }
}

/// The devices that the stored lists of these accounts name, each once.
fn listed_devices(unit: &mut Unit<'_>, jids: &[BareJid]) -> Result<Vec<DeviceAddress>, Error> {
    let mut found = Vec::new();
    for jid in jids {
        for version in Version::ALL {
            for device in devices::listed(unit, jid, version)? {
                let address = DeviceAddress::new(jid.clone(), device);
                if !found.contains(&address) {
                    found.push(address);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use eft_omemo::{DeviceList, device_list_received};
    use eft_store::Durability;
    use eft_types::DeviceId;

    use super::*;
    use crate::pump::inbound::tests::alice::Alice;
    use crate::pump::inbound::tests::peer::{Peer, Words as _};

    /// Bob's device, which Alice knows and trusts blindly.
    fn trusted() -> TrustedDevice {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, Version::Omemo2);
        alice.take(&bob.write(&alice, Version::Omemo2, "hello").stanza());
        let mut unit = Unit::begin(&alice.store, alice.now);
        unit.step(|records| permit(TrustPolicy::default(), records, &bob.address))
            .unwrap()
            .unwrap()
    }

    fn found(devices: &[&TrustedDevice]) -> Devices {
        let mut found = Devices::default();
        for device in devices {
            found.push(Version::Omemo2, (*device).clone());
        }
        found
    }

    fn reason(audience: Audience) -> Option<SendFailure> {
        match audience {
            Audience::Nobody(reason, _) => Some(reason),
            Audience::Devices(_) => None,
            Audience::Waiting => panic!("it waits"),
        }
    }

    #[test]
    fn pitfall_04_a_device_without_a_bundle_does_not_stop_the_others() {
        let device = trusted();
        let obstacles = || Obstacles {
            without_bundle_count: 3,
            ..Obstacles::default()
        };
        assert_eq!(reason(obstacles().judge(found(&[&device]), 1, false)), None);
        // But our own other devices alone are not the peer.
        for devices in [found(&[&device]), found(&[])] {
            assert_eq!(
                reason(obstacles().judge(devices, 0, false)),
                Some(SendFailure::MissingBundle)
            );
        }
    }

    #[test]
    fn pitfall_27_an_undecided_device_is_a_question_and_a_downgraded_one_is_left_out() {
        let device = trusted();
        let undecided = Obstacles {
            undecided: vec!["5".to_owned()],
            ..Obstacles::default()
        };
        assert_eq!(
            reason(undecided.judge(found(&[&device]), 1, false)),
            Some(SendFailure::NotTrusted),
            "whoever is left out unasked would not know"
        );
        for (devices, count, expected) in [
            (found(&[&device]), 1, None),
            (found(&[]), 0, Some(SendFailure::NotTrusted)),
        ] {
            let downgraded = Obstacles {
                downgraded: vec!["5".to_owned()],
                ..Obstacles::default()
            };
            assert_eq!(reason(downgraded.judge(devices, count, false)), expected);
        }
    }

    #[test]
    fn pitfall_28_a_contact_of_either_version_alone_can_be_written_to() {
        let alice = Alice::install();
        let bob = BareJid::new("bob@b.example").unwrap();
        let id = |number| DeviceId::new(number).unwrap();
        let mut unit = Unit::begin(&alice.store, alice.now);
        for (version, ids) in [(Version::Omemo2, [1, 2]), (Version::Legacy, [2, 3])] {
            let list = DeviceList::of_ids(ids.map(id));
            let now = unit.now;
            let effects = unit
                .sure_step(|records| device_list_received(records, &bob, version, &list, now))
                .unwrap();
            unit.absorb(effects.changes, effects.actions, effects.events);
        }
        unit.commit(Durability::Full).unwrap();
        let mut unit = Unit::begin(&alice.store, alice.now);
        let mut devices: Vec<_> = listed_devices(&mut unit, &[bob])
            .unwrap()
            .into_iter()
            .map(|address| address.device.as_u32())
            .collect();
        devices.sort_unstable();
        assert_eq!(devices, [1, 2, 3], "each once");
    }

    #[test]
    fn pitfall_32_a_note_to_oneself_on_the_only_device_is_kept_and_not_sent() {
        assert_eq!(
            reason(Obstacles::default().judge(found(&[]), 0, true)),
            Some(SendFailure::NoRecipients)
        );
        let device = trusted();
        assert_eq!(
            reason(Obstacles::default().judge(found(&[&device]), 1, true)),
            None
        );
        assert_eq!(
            reason(Obstacles::default().judge(found(&[&device]), 0, false)),
            Some(SendFailure::NoRecipients),
            "a peer without devices, whatever we have"
        );
    }
}
