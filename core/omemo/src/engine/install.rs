//! The birth of a device.

use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use rand_core::CryptoRng;

use super::{Step, pre_keys};
use crate::record::AccountRecord;
use crate::trust::TrustRecord;
use crate::{
    Action, Effects, Fingerprint, IdentityKeyPair, RecordKey, Records, StepError, Version,
};

/// Makes identity key, device id, and per version a signed prekey and 100 prekeys. `taken` are the device
/// ids on the account's lists, of either version; the new id is none of them.
///
/// Call it once per installation, never over an existing one. The actions publish bundles and lists.
///
/// Source: XEP-0384 §5.1.
pub fn install(
    own: &BareJid,
    taken: &[DeviceId],
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Effects {
    let nothing = Records::new();
    let mut step = Step::new(&nothing);
    let identity = IdentityKeyPair::generate(rng);
    let address = DeviceAddress::new(own.clone(), free_device_id(taken, rng));
    let mut trust = TrustRecord::default();
    trust.set_ourselves(identity.public().fingerprint(), now);
    step.put(RecordKey::Trust(own.clone()), trust);
    for version in Version::ALL {
        pre_keys::create(&mut step, version, &identity, (1, 1), now, rng);
        // The bundle first: who sees the list fetches the bundle.
        step.act(Action::PublishBundle { version });
    }
    for version in Version::ALL {
        step.act(Action::PublishDeviceList { version });
    }
    step.put(
        RecordKey::Account,
        AccountRecord::new(&address, identity, now),
    );
    step.into_effects()
}

/// A random id; the next free one if it is taken, so that this ends whatever the randomness.
fn free_device_id(taken: &[DeviceId], rng: &mut impl CryptoRng) -> DeviceId {
    let mut number = rng.next_u32();
    loop {
        match DeviceId::generated(number) {
            Some(id) if !taken.contains(&id) => return id,
            _ => number = number.wrapping_add(1),
        }
    }
}

/// The address of this device.
///
/// # Errors
/// [`StepError::NotInstalled`]; [`StepError::Missing`] if the account record is not loaded.
pub fn own_address(records: &Records) -> Result<DeviceAddress, StepError> {
    Step::new(records).own_address()
}

/// The fingerprint of this device, for its user to show.
///
/// # Errors
/// [`StepError::NotInstalled`]; [`StepError::Missing`] if the account record is not loaded.
pub fn own_fingerprint(records: &Records) -> Result<Fingerprint, StepError> {
    Ok(Step::new(records)
        .account()?
        .identity
        .public()
        .fingerprint())
}
