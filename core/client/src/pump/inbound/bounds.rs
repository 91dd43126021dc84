//! What a sender could have of us without end (law 4). Rows of failures are bounded by the store.

use eft_omemo::{Action, Event, Received};
use eft_store::DeviceEventKind;
use eft_types::DeviceAddress;

use super::Seen;
use crate::error::Error;
use crate::unit::Unit;

/// Sessions that one account may have us build at a time. A device id is its sender's word: a person has a
/// handful of devices, and whoever writes under more ids than this invents them.
pub(super) const SESSIONS_ASKED_MAX: usize = 10;

/// How many lines of the device log are looked through for one of today.
const LOG_LINES_READ: usize = 100;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Takes out of a step's effects what is too much.
pub(super) fn keep(
    unit: &Unit<'_>,
    seen: &mut Seen,
    mut received: Received,
) -> Result<Received, Error> {
    let mut actions = Vec::new();
    for action in received.actions {
        if !is_one_too_many(unit, &action)? {
            actions.push(action);
        }
    }
    let mut events = Vec::new();
    for event in received.events {
        if !is_told_already(unit, seen, &event)? {
            events.push(event);
        }
    }
    received.actions = actions;
    received.events = events;
    Ok(received)
}

fn is_one_too_many(unit: &Unit<'_>, action: &Action) -> Result<bool, Error> {
    let Action::BuildSession { to, .. } = action else {
        return Ok(false);
    };
    let asked = unit.store().actions()?;
    let of_account = |other: &&Action| matches!(other, Action::BuildSession { to: other, .. } if other.jid == to.jid);
    Ok(asked.iter().filter(of_account).count() >= SESSIONS_ASKED_MAX)
}

/// Whether the app and the device log know since today that a device shows another identity key.
fn is_told_already(unit: &Unit<'_>, seen: &mut Seen, event: &Event) -> Result<bool, Error> {
    let Event::IdentityChangeRefused { address, .. } = event else {
        return Ok(false);
    };
    if !seen.identity_changes.insert(address.clone()) {
        return Ok(true);
    }
    is_logged_today(unit, address)
}

/// Whether the device log has a line of today about another identity key of this device.
pub(in crate::pump) fn is_logged_today(
    unit: &Unit<'_>,
    address: &DeviceAddress,
) -> Result<bool, Error> {
    let log = unit
        .store()
        .device_log(Some(&address.jid), LOG_LINES_READ)?;
    Ok(log.iter().any(|line| {
        line.kind == DeviceEventKind::IdentityChanged
            && line.device == *address
            && unit.now.millis_since(line.at) < DAY_MILLIS
    }))
}
