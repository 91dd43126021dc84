//! Device lists.

use eft_types::{BareJid, DeviceAddress, DeviceId};

use crate::limits::MAX_DEVICES;
use crate::testing::{Device, NOW, connect, seeded};
use crate::{
    Action, DeviceLabel, DeviceList, Effects, Event, ListedDevice, Outcome, Reach, Version,
    device_list_received, own_device_list, reach,
};

fn id(number: u32) -> DeviceId {
    DeviceId::new(number).unwrap()
}

fn list(numbers: &[u32]) -> DeviceList {
    DeviceList::of_ids(numbers.iter().copied().map(id))
}

fn received(device: &mut Device, jid: &BareJid, version: Version, list: &DeviceList) -> Effects {
    let effects = device
        .run(|records| device_list_received(records, jid, version, list, NOW))
        .unwrap();
    device.take(effects.clone());
    device.restart();
    effects
}

fn juliet() -> BareJid {
    BareJid::new("juliet@capulet.example").unwrap()
}

#[test]
fn devices_that_come_and_go_are_told() {
    let mut device = Device::install("romeo@montague.example", 1);
    let address = |number| DeviceAddress::new(juliet(), id(number));
    for version in Version::ALL {
        let appeared = |number| Event::DeviceAppeared {
            address: address(number),
            version,
        };
        let disappeared = |number| Event::DeviceDisappeared {
            address: address(number),
            version,
        };
        let first = received(&mut device, &juliet(), version, &list(&[1, 2]));
        assert_eq!(first.events, [appeared(1), appeared(2)]);
        assert_eq!(first.actions, []);
        let same = received(&mut device, &juliet(), version, &list(&[2, 1]));
        assert_eq!(same.events, []);
        let changed = received(&mut device, &juliet(), version, &list(&[2, 3]));
        assert_eq!(changed.events, [appeared(3), disappeared(1)]);
        let back = received(&mut device, &juliet(), version, &list(&[1]));
        assert_eq!(back.events, [appeared(1), disappeared(2), disappeared(3)]);
        let empty = received(&mut device, &juliet(), version, &DeviceList::default());
        assert_eq!(empty.events, [disappeared(1)]);
    }
}

#[test]
fn the_list_that_was_received_last_is_given_back() {
    let mut device = Device::install("romeo@montague.example", 1);
    let mut known = |version, list: Option<&DeviceList>| {
        if let Some(list) = list {
            let _effects = received(&mut device, &juliet(), version, list);
        }
        device
            .run(|records| crate::device_list(records, &juliet(), version))
            .unwrap()
    };
    for version in Version::ALL {
        assert_eq!(known(version, None), None);
        let empty = DeviceList::default();
        for list in [&list(&[1, 2]), &empty, &list(&[3])] {
            assert_eq!(known(version, Some(list)).as_ref(), Some(list));
        }
    }
}

#[test]
fn a_device_added_to_the_own_account_is_told() {
    let mut device = Device::install("romeo@montague.example", 1);
    let own = device.address.clone();
    let ghost = list(&[own.device.as_u32(), 666]);
    let effects = received(&mut device, &own.jid, Version::Omemo2, &ghost);
    let appeared = Event::DeviceAppeared {
        address: DeviceAddress::new(own.jid, id(666)),
        version: Version::Omemo2,
    };
    assert!(effects.events.contains(&appeared));
    assert_eq!(effects.actions, []);
}

#[test]
fn pitfall_03_an_own_list_without_us_is_published_again_with_all_others_unchanged() {
    for version in Version::ALL {
        let mut device = Device::install("romeo@montague.example", 1);
        let own = device.address.clone();
        let label = DeviceLabel::new("Phone", vec![1; 64]);
        assert!(label.is_some());
        let without_us = DeviceList::new([
            ListedDevice {
                id: id(5),
                label: label.clone(),
            },
            ListedDevice::unlabelled(id(6)),
        ]);
        let effects = received(&mut device, &own.jid, version, &without_us);
        assert_eq!(effects.actions, [Action::PublishDeviceList { version }]);
        assert!(
            effects
                .events
                .contains(&Event::OwnDeviceUnlisted { version })
        );
        let published = device
            .run(|records| own_device_list(records, version))
            .unwrap();
        assert_eq!(
            published.ids().collect::<Vec<_>>(),
            [own.device, id(5), id(6)]
        );
        assert_eq!(published.devices()[1].label, label);
        let effects = received(&mut device, &own.jid, version, &published);
        assert_eq!(effects.actions, []);
        let again = device
            .run(|records| own_device_list(records, version))
            .unwrap();
        assert_eq!(again, published);
    }
}

#[test]
fn pitfall_25_rubbish_in_a_list_ends_at_the_types() {
    assert!(DeviceId::new(0).is_err());
    assert!("0".parse::<DeviceId>().is_err());
    assert!("-3".parse::<DeviceId>().is_err());
    let doubled = list(&[7, 7, 8, 7]);
    assert_eq!(doubled.ids().collect::<Vec<_>>(), [id(7), id(8)]);
    let numbers: Vec<u32> = (1..=5000).collect();
    let long = list(&numbers);
    assert!(long.is_truncated());
    assert_eq!(long.devices().len(), MAX_DEVICES);
    assert_eq!(DeviceLabel::new("x".repeat(2000), vec![0; 64]), None);
    assert_eq!(DeviceLabel::new("x", vec![0; 2000]), None);
    let mut device = Device::install("romeo@montague.example", 1);
    let effects = received(&mut device, &juliet(), Version::Omemo2, &long);
    let truncated = Event::DeviceListTruncated {
        jid: juliet(),
        version: Version::Omemo2,
    };
    assert!(effects.events.contains(&truncated));
}

#[test]
fn a_label_is_shown_only_if_its_device_signed_it() {
    let mut rng = seeded(1);
    let pair = crate::IdentityKeyPair::generate(&mut rng);
    let signature = pair.sign("Téléphone".as_bytes(), &mut rng);
    let label = DeviceLabel::new("Téléphone", signature).unwrap();
    assert_eq!(label.verified_text(&pair.public()), Some("Téléphone"));
    assert_eq!(label.to_wire(), ("Téléphone", signature.as_slice()));
    let other = crate::IdentityKeyPair::generate(&mut rng).public();
    assert_eq!(label.verified_text(&other), None);
    let changed = DeviceLabel::new("Telephone", signature).unwrap();
    assert_eq!(changed.verified_text(&pair.public()), None);
    let unsigned = DeviceLabel::new("Téléphone", []).unwrap();
    assert_eq!(unsigned.verified_text(&pair.public()), None);
}

#[test]
fn the_better_version_is_sticky_and_a_downgrade_is_told() {
    let mut device = Device::install("romeo@montague.example", 1);
    let (a, b) = (
        DeviceAddress::new(juliet(), id(1)),
        DeviceAddress::new(juliet(), id(2)),
    );
    let how = |device: &mut Device, address: &DeviceAddress| {
        device.run(|records| reach(records, address)).unwrap()
    };
    assert_eq!(how(&mut device, &a), Reach::Unlisted);
    let _ = received(&mut device, &juliet(), Version::Legacy, &list(&[1, 2]));
    assert_eq!(
        (how(&mut device, &a), how(&mut device, &b)),
        (Reach::Legacy, Reach::Legacy)
    );
    let upgraded = received(&mut device, &juliet(), Version::Omemo2, &list(&[1]));
    assert_eq!(upgraded.events.len(), 1);
    assert_eq!(
        (how(&mut device, &a), how(&mut device, &b)),
        (Reach::Omemo2, Reach::Legacy)
    );
    // The server takes it off the better list.
    let downgraded = received(
        &mut device,
        &juliet(),
        Version::Omemo2,
        &DeviceList::default(),
    );
    let told = Event::DeviceDowngraded { address: a.clone() };
    assert!(downgraded.events.contains(&told));
    assert_eq!(
        (how(&mut device, &a), how(&mut device, &b)),
        (Reach::Downgraded, Reach::Legacy)
    );
    // The other order: off both, then back on the legacy list only.
    let _ = received(&mut device, &juliet(), Version::Legacy, &list(&[2]));
    assert_eq!(how(&mut device, &a), Reach::Unlisted);
    let back = received(&mut device, &juliet(), Version::Legacy, &list(&[1, 2]));
    assert!(back.events.contains(&told));
    assert!(
        !back
            .events
            .contains(&Event::DeviceDowngraded { address: b })
    );
    let _ = received(&mut device, &juliet(), Version::Omemo2, &list(&[1]));
    assert_eq!(how(&mut device, &a), Reach::Omemo2);
}

#[test]
fn pitfall_12_a_stranger_s_list_is_fetched_and_that_of_an_acquaintance_is_not() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let refresh = Action::RefreshDeviceList {
            jid: alice.address.jid.clone(),
            version,
        };
        let message = alice.send(&bob.address, version, "hello");
        // Known from a list: not a stranger.
        let (jid, number) = (alice.address.jid.clone(), alice.address.device.as_u32());
        let mut informed = Device::install("bob@b.example", 2);
        let _ = received(&mut informed, &jid, version, &list(&[number]));
        informed.actions.clear();
        informed.read(&message);
        assert!(!informed.actions.contains(&refresh));
        // Known from nowhere, then from a session.
        bob.read(&message);
        assert!(bob.actions.contains(&refresh));
        bob.actions.clear();
        let message = alice.send(&bob.address, version, "again");
        bob.read(&message);
        assert!(!bob.actions.contains(&refresh));
        assert_eq!(bob.receive(&message), Outcome::Duplicate);
        assert!(!bob.actions.contains(&refresh));
    }
}
