//! What one unit leaves to the next.

use eft_omemo::Version;

use super::*;
use crate::pump::inbound::tests::alice::Alice;

const ACCOUNT: RecordKey = RecordKey::Account;

/// A unit that read the account and wrote something.
fn remembered(alice: &Alice, more: impl IntoIterator<Item = RecordKey>) -> Option<Remembered> {
    let mut unit = Unit::begin(&alice.store, alice.now);
    unit.preload([ACCOUNT]).unwrap();
    unit.preload(more).unwrap();
    write(&mut unit);
    let (_, remembered) = unit.commit_and_remember(Durability::Deferred).unwrap();
    remembered
}

fn write(unit: &mut Unit<'_>) {
    unit.add_action(Action::PublishBundle {
        version: Version::Omemo2,
    });
}

/// Whether a new unit knows what another one remembered.
fn is_known(alice: &Alice, remembered: Remembered) -> bool {
    let mut unit = Unit::begin(&alice.store, alice.now);
    unit.remember(remembered).unwrap();
    unit.records.is_loaded(&ACCOUNT)
}

#[test]
fn what_a_unit_read_holds_for_the_next_until_somebody_else_writes() {
    let alice = Alice::install();
    let first = remembered(&alice, []).unwrap();
    assert!(is_known(&alice, first));
    let second = remembered(&alice, []).unwrap();
    let mut other = Unit::begin(&alice.store, alice.now);
    write(&mut other);
    other.commit(Durability::Deferred).unwrap();
    assert!(!is_known(&alice, second));
    let third = remembered(&alice, []).unwrap();
    alice.store.suspend().unwrap();
    alice.store.resume().unwrap();
    assert!(
        !is_known(&alice, third),
        "another process may have written meanwhile"
    );
}

#[test]
fn what_is_remembered_has_an_end() {
    let alice = Alice::install();
    let version = Version::Omemo2;
    let keys = |count: usize| (1..count).map(move |id| pre_key(version, id));
    assert!(remembered(&alice, keys(REMEMBERED_MAX)).is_some());
    assert!(remembered(&alice, keys(REMEMBERED_MAX + 1)).is_none());
}

fn pre_key(version: Version, id: usize) -> RecordKey {
    RecordKey::PreKey {
        version,
        id: u32::try_from(id).unwrap(),
    }
}
