//! Who this device is.

use eft_omemo::{Fingerprint, RecordKey, install, own_address, own_fingerprint};
use eft_store::{Credential, Durability, Store};
use eft_types::{BareJid, DeviceId};

use crate::clock;
use crate::error::Error;
use crate::unit::Unit;

/// What of the identity is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) device_id: DeviceId,
    pub(crate) fingerprint: Fingerprint,
}

/// Whether a database has an identity. One without was left by a process that died while making it.
pub(crate) fn is_installed(store: &Store) -> Result<bool, Error> {
    let loaded = store.load(&[RecordKey::Account])?;
    Ok(loaded.iter().any(|(_, record)| record.is_some()))
}

/// Makes device id, identity key and prekeys, and keeps the credential: one commit. Which ids the
/// account's other devices have is not known yet; a clash (one in 2³¹ per device) shows when the
/// own list is fetched.
pub(crate) fn install_new(
    store: &Store,
    own: &BareJid,
    credential: Credential,
) -> Result<(), Error> {
    let mut unit = Unit::begin(store, clock::now());
    let effects = install(own, &[], unit.now, &mut clock::rng()?);
    unit.absorb(effects.changes, effects.actions, effects.events);
    unit.batch.set_credential(Some(credential));
    unit.commit(Durability::Full)?;
    Ok(())
}

/// Reads the identity.
pub(crate) fn load(store: &Store) -> Result<Identity, Error> {
    let mut unit = Unit::begin(store, clock::now());
    Ok(Identity {
        device_id: unit.sure_step(own_address)?.device,
        fingerprint: unit.sure_step(own_fingerprint)?,
    })
}
