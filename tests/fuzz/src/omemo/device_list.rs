//! Device lists, from the wire to what the engine makes of them.

use eft_omemo::limits::MAX_DEVICES;
use eft_omemo::{
    DeviceLabel, DeviceList, ListedDevice, Version, device_list, device_list_received,
    own_device_list, reach,
};
use eft_types::DeviceId;

use crate::device::NOW;
use crate::fixture::Fixture;
use crate::input::{Input, Seed};

/// A list never holds a device twice or more than the limit, and reads back as it was stored.
pub(crate) fn run(data: &[u8]) {
    let fixture = Fixture::get();
    let input = &mut Input::new(data);
    let mut bob = fixture.bob.clone();
    let alice = &fixture.alice;
    let own = bob.address.clone();
    while !input.is_empty() {
        let flags = input.byte();
        let version = if flags & 1 == 1 {
            Version::Omemo2
        } else {
            Version::Legacy
        };
        let address = if flags & 2 == 2 { &own } else { alice };
        let list = DeviceList::new(entries(input, address.device));
        assert!(list.devices().len() <= MAX_DEVICES);
        let mut ids: Vec<_> = list.ids().collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), list.devices().len(), "a device stands twice");

        let jid = &address.jid;
        let effects = bob
            .run(|records, _| device_list_received(records, jid, version, &list, NOW))
            .unwrap();
        bob.commit(effects.changes);
        bob.restart();
        let read = bob
            .run(|records, _| device_list(records, jid, version))
            .unwrap();
        let read = read.unwrap_or_default();
        assert!(
            read.devices() == list.devices(),
            "a list reads back differently"
        );
        let ours = bob
            .run(|records, _| own_device_list(records, version))
            .unwrap();
        assert!(ours.contains(own.device), "we are not on our own list");
        assert!(ours.devices().len() <= MAX_DEVICES + 1);
        for id in list.ids().take(3) {
            let device = eft_types::DeviceAddress::new(jid.clone(), id);
            bob.run(|records, _| reach(records, &device)).unwrap();
        }
        let again = bob
            .run(|records, _| device_list_received(records, jid, version, &list, NOW))
            .unwrap();
        bob.commit(again.changes);
    }
}

fn entries(input: &mut Input<'_>, known: DeviceId) -> Vec<ListedDevice> {
    let count = input.byte();
    (0..count)
        .map(|at| {
            let flags = input.byte();
            // A long list need not be a long input.
            let number = match flags & 3 {
                0 => u32::from(at) + 1,
                1 => known.as_u32(),
                _ => input.u32().max(1),
            };
            let label = (flags & 4 == 4)
                .then(|| {
                    let text = String::from_utf8_lossy(input.block()).into_owned();
                    DeviceLabel::new(text, input.block())
                })
                .flatten();
            ListedDevice {
                id: DeviceId::new(number).unwrap(),
                label,
            }
        })
        .collect()
}

/// Lists that are empty, ordinary, labelled, full of repetitions, and too long.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let list = |flags, entries: &[&[u8]]| {
        let count = u8::try_from(entries.len()).unwrap();
        Seed::new().byte(flags).byte(count).rest(&entries.concat())
    };
    let labelled = Seed::new().byte(6).u32(7).block(b"phone").block(&[9; 64]);
    let labelled = labelled.into_bytes();
    let mut seeds = Vec::new();
    for flags in [0, 3] {
        seeds.push(list(flags, &[]).into_bytes());
        seeds.push(list(flags, &[&[1], &[0], &[0]]).into_bytes());
        seeds.push(list(flags, &[&[1], &[1], &[2, 0, 0, 0, 7], &labelled]).into_bytes());
    }
    let twice = list(1, &[&[1], &[0]]).rest(&list(1, &[&[0]]).into_bytes());
    seeds.push(twice.into_bytes());
    seeds.push(Seed::new().byte(3).byte(255).rest(&[0; 255]).into_bytes());
    seeds
}
