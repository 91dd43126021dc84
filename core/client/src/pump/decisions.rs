//! The user's decisions about keys and devices. Each is a line of the device log.

use eft_omemo::{
    Fingerprint, Reach, RecordKey, RecordKind, TrustLevel, peer_identity, reach, set_trust as step,
};
use eft_store::{DeviceEvent, DeviceEventKind};
use eft_types::{BareJid, DeviceAddress};

use crate::error::Error;
use crate::unit::Unit;

/// How many lines of the device log are looked through for a decision. Whoever publishes that many
/// changes of a list pushes the user's consent out of sight: then it has to be given again.
const LOG_LINES_READ: usize = 1000;

/// Carries out a decision about a key. The log gets a line for each device that has shown it.
pub(super) fn set_trust(
    unit: &mut Unit<'_>,
    jid: &BareJid,
    fingerprint: Fingerprint,
    level: TrustLevel,
) -> Result<(), Error> {
    let now = unit.now;
    let changes = unit.sure_step(|records| step(records, jid, fingerprint, level, now))?;
    unit.apply(changes);
    let devices = unit
        .store()
        .scan(RecordKind::Device, &RecordKey::jid_prefix(jid))?;
    for (key, _) in devices {
        let RecordKey::Device(device) = key else {
            continue;
        };
        let identity = unit.sure_step(|records| peer_identity(records, &device))?;
        if identity.is_some_and(|identity| identity.fingerprint() == fingerprint) {
            unit.batch.log_device(DeviceEvent {
                at: now,
                device,
                kind: match level {
                    TrustLevel::Verified { .. } => DeviceEventKind::Verified,
                    TrustLevel::Distrusted { .. } => DeviceEventKind::Distrusted,
                    TrustLevel::Undecided | TrustLevel::BlindlyTrusted => {
                        DeviceEventKind::Undecided
                    }
                },
                detail: Some(fingerprint.to_string()),
            });
        }
    }
    Ok(())
}

/// The user accepts the older version for a device that spoke the better one.
pub(super) fn accept_legacy(unit: &mut Unit<'_>, device: DeviceAddress) -> Result<(), Error> {
    if unit.sure_step(|records| reach(records, &device))? != Reach::Downgraded {
        return Err(Error::invalid("the device is not downgraded"));
    }
    unit.batch.log_device(DeviceEvent {
        at: unit.now,
        device,
        kind: DeviceEventKind::LegacyAccepted,
        detail: None,
    });
    Ok(())
}

/// Whether the user has accepted it since the device was downgraded last. The device log is where
/// that stands: it is only ever appended to, and a new downgrade takes the consent back by itself.
pub(super) fn is_legacy_accepted(unit: &Unit<'_>, device: &DeviceAddress) -> Result<bool, Error> {
    let log = unit.store().device_log(Some(&device.jid), LOG_LINES_READ)?;
    let newest = log.iter().find(|line| {
        line.device == *device
            && matches!(
                line.kind,
                DeviceEventKind::Downgraded | DeviceEventKind::LegacyAccepted
            )
    });
    Ok(newest.is_some_and(|line| line.kind == DeviceEventKind::LegacyAccepted))
}

#[cfg(test)]
mod tests {
    use eft_omemo::{DeviceList, DistrustedBy, VerifiedBy, Version, device_list_received};
    use eft_store::Durability;

    use super::*;
    use crate::pump::inbound::tests::alice::Alice;
    use crate::pump::inbound::tests::peer::{Peer, Words as _};

    fn commit<T>(alice: &Alice, work: impl FnOnce(&mut Unit<'_>) -> Result<T, Error>) -> T {
        let mut unit = Unit::begin(&alice.store, alice.now);
        let value = work(&mut unit).unwrap();
        unit.commit(Durability::Full).unwrap();
        value
    }

    fn kinds(alice: &Alice) -> Vec<DeviceEventKind> {
        let log = alice.device_log();
        log.into_iter().rev().map(|line| line.kind).collect()
    }

    #[test]
    fn a_decision_about_a_key_is_a_line_for_each_device_that_showed_it() {
        let mut alice = Alice::install();
        let mut bob = Peer::bob(&alice, Version::Omemo2);
        alice.take(&bob.write(&alice, Version::Omemo2, "hello").stanza());
        let jid = bob.address.jid.clone();
        let key = commit(&alice, |unit| {
            unit.sure_step(|records| peer_identity(records, &bob.address))
        })
        .unwrap()
        .fingerprint();
        let unseen = Fingerprint::from_bytes([9; 32]);
        for level in [
            TrustLevel::Verified {
                by: VerifiedBy::Fingerprint,
            },
            TrustLevel::Distrusted {
                by: DistrustedBy::User,
            },
            TrustLevel::Undecided,
        ] {
            commit(&alice, |unit| set_trust(unit, &jid, key, level));
            commit(&alice, |unit| set_trust(unit, &jid, unseen, level));
        }
        assert_eq!(
            kinds(&alice),
            [
                DeviceEventKind::Verified,
                DeviceEventKind::Distrusted,
                DeviceEventKind::Undecided
            ]
        );
        let log = alice.device_log();
        assert!(log.iter().all(|line| line.device == bob.address));
        assert_eq!(log[0].detail, Some(key.to_string()));
    }

    #[test]
    fn consent_to_legacy_holds_until_the_device_is_downgraded_anew() {
        let alice = Alice::install();
        let bob = Peer::install("bob@b.example", 2).address;
        let list = |version, ids: &[eft_types::DeviceId]| {
            let list = DeviceList::of_ids(ids.iter().copied());
            commit(&alice, |unit| {
                let now = unit.now;
                let effects = unit.sure_step(|records| {
                    device_list_received(records, &bob.jid, version, &list, now)
                })?;
                unit.absorb(effects.changes, effects.actions, effects.events);
                Ok(())
            });
        };
        let accepted = || commit(&alice, |unit| is_legacy_accepted(unit, &bob));
        list(Version::Omemo2, &[bob.device]);
        list(Version::Legacy, &[bob.device]);
        let mut unit = Unit::begin(&alice.store, alice.now);
        let error = accept_legacy(&mut unit, bob.clone()).unwrap_err();
        assert_eq!(error.code(), "invalid-input", "it is as good as ever");
        list(Version::Omemo2, &[]);
        assert!(!accepted());
        commit(&alice, |unit| accept_legacy(unit, bob.clone()));
        assert!(accepted());
        // Another device is another matter.
        let other = Peer::install("bob@b.example", 3).address;
        assert!(!commit(&alice, |unit| is_legacy_accepted(unit, &other)));
        // Back on the better list, and off it again: who knows why this time.
        list(Version::Omemo2, &[bob.device]);
        assert!(accepted(), "nothing is asked of it while omemo:2 serves");
        list(Version::Omemo2, &[]);
        assert!(!accepted());
        assert_eq!(kinds(&alice).last(), Some(&DeviceEventKind::Downgraded));
    }
}
