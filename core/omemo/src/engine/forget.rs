//! The end of a device, as far as we are concerned.

use eft_types::DeviceAddress;

use super::Step;
use super::pre_keys::delete_used;
use crate::{Effects, RecordKey, Records, StepError, Version};

/// Forgets a device's identity key and all sessions with it. This is how the user accepts a changed identity
/// key: the next bundle or key exchange makes the device known anew, under whatever trust its new key has.
/// Trust in its old key is kept, and so is the device list. Used prekeys go, so that an exchange that comes again
/// cannot bring back a session that the user wanted gone.
///
/// # Errors
/// [`StepError`].
pub fn forget_device(records: &Records, address: &DeviceAddress) -> Result<Effects, StepError> {
    let mut step = Step::new(records);
    let indexes = Version::ALL.map(|version| RecordKey::SkippedKeys {
        address: address.clone(),
        version,
    });
    step.require(indexes)?;
    delete_used(&mut step)?;
    step.delete(RecordKey::Device(address.clone()));
    for version in Version::ALL {
        for (dh_pub, n) in step.skipped_keys(address, version)?.iter() {
            step.delete(RecordKey::SkippedKey {
                address: address.clone(),
                version,
                dh_pub: *dh_pub.as_bytes(),
                n,
            });
        }
        let address = || address.clone();
        for key in [
            RecordKey::Session {
                address: address(),
                version,
            },
            RecordKey::OldChains {
                address: address(),
                version,
            },
            RecordKey::ArchivedSessions {
                address: address(),
                version,
            },
            RecordKey::SkippedKeys {
                address: address(),
                version,
            },
            RecordKey::SeenMessages {
                address: address(),
                version,
            },
        ] {
            step.delete(key);
        }
    }
    Ok(step.into_effects())
}
