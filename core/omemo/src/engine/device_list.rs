//! Device lists as they come in, and ours as it goes out.

use eft_types::{BareJid, DeviceAddress, Timestamp};

use super::Step;
use crate::record::DeviceListRecord;
use crate::{
    Action, DeviceList, Effects, Event, ListedDevice, RecordKey, Records, StepError, Version,
};

/// Takes a device list that `jid` publishes, its own or a peer's. The caller has checked that it comes from
/// `jid`. If our own list lacks our own device, the actions publish it again (limit how often you carry that
/// out: two clients that fix each other's list would never stop).
///
/// Source: XEP-0384 §5.2 and §5.3.1.
///
/// # Errors
/// [`StepError`].
pub fn device_list_received(
    records: &Records,
    jid: &BareJid,
    version: Version,
    list: &DeviceList,
    now: Timestamp,
) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    let key = |version| RecordKey::DeviceList {
        jid: jid.clone(),
        version,
    };
    step.require([
        RecordKey::Account,
        key(Version::Legacy),
        key(Version::Omemo2),
    ])?;
    let before = step.device_list(jid, version)?;
    let record = DeviceListRecord::follow(before, list, now);
    let before = before.map(DeviceListRecord::list).unwrap_or_default();
    let address = |device| DeviceAddress::new(jid.clone(), device);
    for device in list.ids().filter(|id| !before.contains(*id)) {
        step.tell(Event::DeviceAppeared {
            address: address(device),
            version,
        });
    }
    step.put(key(version), record);
    for device in before.ids().filter(|id| !list.contains(*id)) {
        step.tell(Event::DeviceDisappeared {
            address: address(device),
            version,
        });
    }
    // A device can be downgraded by leaving the one list or by appearing on the other.
    let touched: Vec<_> = match version {
        Version::Omemo2 => before.ids().filter(|id| !list.contains(*id)).collect(),
        Version::Legacy => list.ids().filter(|id| !before.contains(*id)).collect(),
    };
    let touched: Vec<_> = touched.into_iter().map(address).collect();
    step.require(touched.iter().cloned().map(RecordKey::Device))?;
    for address in touched {
        if reach_in(&step, &address)? == Reach::Downgraded {
            step.tell(Event::DeviceDowngraded { address });
        }
    }
    if list.is_truncated() {
        step.tell(Event::DeviceListTruncated {
            jid: jid.clone(),
            version,
        });
    }
    let own = step.own_address()?;
    if *jid == own.jid && !list.contains(own.device) {
        step.tell(Event::OwnDeviceUnlisted { version });
        step.act(Action::PublishDeviceList { version });
    }
    Ok(step.into_effects())
}

/// The list that was last received from an account; `None` if there never was one.
///
/// # Errors
/// [`StepError::Missing`] if that list is not loaded.
pub fn device_list(
    records: &Records,
    jid: &BareJid,
    version: Version,
) -> Result<Option<DeviceList>, StepError> {
    Ok(Step::new(records)
        .device_list(jid, version)?
        .map(DeviceListRecord::list))
}

/// Our account's device list as it is to be published now: what was last received, labels unchanged, with
/// this device on it.
///
/// Source: XEP-0384 §5.3.1.
///
/// # Errors
/// [`StepError`].
pub fn own_device_list(records: &Records, version: Version) -> Result<DeviceList, StepError> {
    let step = Step::new(records);
    let own = step.own_address()?;
    let received = step
        .device_list(&own.jid, version)?
        .map(DeviceListRecord::list)
        .unwrap_or_default();
    if received.contains(own.device) {
        return Ok(received);
    }
    // First, so that the limit cannot push it off.
    let entries = [ListedDevice::unlabelled(own.device)]
        .into_iter()
        .chain(received.devices().iter().cloned());
    Ok(DeviceList::new(entries))
}

/// How a device can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Over omemo:2.
    Omemo2,
    /// Over legacy: nothing says that it ever spoke omemo:2.
    Legacy,
    /// It was on the omemo:2 list, or has shown a key in the form of omemo:2, and is now on the legacy list only.
    /// That may be the server's doing: use legacy only with the user's consent.
    Downgraded,
    /// It is on no list: do not write to it.
    Unlisted,
}

/// The best version that a device can be reached over, sticky.
///
/// # Errors
/// [`StepError::Missing`] if the account's lists of both versions or the device's own record are not loaded.
pub fn reach(records: &Records, address: &DeviceAddress) -> Result<Reach, StepError> {
    let step = Step::new(records);
    let lists = Version::ALL.map(|version| RecordKey::DeviceList {
        jid: address.jid.clone(),
        version,
    });
    step.require(
        lists
            .into_iter()
            .chain([RecordKey::Device(address.clone())]),
    )?;
    reach_in(&step, address)
}

fn reach_in(step: &Step<'_>, address: &DeviceAddress) -> Result<Reach, StepError> {
    let omemo2 = step.device_list(&address.jid, Version::Omemo2)?;
    let legacy = step.device_list(&address.jid, Version::Legacy)?;
    let listed =
        |list: Option<&DeviceListRecord>| list.is_some_and(|list| list.contains(address.device));
    // The list of former devices is bounded, and who publishes lists can push entries off it. The Ed25519 form of a
    // key is known only from omemo:2, and only the user makes us forget it.
    let spoke_omemo2 = || -> Result<bool, StepError> {
        let device = step.device(address)?;
        Ok(omemo2.is_some_and(|list| list.was_listed(address.device))
            || device.is_some_and(|device| device.identity.ed25519().is_some()))
    };
    Ok(if listed(omemo2) {
        Reach::Omemo2
    } else if !listed(legacy) {
        Reach::Unlisted
    } else if spoke_omemo2()? {
        Reach::Downgraded
    } else {
        Reach::Legacy
    })
}
