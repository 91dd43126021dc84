//! A database that holds what nobody has written: every step over damaged rows that still decode.

use eft_omemo::{
    Record, RecordKind, TrustLevel, VerifiedBy, Version, device_list, device_list_received,
    finish_catch_up, forget_device, known_keys, maintain, own_device_list, reach,
    rotate_signed_pre_key, set_trust, trust_level,
};

use crate::device::{Device, NOW};
use crate::fixture::Fixture;
use crate::input::{Input, Seed};

/// Rows damaged at once.
const ROWS: u8 = 3;

/// Every step answers, with effects or an error; none panics, asks forever, or takes memory without bound.
pub(crate) fn run(data: &[u8]) {
    let fixture = Fixture::get();
    let input = &mut Input::new(data);
    let mut bob = fixture.bob.clone();
    let rows = rows();
    let mut any = false;
    for _ in 0..=input.byte() % ROWS {
        let Some(at) = input.place(rows.len()) else {
            return;
        };
        let (kind, name) = rows[at];
        let row = (*kind, name.clone());
        let bytes = if input.flag() {
            input.block().to_vec()
        } else {
            input.changed(&bob.store[&row])
        };
        // What does not decode is told by the store, before any step.
        if Record::decode(*kind, &bytes).is_ok() {
            any |= bob.store[&row] != bytes;
            bob.store.insert(row, bytes);
        }
    }
    if any {
        use_everything(&mut bob, fixture, usize::from(input.byte()));
    }
}

/// Rows worth damaging: prekeys are all alike, so the first of each version stands for all.
fn rows() -> Vec<&'static (RecordKind, Vec<u8>)> {
    let mut seen = Vec::new();
    Fixture::get()
        .bob
        .store
        .keys()
        .filter(|(kind, name)| {
            let alike = matches!(kind, RecordKind::PreKey | RecordKind::SkippedKey);
            let group = (*kind, name.first().copied());
            let first = !seen.contains(&group);
            seen.push(group);
            !alike || first
        })
        .collect()
}

fn use_everything(bob: &mut Device, fixture: &Fixture, first: usize) {
    let alice = &fixture.alice;
    let own = bob.address.clone();
    // Each starts from the damage, so that no step hides what another would meet.
    let damaged = bob.clone();
    for message in fixture.messages.iter().cycle().skip(first).take(4) {
        for may_evict in [false, true] {
            *bob = damaged.clone();
            bob.catch_up = may_evict;
            if let Ok(received) = bob.try_receive(message, may_evict) {
                bob.commit(received.changes);
                let _ = bob.send(std::slice::from_ref(alice), message.version, Some(b"text"));
            }
        }
    }
    *bob = damaged.clone();
    for version in Version::ALL {
        let _ = bob.bundle(version).map(|bundle| {
            let fingers = bundle.into_unverified(own.clone());
            let _ = fingers.verify();
        });
        let _ = bob.run(|records, rng| maintain(records, version, NOW, rng));
        let _ = bob.run(|records, rng| rotate_signed_pre_key(records, version, NOW, rng));
        let _ = bob.run(|records, _| own_device_list(records, version));
        let _ = bob.run(|records, _| device_list(records, &alice.jid, version));
        let list = eft_omemo::DeviceList::of_ids([alice.device]);
        let _ =
            bob.run(|records, _| device_list_received(records, &alice.jid, version, &list, NOW));
        let _ = bob.send(std::slice::from_ref(alice), version, Some(b"text"));
        let _ = bob.send(std::slice::from_ref(alice), version, None);
    }
    let _ = bob.run(|records, _| finish_catch_up(records));
    let _ = bob.run(|records, _| reach(records, alice));
    let _ = bob.run(|records, _| forget_device(records, alice));
    let keys = bob.run(|records, _| known_keys(records, &alice.jid));
    for key in keys.unwrap_or_default().into_iter().take(2) {
        let fingerprint = key.fingerprint;
        let _ = bob.run(|records, _| trust_level(records, &alice.jid, fingerprint));
        let verified = TrustLevel::Verified {
            by: VerifiedBy::Code,
        };
        let _ = bob.run(|records, _| set_trust(records, &alice.jid, fingerprint, verified, NOW));
    }
    for bundle in &fixture.bundles {
        *bob = damaged.clone();
        let verified = bundle.clone().into_unverified(alice.clone()).verify();
        let _ = bob.initiate(&verified.unwrap());
    }
}

/// One change to each kind of row, at a place that tells the inputs apart.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let rows = rows();
    let first = |kind: &RecordKind| rows.iter().position(|(found, _)| found == kind);
    RecordKind::ALL
        .iter()
        .filter_map(first)
        .map(|at| {
            let at = u8::try_from(at).unwrap();
            // One row; not raw; one change; one byte.
            let seed = Seed::new().byte(0).byte(0).byte(at);
            let change = seed.byte(0).byte(1).byte(0).byte(0).byte(at).byte(1);
            change.byte(at).into_bytes()
        })
        .collect()
}
