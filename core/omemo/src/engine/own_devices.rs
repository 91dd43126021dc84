//! Devices that newly stand on our own list.

use eft_types::{DeviceAddress, Timestamp};

use super::Step;
use crate::record::DeviceListRecord;
use crate::{Changes, DeviceList, RecordKey, Records, StepError, TrustLevel, Version};

/// Withholds blind trust from devices that our own list gains. To be called with a new own list before
/// [`device_list_received`](crate::device_list_received).
///
/// The devices on the first list that is ever seen are those that the user has, as far as anybody can tell
/// then. One that appears later was added by the user, who can be asked, or by somebody who wants to read
/// everything that the user writes: it waits for a decision, and so does every further one. A device that was
/// on a list of ours before is no news.
///
/// # Errors
/// [`StepError`].
pub fn doubt_new_own_devices(
    records: &Records,
    version: Version,
    list: &DeviceList,
    now: Timestamp,
) -> Result<Changes, StepError> {
    let mut step = Step::new(records);
    let own = step.own_address()?;
    let lists = Version::ALL.map(|version| RecordKey::DeviceList {
        jid: own.jid.clone(),
        version,
    });
    let trust_key = RecordKey::Trust(own.jid.clone());
    step.require(lists.into_iter().chain([trust_key.clone()]))?;
    if step.device_list(&own.jid, version)?.is_none() {
        return Ok(step.into_changes());
    }
    let mut known = Vec::new();
    for version in Version::ALL {
        known.extend(step.device_list(&own.jid, version)?);
    }
    let is_known = |id| {
        let has = |list: &&DeviceListRecord| list.contains(id) || list.was_listed(id);
        known.iter().any(has)
    };
    let new: Vec<_> = list
        .ids()
        .filter(|id| *id != own.device && !is_known(*id))
        .map(|id| DeviceAddress::new(own.jid.clone(), id))
        .collect();
    if new.is_empty() {
        return Ok(step.into_changes());
    }
    step.require(new.iter().cloned().map(RecordKey::Device))?;
    let mut trust = step.trust(&own.jid)?.cloned().unwrap_or_default();
    trust.ask_about_new_keys();
    for address in &new {
        // Its key may have come before, in a message.
        let Some(device) = step.device(address)? else {
            continue;
        };
        let fingerprint = device.identity.fingerprint();
        if trust.level(fingerprint) == TrustLevel::BlindlyTrusted {
            trust.set(fingerprint, TrustLevel::Undecided, now);
        }
    }
    step.put(trust_key, trust);
    Ok(step.into_changes())
}

#[cfg(test)]
mod tests {
    use eft_types::{BareJid, DeviceId};

    use super::*;
    use crate::testing::{Device, NOW};
    use crate::{DistrustedBy, Fingerprint, device_list_received, own_fingerprint, trust_level};

    const ACCOUNT: &str = "romeo@montague.example";

    fn ids(devices: &[&Device]) -> DeviceList {
        DeviceList::of_ids(devices.iter().map(|device| device.address.device))
    }

    /// Takes a list as a client does.
    fn received(device: &mut Device, version: Version, list: &DeviceList) {
        let changes = device
            .run(|records| doubt_new_own_devices(records, version, list, NOW))
            .unwrap();
        device.commit(changes);
        let own = device.address.jid.clone();
        let effects = device
            .run(|records| device_list_received(records, &own, version, list, NOW))
            .unwrap();
        device.take(effects);
        device.restart();
    }

    /// The key of another device is seen with its bundle.
    fn meet(device: &mut Device, other: &Device, version: Version) {
        let bundle = other.clone().bundle(version);
        device.initiate(&bundle).unwrap();
    }

    fn key(device: &mut Device) -> Fingerprint {
        device.run(own_fingerprint).unwrap()
    }

    fn level(device: &mut Device, of: Fingerprint) -> TrustLevel {
        let own = device.address.jid.clone();
        device
            .run(|records| trust_level(records, &own, of))
            .unwrap()
    }

    #[test]
    fn devices_of_the_first_list_are_trusted_blindly_and_later_ones_are_asked_about() {
        for version in Version::ALL {
            let mut phone = Device::install(ACCOUNT, 1);
            let mut laptop = Device::install(ACCOUNT, 2);
            let mut rogue = Device::install(ACCOUNT, 3);
            let (laptops, rogues) = (key(&mut laptop), key(&mut rogue));
            for version in Version::ALL {
                received(&mut phone, version, &ids(&[&laptop]));
            }
            meet(&mut phone, &laptop, version);
            assert_eq!(level(&mut phone, laptops), TrustLevel::BlindlyTrusted);
            // Our own device comes onto the list: no news.
            let both = [&phone.clone(), &laptop];
            received(&mut phone, version, &ids(&both));
            assert_eq!(level(&mut phone, rogues), TrustLevel::BlindlyTrusted);

            let all = [&phone.clone(), &laptop, &rogue];
            received(&mut phone, version, &ids(&all));
            meet(&mut phone, &rogue, version);
            assert_eq!(level(&mut phone, rogues), TrustLevel::Undecided);
            assert_eq!(level(&mut phone, laptops), TrustLevel::BlindlyTrusted);
        }
    }

    #[test]
    fn a_key_that_came_before_its_device_stood_on_the_list_is_asked_about() {
        let mut phone = Device::install(ACCOUNT, 1);
        let mut rogue = Device::install(ACCOUNT, 3);
        let rogues = key(&mut rogue);
        received(&mut phone, Version::Omemo2, &DeviceList::default());
        meet(&mut phone, &rogue, Version::Omemo2);
        assert_eq!(level(&mut phone, rogues), TrustLevel::BlindlyTrusted);
        received(&mut phone, Version::Omemo2, &ids(&[&rogue]));
        assert_eq!(level(&mut phone, rogues), TrustLevel::Undecided);
    }

    #[test]
    fn decisions_of_the_user_stand_and_a_device_that_comes_back_is_no_news() {
        for decided in [
            TrustLevel::Verified {
                by: crate::VerifiedBy::Consent,
            },
            TrustLevel::Distrusted {
                by: DistrustedBy::User,
            },
        ] {
            let mut phone = Device::install(ACCOUNT, 1);
            let mut laptop = Device::install(ACCOUNT, 2);
            let laptops = key(&mut laptop);
            received(&mut phone, Version::Omemo2, &DeviceList::default());
            let own = phone.address.jid.clone();
            let changes = phone
                .run(|records| crate::set_trust(records, &own, laptops, decided, NOW))
                .unwrap();
            phone.commit(changes);
            received(&mut phone, Version::Omemo2, &ids(&[&laptop]));
            assert_eq!(level(&mut phone, laptops), decided);
        }
        let mut phone = Device::install(ACCOUNT, 1);
        let mut laptop = Device::install(ACCOUNT, 2);
        let laptops = key(&mut laptop);
        for version in Version::ALL {
            received(&mut phone, version, &ids(&[&laptop]));
        }
        meet(&mut phone, &laptop, Version::Omemo2);
        for version in Version::ALL {
            received(&mut phone, version, &DeviceList::default());
            received(&mut phone, version, &ids(&[&laptop]));
        }
        assert_eq!(level(&mut phone, laptops), TrustLevel::BlindlyTrusted);
    }

    #[test]
    fn contacts_are_not_concerned() {
        let mut phone = Device::install(ACCOUNT, 1);
        received(&mut phone, Version::Omemo2, &DeviceList::default());
        let stranger = DeviceList::of_ids([DeviceId::new(99).unwrap()]);
        received(&mut phone, Version::Omemo2, &stranger);
        let juliet = BareJid::new("juliet@capulet.example").unwrap();
        let mut juliets = Device::install(juliet.as_str(), 4);
        let hers = key(&mut juliets);
        meet(&mut phone, &juliets, Version::Omemo2);
        let level = phone
            .run(|records| trust_level(records, &juliet, hers))
            .unwrap();
        assert_eq!(level, TrustLevel::BlindlyTrusted);
    }
}
