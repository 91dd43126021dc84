//! The devices of an account, read from the store.

use std::collections::BTreeMap;

use eft_omemo::{RecordKey, RecordKind, Version, peer_identity, trust_level, unanswered_count};
use eft_store::Store;
use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::clock;
use crate::error::Error;
use crate::trust::{DeviceInfo, Trust};
use crate::unit::Unit;

/// Every device of `jid` that a list named or that wrote to us, by device id.
pub(crate) fn of(
    store: &Store,
    own: &DeviceAddress,
    jid: &BareJid,
) -> Result<Vec<DeviceInfo>, Error> {
    let mut unit = Unit::begin(store, clock::now());
    let mut ids = BTreeMap::new();
    if *jid == own.jid {
        ids.insert(own.device, false);
    }
    for (key, _) in store.scan(RecordKind::Device, &RecordKey::jid_prefix(jid))? {
        if let RecordKey::Device(address) = key {
            ids.entry(address.device).or_insert(false);
        }
    }
    for version in Version::ALL {
        for id in listed(&mut unit, jid, version)? {
            ids.insert(id, true);
        }
    }
    ids.into_iter()
        .map(|(id, listed)| {
            let address = DeviceAddress::new(jid.clone(), id);
            info(&mut unit, own, address, listed)
        })
        .collect()
}

/// One device.
pub(crate) fn one(
    store: &Store,
    own: &DeviceAddress,
    address: &DeviceAddress,
) -> Result<DeviceInfo, Error> {
    let mut unit = Unit::begin(store, clock::now());
    let mut is_listed = false;
    for version in Version::ALL {
        is_listed |= listed(&mut unit, &address.jid, version)?.contains(&address.device);
    }
    info(&mut unit, own, address.clone(), is_listed)
}

fn info(
    unit: &mut Unit<'_>,
    own: &DeviceAddress,
    address: DeviceAddress,
    listed: bool,
) -> Result<DeviceInfo, Error> {
    if address == *own {
        let fingerprint = unit.sure_step(eft_omemo::own_fingerprint)?;
        return Ok(DeviceInfo {
            address,
            this_device: true,
            listed,
            label: None,
            fingerprint: Some(fingerprint),
            trust: Trust::Verified,
            unanswered_count: 0,
        });
    }
    let identity = unit.sure_step(|records| peer_identity(records, &address))?;
    let fingerprint = identity.as_ref().map(eft_omemo::IdentityKey::fingerprint);
    let trust = match fingerprint {
        Some(fingerprint) => unit
            .sure_step(|records| trust_level(records, &address.jid, fingerprint))?
            .into(),
        None => Trust::Undecided,
    };
    let label = match &identity {
        Some(identity) => label(unit, &address, identity)?,
        None => None,
    };
    let mut unanswered = 0;
    for version in Version::ALL {
        let count = unit.sure_step(|records| unanswered_count(records, &address, version))?;
        unanswered = unanswered.max(count);
    }
    Ok(DeviceInfo {
        address,
        this_device: false,
        listed,
        label,
        fingerprint,
        trust,
        unanswered_count: unanswered,
    })
}

/// The ids on the stored list of one version.
pub(crate) fn listed(
    unit: &mut Unit<'_>,
    jid: &BareJid,
    version: Version,
) -> Result<Vec<DeviceId>, Error> {
    Ok(stored_list(unit, jid, version)?
        .map(|list| list.ids().collect())
        .unwrap_or_default())
}

fn stored_list(
    unit: &mut Unit<'_>,
    jid: &BareJid,
    version: Version,
) -> Result<Option<eft_omemo::DeviceList>, Error> {
    unit.sure_step(|records| eft_omemo::device_list(records, jid, version))
}

/// The label that the device itself signed.
fn label(
    unit: &mut Unit<'_>,
    address: &DeviceAddress,
    identity: &eft_omemo::IdentityKey,
) -> Result<Option<String>, Error> {
    let list = stored_list(unit, &address.jid, Version::Omemo2)?;
    Ok(list.and_then(|list| {
        list.devices()
            .iter()
            .find(|device| device.id == address.device)
            .and_then(|device| device.label.as_ref())
            .and_then(|label| label.verified_text(identity))
            .map(ToOwned::to_owned)
    }))
}
